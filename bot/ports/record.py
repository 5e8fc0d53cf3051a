"""The state of record, as the engine sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from bot.domain.action import Offer, Receipt
from bot.domain.approval import Approval, Choice, Proposal, ProposalState, Vote
from bot.domain.checklist import Tick
from bot.domain.deadline import Deadline, DeadlineState
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.postmortem import Postmortem
from bot.domain.signal import Signal
from bot.ports.people import MessageRef
from bot.ports.reads import RotationRun
from bot.ports.writes import SignedTransactions


class AuditRow(BaseModel):
    """One thing somebody did, or was refused."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    actor: str
    what: str
    """Such as ``command``, ``proposal``, ``vote``, ``refused``, ``execution``, ``step``."""
    subject: str = ""
    """Such as a proposal's id."""
    detail: Mapping[str, Any] = {}
    key: str | None = None
    """Where given, a second row with the same key is not written."""


class AuditEntry(AuditRow):
    """A row as it stands in the log, chained to the one before it."""

    seq: int
    prev_hash: str
    hash: str

    @property
    def head(self) -> str:
        """The log up to this row, as ``NUMBER:HASH``: what `musd-bot audit verify --head` takes."""
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True)
class AuditFilter:
    """Which rows are asked for; a field that is empty asks for all."""

    actor: str = ""
    """A user id."""
    what: str = ""
    subjects: tuple[str, ...] = ()
    """Ids of proposals or incidents, or a channel's that a command was typed in."""


class Audited(Protocol):
    """Where it is written down who did what."""

    async def audit(self, row: AuditRow) -> None:
        """Append to the audit log."""


@dataclass(frozen=True)
class Tried:
    """A try of a one-time code, counted before the code is looked at."""

    generation: int
    """Which enrolment of this person is the present one."""
    tries: int
    """With this one, since `since`."""
    since: datetime


@dataclass(frozen=True)
class Stored:
    """A Proposal with its state and where its message is."""

    proposal: Proposal
    state: ProposalState
    message: MessageRef | None
    votes: tuple[Vote, ...]
    receipt: Receipt | None


