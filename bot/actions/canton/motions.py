"""Putting a motion to Canton's guardians: the `MultiSigProposal`, and the vote of the one guardian that is the bot's.

A vote in Slack is no vote on Canton: what Slack approves is that the bot speaks, as one guardian of several.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from bot.actions.canton import commands
from bot.actions.canton.sending import Seen, Step, send
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.canton import EMERGENCY_REST, LARGEST_MOVE, Ballot, Motion, Purpose
from bot.domain.policy import CANTON, Policy
from bot.domain.probe import State
from bot.errors import BotError, RefusedError
from bot.ports import CantonPrice, How, Journal, LedgerWrites, Writes


class PutMotion(Action):
    """Ask Canton's guardians for this."""

    kind: ClassVar[str] = "canton-motion"
    policy: ClassVar[Policy] = CANTON

    motion: Motion
    sources: tuple[str, ...] = ()
    """What sources outside said about a new price when it was proposed, for people."""

    @property
    def title(self) -> str:
        """``Propose on Canton: …``."""
        return f"Propose on Canton: {self.motion.title}"


class Put(BaseModel):
    """What became of putting a motion."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[StepResult, ...]
    key: str = ""
    """`proposalId` of the ledger's proposal that is now open for it; empty where there is none."""
    old_votes: tuple[str, ...] = ()
    """Parties whose votes were in `EmergencyPauseState` before: cast another day, they count all the same."""


def key_of(motion: Motion, proposal_id: str) -> str:
    """The ledger's `proposalId`, from the Proposal in Slack: the same after a crash."""
    return f"musd-{motion.purpose}-{proposal_id}"


async def put(ledger: LedgerWrites, motion: Motion, key: str, reason: str) -> Put:
    """Create its proposal and vote for it. What is there already is not made twice.

    Raises:
        UnavailableError: nobody answers; nothing is known to be done.
        RefusedError: the bot has no guardian party to speak as.
    """
    guardian = await ledger.guardian()
    closing = [await _close(ledger, one, key, guardian) for one in await _against(ledger, motion)]
    known = await _pending(ledger, motion, key)
    key = known.key if known else key
    name = f"Proposal {key}"

    async def created() -> Seen:
        ballot = await _ballot(ledger, key)
        if ballot:
            return Seen(done=f"on the ledger, {ballot.action_type}, for {ballot.required} of {len(ballot.governors)}")
        return Seen(command=commands.put(motion, key, reason, await ledger.governance(), guardian))

    async def voted() -> Seen:
        ballot = await _ballot(ledger, key)
        if ballot is None:
            return Seen(blocked="NOT DONE: the proposal is not on the ledger")
        if guardian in ballot.approvals:
            return Seen(done=f"{len(ballot.approvals)} of {ballot.required} approvals")
        if ballot.status != "Pending" or guardian in ballot.rejections:
            return Seen(done=f"not needed: the proposal is {ballot.status.lower()}")
        return Seen(command=commands.approve(ballot, guardian))

    steps = [*closing, await send(ledger, Step(name=name, id=f"put:{key}", look=created))]
    there = steps[-1].outcome in {Outcome.DONE, Outcome.SKIPPED}
    if there:
        vote = Step(name="The bot's own guardian's vote", id=f"approve:{key}", look=voted)
        steps.append(await send(ledger, vote))
    return Put(steps=tuple(steps), key=key if there else "")


async def trigger(ledger: LedgerWrites, key: str, reason: str) -> Put:
    """Vote for a pause on `EmergencyPauseState`, without a proposal. Raises as `put` does."""
    guardian, old = await ledger.guardian(), await ledger.pause_state()

    async def voted() -> Seen:
        state = await ledger.pause_state()
        if state is None:
            return Seen(blocked="NOT DONE: there is no EmergencyPauseState on the ledger")
        if state.paused:
            return Seen(done="EmergencyPauseState says paused")
        if guardian in state.votes:
            return Seen(done=f"{len(state.votes)} of {state.threshold} votes")
        return Seen(command=commands.trigger(state, guardian, reason))

    step = await send(ledger, Step(name="The bot's own guardian's vote", id=f"trigger:{key}", look=voted))
    there = step.outcome in {Outcome.DONE, Outcome.SKIPPED}
    before = tuple(one for one in old.votes if one != guardian) if old else ()
    return Put(steps=(step,), key=key if there else "", old_votes=before)


