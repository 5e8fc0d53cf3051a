"""A Proposal in full: what would run, who may say yes, and what became of it."""

from bot.domain.action import PlanStep
from bot.domain.approval import Choice, Proposal, ProposalState, Vote
from bot.domain.cards import ProposalCard
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe, escape

PAUSE = "pause"
"""The kind of action whose vote is called *Confirm*."""
ANNOUNCE = "announce"
"""The kind of action that people approve word for word."""

_STATES = {
    ProposalState.OPEN: "🟡 OPEN: nothing has been sent",
    ProposalState.EXECUTING: "⏳ RUNNING: has its votes, is being carried out",
    ProposalState.DONE: "🏁 ENDED: was carried out; its receipt says how each step went",
    ProposalState.DECLINED: "✖ DECLINED: nothing was sent",
    ProposalState.WITHDRAWN: "✖ WITHDRAWN: nothing was sent",
    ProposalState.EXPIRED: "⌛ EXPIRED: nothing was sent",
    ProposalState.REFUSED: "⛔ REFUSED: nothing was sent",
}
_SHORT_DIGEST = 12


def proposal(card: ProposalCard, safe: Safe) -> Message:
    """Headline with the state in words, reason, plan, who may vote, votes so far; buttons only while it is open."""
    one = card.proposal
    state = _STATES[card.state]
    involved = {one.proposer, *(vote.voter for vote in card.votes)}
    title = safe.plain(one.action.title, 120)
    blocks: list[Block] = [
        kit.header(f"Proposal: {title}"),
        kit.section(f"*{state}*\n{safe.own(card.note, 800, mentions=involved)}".rstrip()),
        kit.section(f"*Reason*, from <@{one.proposer}>:\n{safe.quoted(one.reason, 1000) or '> none given'}"),
        *_plan(one, safe),
        kit.section(_votes(card, safe)),
    ]
    if card.state is ProposalState.OPEN:
        blocks += kit.actions(*_buttons(one))
    blocks.append(kit.context(*_small_print(one, safe)))
    return kit.message(f"Proposal: {safe.line(one.action.title, 250)}. {state}", blocks)


def _plan(one: Proposal, safe: Safe) -> list[Block]:
    steps = one.plan.steps
    if one.action.kind == ANNOUNCE:
        head = (
            f"*What is published, word for word*, on {safe.line(steps[0].name, 60)} ({safe.line(steps[0].target, 80)})"
        )
        return [kit.section(f"{head}\n{safe.quoted(steps[0].stops, 2700)}")]
    label = "Stops" if one.action.kind == PAUSE else "Changes"
    blocks = [kit.section(_step(place, step, label, safe)) for place, step in enumerate(steps, 1)]
    if cautions := "\n".join(f"⚠ {safe.line(text, 400)}" for text in one.plan.cautions[:10]):
        blocks.append(kit.section(cautions))
    if stays := "\n".join(f"• {safe.line(text, 300)}" for text in one.plan.stays_open[:10]):
        blocks.append(kit.section(f"*What stays open*\n{stays}"))
    return [kit.section(f"*What runs, in this order* ({kit.one_of(len(steps), 'step')})"), *blocks]


def _step(place: int, step: PlanStep, label: str, safe: Safe) -> str:
    where = f"{safe.code(step.call, 200)} on {safe.code(_short(step.target), 100)}"
    head = f"*{place}. {safe.line(step.name, 100)}* · {where}"
    if step.already:
        then = "✔ *already so*: skipped, counts as done"
    else:
        said = safe.line(step.simulated, 300)
        then = f"{kit.MARKS[step.simulation]} Dry run *{step.simulation}*: {said}"
    return f"{head}\n*{label}:* {safe.line(step.stops, 300)}\n{then}"


def _short(target: str) -> str:
    """An address as people compare it; anything else as it is."""
    return f"{target[:8]}…{target[-6:]}" if target.startswith("0x") and len(target) == len("0x") + 40 else target


def _votes(card: ProposalCard, safe: Safe) -> str:
    policy = card.proposal.policy
    verb = "confirm" if card.proposal.action.kind == PAUSE else "approve"
    own = "the proposer may be one of them" if policy.proposer_counts else "the proposer does not count"
    lines = [f"*Who may {verb}:* {kit.one_of(policy.approvals, policy.approve.label)} ({own})"]
    if word := card.proposal.action.typed:
        lines.append(f"Approving takes typing *{escape(word)}*.")
    if policy.second_factor:
        lines.append("Approving takes a one-time code of your authenticator's.")
    if policy.only_local:
        lines.append("Roles by a user group or an on-call shift do not count here.")
    if policy.unstoppable:
        lines.append("A decline is noted and stops nothing: a guardian can still confirm.")
    lines += [f"• {_vote(vote, verb, safe)}" for vote in card.votes[:20]]
    lines += [] if card.votes else ["• no votes so far"]
    return "\n".join(lines)


def _vote(vote: Vote, verb: str, safe: Safe) -> str:
    said = {"confirm": "confirmed", "approve": "approved"}[verb] if vote.choice is Choice.APPROVE else "declined"
    why = f": {safe.line(vote.reason, 200)}" if vote.reason else ""
    return f"<@{vote.voter}> {said} {kit.when(vote.at)}{why}"


def _buttons(one: Proposal) -> tuple[Block, ...]:
    decline = kit.button("Decline", ids.VOTE_DECLINE, one.id)
    withdraw = kit.button("Withdraw", ids.VOTE_WITHDRAW, one.id)
    if one.action.kind != PAUSE:
        edit = [kit.button("Edit…", ids.ANNOUNCE_EDIT, one.id)] if one.action.kind == ANNOUNCE else []
        return (kit.button("Approve", ids.VOTE_APPROVE, one.id, style="primary"), *edit, decline, withdraw)
    contracts = ", ".join(step.name for step in one.plan.steps if not step.already) or "nothing: all are paused"
    ask: Block = {
        "title": kit.plain("Pause now?"),
        "text": kit.plain(f"This sends the pause at once, for {contracts}."[:300]),
        "confirm": kit.plain("Pause now"),
        "deny": kit.plain("Not yet"),
        "style": "danger",
    }
    return kit.button("Confirm", ids.VOTE_APPROVE, one.id, style="danger", confirm=ask), decline, withdraw


def _small_print(one: Proposal, safe: Safe) -> list[str]:
    plan = one.plan
    chain = f"chain id `{plan.chain_id}`" if plan.chain_id is not None else ""
    signer = f"signer {safe.code(plan.signer, 120)}" if plan.signer else ""
    ids_ = " · ".join(part for part in (f"digest `{one.digest[:_SHORT_DIGEST]}`", chain, signer, f"`{one.id}`") if part)
    targets = [f"{safe.line(step.name, 100)} {safe.code(step.target, 120)}" for step in plan.steps]
    rows = [f"Expires {kit.when(one.expires_at)}, proposed {kit.when(one.proposed_at)}", ids_]
    return [*rows, "In full: " + " · ".join(targets[:16])] if targets else rows