class Store(SignedTransactions, Protocol):
    """The state of record. Each method is one transaction, and each write can be repeated without doubling."""

    async def keep_signals(self, signals: Sequence[Signal], received_at: datetime) -> int:
        """Store those not yet known by their key; how many were new."""

    async def pending_signals(self, limit: int) -> Sequence[Signal]:
        """Signals that triage has not handled, oldest first."""

    async def signal(self, key: str) -> Signal | None:
        """One by its key."""

    async def incident_of(self, signal_key: str) -> Incident | None:
        """The incident a Signal belongs to, if any."""

    async def signals_known(self, keys: Sequence[str]) -> Mapping[str, str | None]:
        """Those of these keys that are stored, in that order, each with the incident it belongs to, if any."""

    async def signals_join(self, keys: Sequence[str], incident_id: str) -> None:
        """They belong to this incident. Triage is not done with them yet."""

    async def signals_handled(
        self, keys: Sequence[str], incident_id: str | None, entry: TimelineEntry | None = None
    ) -> None:
        """Triage is done with them; the incident they belong to, if any, and what its timeline says of it, in one."""

    async def firing(self, incident_id: str) -> Sequence[str]:
        """Names of an incident's alerts whose last word is "firing"."""

    async def fingerprints(self, incident_id: str) -> frozenset[str]:
        """Of an incident's alerts."""

    async def newest_end(self, incident_id: str) -> str | None:
        """The key of the last alert of an incident that was said to be over; None where none was."""

    async def starts(self, fingerprint: str) -> Sequence[str]:
        """Keys of the times this alert fired, the first received first."""

    async def tally(self, since: datetime, limit: int) -> tuple[int, Mapping[str, int]]:
        """How many alerts fired since then, and the names that fired most, with their numbers."""

    async def incident_signals(self, incident_id: str) -> Sequence[Signal]:
        """All Signals of an incident, in the order they were received."""

    async def open_incident(self, fresh: Incident) -> tuple[Incident, bool]:
        """Store `fresh`, unless an open incident of its topic exists: then that one. True where it is new."""

    async def incident(self, incident_id: str) -> Incident | None:
        """One by its id."""

    async def opened_since(self, moment: datetime) -> int:
        """How many incidents that no runbook knows were opened by alerts since then."""

    async def latest_incident(self, topic: str) -> Incident | None:
        """The newest of a topic, open or not."""

    async def incident_in(self, channel: str) -> Incident | None:
        """The newest incident whose channel this is."""

    async def incidents(self, states: Sequence[IncidentState]) -> Sequence[Incident]:
        """Those in one of the states, oldest first."""

    async def update_incident(self, incident_id: str, **changes: Any) -> Incident:
        """Change fields of an incident and return it."""

    async def move_incident(
        self, incident: Incident, changes: Mapping[str, Any], entry: TimelineEntry
    ) -> Incident | None:
        """Change an incident and note it, in one; None, and nothing done, if it changed meanwhile."""

    async def note(self, entry: TimelineEntry) -> None:
        """Write a timeline entry, once per (incident, key)."""

    async def timeline(self, incident_id: str) -> Sequence[TimelineEntry]:
        """An incident's entries by the time of the event."""

    async def ticks(self, incident_id: str) -> Sequence[Tick]:
        """What is ticked of an incident's checklist, in the order it was."""

    async def tick(self, tick: Tick) -> bool:
        """Tick an item. False, and nothing changed, if it was."""

    async def untick(self, incident_id: str, item: str) -> bool:
        """Take a tick back. False if there was none."""

    async def keep_deadline(self, deadline: Deadline) -> Deadline:
        """Store one; the same id again changes nothing and gives the one that is there."""

    async def deadline(self, deadline_id: str) -> Deadline | None:
        """One by its id."""

    async def waiting_deadlines(self) -> Sequence[Deadline]:
        """All that have not ended, the next one first."""

    async def incident_deadlines(self, incident_id: str) -> Sequence[Deadline]:
        """All of an incident, the next one first."""

    async def end_deadline(self, deadline_id: str, state: DeadlineState, outcome: str) -> None:
        """Say what became of it. One that has ended stays as it ended."""

    async def postmortem(self, incident_id: str) -> Postmortem:
        """What people have made of it so far; an empty one where nobody began."""

    async def keep_postmortem(self, postmortem: Postmortem) -> None:
        """Store it as it is now."""

    async def keep_offer(self, offer: Offer) -> None:
        """Store what a button stands for; the same id again changes nothing."""

    async def offer(self, offer_id: str) -> Offer | None:
        """What a button stands for."""

    async def keep_proposal(self, proposal: Proposal, place: str = "") -> Proposal:
        """Store a new Proposal, open, unless one just like it is open: then that one. The same id changes nothing.

        An unstoppable one without an incident is another one in another place (a channel's id).
        """

    async def proposal(self, proposal_id: str) -> Stored | None:
        """One with its votes."""

    async def proposals(self, state: ProposalState) -> Sequence[Stored]:
        """All in a state, oldest first."""

    async def incident_proposals(self, incident_id: str) -> Sequence[Stored]:
        """All of an incident, oldest first."""

    async def rotations(self) -> Sequence[RotationRun]:
        """Every rotation of a key that changed something, complete or not, in the order in which they ended."""

    async def proposal_posted(self, proposal_id: str, message: MessageRef) -> None:
        """Where its message is."""

    async def keep_vote(self, vote: Vote) -> bool:
        """Store a vote on an open Proposal. False, and nothing stored, if it isn't open or this person has voted so."""

    async def explain_vote(self, proposal_id: str, person: str, choice: Choice, reason: str) -> bool:
        """Say why, of a vote that has no reason yet. False: there is none."""

    async def enrol(self, person: str) -> int:
        """The number of this enrolment to a second factor, from 1 on."""

    async def try_code(self, person: str, now: datetime, window: timedelta) -> Tried | None:
        """Count a try; how many there were since the first one of the last `window`. None: nobody enrolled them."""

    async def use_code(self, person: str, step: int) -> bool:
        """Take the code of this time step, and begin counting anew. False: that one or a later one was used."""

    async def take_request(self, signature: str, now: datetime, good_for: timedelta) -> bool:
        """Take the request that Slack signed so. False: it was taken before, less than `good_for` ago."""

    async def consume(self, approval: Approval, execution_id: str) -> bool:
        """OPEN → EXECUTING in one update, for one execution. True also when that same execution asks again."""

    async def end_proposal(self, proposal_id: str, state: ProposalState, receipt: Receipt | None = None) -> None:
        """Set its end and its Receipt."""

    async def audit(self, row: AuditRow) -> None:
        """Append to the audit log."""

    async def newest_audit(self, limit: int, wanted: AuditFilter) -> Sequence[AuditEntry]:
        """Up to `limit` rows of the audit log, the newest first."""

    async def posted(self, key: str) -> MessageRef | None:
        """Where the message of this key is, if it is known to have been posted."""

    async def last_posted(self, prefix: str) -> str | None:
        """The greatest key of a posted message that begins so."""

    async def posting(self, key: str, channel: str) -> bool:
        """Say that a message of this key is about to be posted. False if that was said before: look before you post."""

    async def keep_posted(self, key: str, message: MessageRef) -> None:
        """Remember where a message is."""