async def _against(ledger: LedgerWrites, motion: Motion) -> Sequence[Ballot]:
    """Pending proposals that must not outlive this one: a pause that could still pass after its unpause."""
    if motion.purpose is not Purpose.UNPAUSE:
        return ()
    return [one for one in await ledger.ballots() if _pauses(one)]


def _pauses(ballot: Ballot) -> bool:
    """Whether it could pause something; what the bot can't read is taken for one."""
    motion = ballot.motion
    return ballot.action_type == "EmergencyPause" and (motion is None or motion.purpose is Purpose.PAUSE)


async def _close(ledger: LedgerWrites, old: Ballot, key: str, guardian: str) -> StepResult:
    """Cancel one of the bot's own; vote against another's, which closes it only with others' votes."""
    reason = f"superseded by {key}"

    async def closed() -> Seen:
        ballot = await _ballot(ledger, old.key)
        if ballot is None:
            return Seen(done="closed")
        if ballot.status == "Rejected" or ballot.expires_at <= datetime.now(UTC):
            return Seen(done=f"can't pass any more: {'rejected' if ballot.status == 'Rejected' else 'expired'}")
        if ballot.status == "Approved":
            return Seen(blocked="STILL OPEN: it has its approvals, and the ledger can't cancel it: do not execute it")
        if ballot.proposer == guardian:
            return Seen(command=commands.cancel(ballot, reason))
        if guardian in {*ballot.rejections, *ballot.approvals}:
            return Seen(blocked=f"STILL OPEN: its proposer, {ballot.proposer.partition('::')[0]}, has to cancel it")
        return Seen(command=commands.reject(ballot, guardian, reason))

    return await send(ledger, Step(name=f"Close {old.key}", id=f"close:{key}:{old.key}", look=closed))


async def _pending(ledger: LedgerWrites, motion: Motion, key: str) -> Ballot | None:
    """A pause of all this that is open already: votes are not spread over two."""
    if motion.purpose is not Purpose.PAUSE:
        return None
    now = datetime.now(UTC)
    for one in await ledger.ballots():
        same = one.motion is not None and one.motion.covers(motion)
        if one.key != key and same and one.status != "Rejected" and one.expires_at > now:
            return one
    return None


async def _ballot(ledger: LedgerWrites, key: str) -> Ballot | None:
    return next((one for one in await ledger.ballots() if one.key == key), None)


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    """What the guardians will read, but for the id that the Proposal itself gives it; and who speaks."""
    motion = _motion(action)
    return {
        "motion": motion.model_dump(mode="json"),
        "action_type": motion.action_type,
        "target": motion.target_module,
        "guardian": await ledger_of(writes).guardian(),
    }


async def _plan(action: Action, writes: Writes) -> Plan:
    motion, ledger = _motion(action), ledger_of(writes)
    governance = await ledger.governance()
    guardian = await ledger.guardian()
    needed = f"{governance.threshold(motion.action_type)} of {len(governance.governors)} guardians"
    said = f"{needed} have to approve on Canton; timelock {span(governance.timelock)}; open {span(governance.expiry)}"
    step = PlanStep(
        name=motion.title,
        target=f"{commands.BALLOT} ({motion.target_module})",
        call=f"create, {motion.action_type}",
        stops="nothing yet: it asks Canton's guardians",
        simulation=State.OK,
        simulated=said,
    )
    vote = PlanStep(
        name="The bot's own guardian's vote",
        target=guardian.partition("::")[0],
        call="Proposal_Approve",
        stops="nothing: one vote of the bot's own party. Votes in Slack are no votes on Canton",
        simulation=State.OK,
        simulated="the party is one of the guardians",
    )
    closing = [_closing(one) for one in await _against(ledger, motion)]
    cautions = await price_cautions(ledger, motion) if motion.price is not None else ()
    return Plan(
        steps=(*closing, step, vote),
        signer=guardian,
        cautions=(*_put(action).sources, *cautions),
        binding=await _binding(action, writes),
    )


