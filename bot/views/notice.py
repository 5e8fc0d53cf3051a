"""One plain message, a refusal, and the help."""

import re

from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.errors import BotError, UnavailableError
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.redact import PATTERNS_ONLY, Redactor
from bot.views.safe import Safe, mentioned

COMMANDS: tuple[tuple[str, str], ...] = (
    ("/musd status", "How the protocol is right now: every source asked, each line OK, BAD or UNKNOWN."),
    ("/musd diagnose <runbook>", "Ask everything a runbook asks, here: what is wrong, and which step applies."),
    (
        "/musd doctor",
        "Check what the bot itself needs: tokens, RPCs, contracts, cluster, people; with the mend of each.",
    ),
    ("/musd pause [mints|staking|borrowing|bridge]", "Propose a pause. Nothing is sent until a guardian confirms."),
    (
        "/musd restart <service>|all",
        "Propose a restart, watched to its end; all of them go one after another.",
    ),
    ("/musd oracle pause|resume|switch [source]", "Propose to stop or start its updates, or to take another source."),
    ("/musd memory <service> [limit]", "Propose a higher memory limit: half as much again, or up to the one named."),
    ("/musd incident open [critical|high|medium] <title>", "Open an incident by hand."),
    ("/musd incident ack | lead [@person] | severity <level>", "In its channel: take it, lead it, say how bad it is."),
    ("/musd incident resolve <why> | reopen <why> | close | archive", "In its channel: end it, or take that back."),
    ("/musd note <text>", "Write on the incident's timeline; so do :memo: on a message and the shortcut there."),
    ("/musd timeline", "The incident's record, by the time of the event."),
    (
        "/musd database [backup | backups | restore <backup>]",
        "The ledger's database: its disk, its backups.",
    ),
    ("/musd rotate relay <0xNEW> | validator-2 | token [--compromised]", "Propose a key rotation, step by step."),
    ("/musd logs <service> [lines] [--since 15m]", "Its log here, errors first; a long one as a file."),
    ("/musd canton", "Canton right now: services, prices, supply, and the proposals that wait for its guardians."),
    ("/musd canton unpause | cap <mUSD> | burn <mUSD>", "Propose to ask Canton's guardians for it."),
    ("/musd canton price <feed> <USD>", "The same for a price: an ordinary update, or the override beyond 50 %."),
    ("/musd logs collect", "The affected services' logs into the incident's channel, as files."),
    ("/musd postmortem [done]", "Draft the post-mortem from the record, or mark it as done."),
    ("/musd supply cap <mUSD> | burn <mUSD left> <holder>", "On Ethereum, after a breach: planned, then handed over."),
    ("/musd unpause", "Propose to unpause, once the cause and the fix are known and the probes are OK."),
    ("/musd update", "In an incident's channel: say how it goes, everywhere you choose."),
    ("/musd announce pause|update|all-clear", "Draft what the world is told; an operator approves each draft."),
    ("/musd oncall", "Who is on call for each role, until when, and who is next."),
    ("/musd page <protocol|infra|security> <text>", "Wake a role's people, without an incident."),
    ("/musd audit [@person] [id|here] [rows]", "Guardians: who did what; of a person, a proposal, an incident."),
    ("/musd help", "This list."),
)
"""How each subcommand is typed, and what it does."""


_TOLD = "🔔"
"""Before what is told without being judged."""


def notice(card: NoticeCard, safe: Safe) -> Message:
    """What happened, with the state in words; text from outside as a quotation below it."""
    head = f"{kit.MARKS[card.state]} *{card.state}*" if card.state else _TOLD
    pointer = f" <#{card.channel}>" if re.fullmatch("[CG][A-Z0-9]+", card.channel) else ""
    blocks: list[Block] = [kit.section(f"{head} · {safe.own(card.text, mentions=card.people)}{pointer}")]
    if quote := safe.quoted(card.quote, 2000, card.hashes):
        blocks.append(kit.section(quote))
    if labels := safe.block(kit.table(sorted((card.labels or {}).items())), 2500):
        blocks.append(kit.section(labels))
    fallback = safe.own(card.text, 500, mentions=card.people)
    mark = f"{kit.MARKS[card.state]} {card.state}" if card.state else _TOLD
    return kit.message(f"{mark}: {fallback}", blocks)


def refusal(error: BotError, redactor: Redactor = PATTERNS_ONLY) -> Message:
    """An error for the person who met it: what happened, what it means, what to do next."""
    state = State.UNKNOWN if isinstance(error, UnavailableError) else State.BAD
    safe, everybody = Safe(redactor), mentioned(error.sentences())
    parts = (f"*{error.happened}*", error.means, f"*Next:* {error.next_step}" if error.next_step else "")
    text = "\n".join(safe.own(part, 900, mentions=everybody) for part in parts if part)
    fallback = safe.own(error.sentences(), 500, mentions=everybody)
    return kit.message(f"{kit.MARKS[state]} {fallback}", [kit.section(f"{kit.MARKS[state]} {text}")])


def help_message() -> Message:
    """What can be typed."""
    lead = "musd-bot: what you can type"
    return kit.message(
        lead,
        [
            kit.section(f"*{lead}*\n" + "\n".join(f"`{usage}`  {does}" for usage, does in COMMANDS)),
            kit.context("*Pause protocol…* on an incident's first message does the same as `/musd pause`."),
        ],
    )
