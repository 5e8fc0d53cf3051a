"""What the ledger says about a motion, as a card: pure, from one reading of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.actions.canton.motions import span
from bot.domain.canton import Ballot, PauseState
from bot.domain.cards import BallotCard, Guardian
from bot.domain.probe import State


@dataclass(frozen=True)
class Count:
    """One reading of the votes."""

    card: BallotCard
    ready: bool | None = None
    """True: it can be executed now. False: it never can. None: not decided yet."""


def by_ballot(ballot: Ballot, title: str, people: Mapping[str, str], now: datetime) -> Count:
    """The votes of a `MultiSigProposal`."""
    state, text, left, ready = _standing(ballot, now)
    voted = {*ballot.approvals, *ballot.rejections}
    missing = [party for party in ballot.governors if party not in voted]
    card = BallotCard(
        title,
        state,
        text,
        lines=(*filter(None, [left]), f"{ballot.action_type} {ballot.key}, payload hash {ballot.payload_hash[:12]}…"),
        required=ballot.required,
        approved=named(ballot.approvals, people),
        rejected=named(ballot.rejections, people),
        missing=named(missing, people) if ready is None else (),
    )
    return Count(card, ready)


def _standing(ballot: Ballot, now: datetime) -> tuple[State, str, str, bool | None]:
    """State, headline, the time that is left in words, and whether it is ready."""
    lock = ballot.timelock_ends_at
    if ballot.status == "Rejected":
        return State.BAD, "REJECTED by Canton's guardians", "", False
    if ballot.status == "Approved" and lock is not None and lock > now:
        return State.UNKNOWN, f"APPROVED: the timelock ends at {_clock(lock)}", f"{span(lock - now)} to go", None
    if ballot.status == "Approved":
        return State.OK, "APPROVED, and the timelock is over: its execution is a proposal of its own", "", True
    if ballot.expires_at <= now:
        return State.BAD, "EXPIRED before it had its votes", "", False
    left = f"Time left: {span(ballot.expires_at - now)}, until {_clock(ballot.expires_at)}"
    return State.UNKNOWN, f"WAITING for votes: {len(ballot.approvals)} of {ballot.required}", left, None


def by_state(state: PauseState, old: Sequence[str], title: str, people: Mapping[str, str]) -> Count:
    """The votes of an `EmergencyPauseState`. `old`: parties whose votes were in it before this pause."""
    told = ", ".join(one.party for one in named(old, people))
    lines = [f"Cast before this pause, and still counted: {told}"] if told else []
    if state.paused:
        text = "EmergencyPauseState says PAUSED, which by itself stops nothing: the execution is a proposal of its own"
        return Count(BallotCard(title, State.OK, text, tuple(lines)), ready=True)
    card = BallotCard(
        title,
        State.UNKNOWN,
        f"WAITING for votes: {len(state.votes)} of {state.threshold}",
        lines=(*lines, "These votes do not expire: they count until there are enough"),
        required=state.threshold,
        approved=named(state.votes, people),
        missing=named([one for one in state.guardians if one not in state.votes], people),
    )
    return Count(card)


def executed(title: str) -> Count:
    """Somebody executed it already: its proof is on the ledger."""
    text = "EXECUTED on the ledger by a guardian: the proof is there, what it is for is not done"
    return Count(BallotCard(title, State.OK, text), ready=True)


def gone(title: str) -> Count:
    """Neither the proposal nor its proof is there."""
    text = "GONE: neither the proposal nor its proof is on the ledger. It was cancelled, or executed and used"
    return Count(BallotCard(title, State.BAD, text), ready=False)


def named(parties: Sequence[str], people: Mapping[str, str]) -> tuple[Guardian, ...]:
    """Parties as people call them, with the Slack user id of whoever holds each."""
    return tuple(Guardian(one.partition("::")[0], people.get(one, "")) for one in parties)


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