def _closing(ballot: Ballot) -> PlanStep:
    return PlanStep(
        name=f"Close {ballot.key}",
        target=commands.BALLOT,
        call="Proposal_Cancel, or the bot's vote against it",
        stops="an open pause proposal, which could still pass after the unpause",
        simulation=State.BAD if ballot.status == "Approved" else State.OK,
        simulated=f"{ballot.status}, {len(ballot.approvals)} of {ballot.required} approvals",
    )


async def price_cautions(ledger: LedgerWrites, motion: Motion) -> tuple[str, ...]:
    """Old and new price, how far apart, and what the feed itself will take."""
    feed = await feed_of(ledger, motion.symbol)
    price = motion.price or feed.usd
    move = abs(price - feed.usd) / feed.usd if feed.usd else LARGEST_MOVE * 2
    now = datetime.now(UTC)
    old = f"{feed.usd.normalize():f} USD from {feed.source}, {span(now - feed.updated_at)} old"
    said = [f"{feed.symbol}: now {old}; new {price.normalize():f} USD: a move of {move:.1%}."]
    if motion.purpose is Purpose.EMERGENCY_PRICE:
        ready = feed.updated_at + EMERGENCY_REST
        when = "has passed" if ready <= now else f"ends at {ready:%H:%M:%S} UTC"
        said.append(f"An override needs {span(EMERGENCY_REST)} without an update of the feed: that {when}.")
    elif move > LARGEST_MOVE:
        said.append("PriceFeed_Update refuses a move above 50 %: propose it anew, and it becomes an override.")
    return tuple(said)


async def feed_of(ledger: LedgerWrites, symbol: str) -> CantonPrice:
    """The price feed of this symbol.

    Raises:
        RefusedError: there is none.
    """
    feeds = await ledger.prices()
    found = next((one for one in feeds if one.symbol == symbol), None)
    if found is None:
        raise RefusedError(
            f"Canton has no price feed {symbol[:20]!r}.",
            means="Nothing was done.",
            next_step=f"There are: {', '.join(one.symbol for one in feeds) or 'none'}.",
        )
    return found


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    proposal = approval.proposal
    motion, ledger = _motion(proposal.action), ledger_of(writes)

    async def attempt() -> Put:
        try:
            return await put(ledger, motion, key_of(motion, proposal.id), proposal.reason)
        except BotError as error:
            text = f"NOT DONE: {error.sentences()}"
            return Put(steps=(StepResult(name=motion.title, outcome=Outcome.FAILED, text=text),))

    done = await journal.step("put", attempt, Put)
    finished = await journal.step("finish", _now, datetime)
    return Receipt(steps=done.steps, finished_at=finished, notes=(WAITS,) if done.key else ())


WAITS = "Canton's guardians vote on the ledger itself; the bot shows their votes below and proposes the execution."


def ledger_of(writes: Writes) -> LedgerWrites:
    """Canton's ledger.

    Raises:
        RefusedError: no participant is configured.
    """
    if writes.ledger is None:
        raise RefusedError("No Canton participant is configured.", next_step="Set MUSD_LEDGER_URL.")
    return writes.ledger


def span(length: timedelta) -> str:
    """A length of time for people: ``12 s``, ``30 min``, ``24 h``."""
    seconds = int(length.total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes are still told in seconds
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"  # noqa: PLR2004 - nor two hours


async def _now() -> datetime:
    return datetime.now(UTC)


def _put(action: Action) -> PutMotion:
    if not isinstance(action, PutMotion):
        raise TypeError(f"{type(action).__name__} is no motion")
    return action


def _motion(action: Action) -> Motion:
    return _put(action).motion


HOW = How(kind=PutMotion, binding=_binding, plan=_plan, run=_run)
