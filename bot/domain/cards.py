"""What the bot has to say, before it has a form: the engine hands these to the Chat port, and `views` renders them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.action import Receipt
from bot.domain.approval import Proposal, ProposalState, Vote
from bot.domain.checklist import Tick
from bot.domain.deadline import Deadline
from bot.domain.incident import Incident, TimelineEntry
from bot.domain.oncall import Contact, OnCallRole, Shift
from bot.domain.postmortem import Postmortem
from bot.domain.probe import Finding, State
from bot.domain.runbook import Verdict
from bot.domain.signal import Severity, Signal


@dataclass(frozen=True)
class Button:
    """An offer as a button: its label, and the opaque id it carries."""

    label: str
    offer_id: str
    danger: bool = False


@dataclass(frozen=True)
class Line:
    """One line of a message that fills in: a question, and its Finding once there is one."""

    title: str
    finding: Finding | None = None


@dataclass(frozen=True)
class IncidentCard:
    """The incident's first message: what is broken, what it means, and the way to stop it."""

    incident: Incident
    buttons: tuple[Button, ...]
    truncated: int = 0
    """Alerts that Alertmanager left out of its delivery."""
    deadlines: tuple[Deadline, ...] = ()
    """Those that wait, the next one first."""


@dataclass(frozen=True)
class SignalCard:
    """A warning, in the alerts channel."""

    signal: Signal
    buttons: tuple[Button, ...]
    deadline: Deadline | None = None
    """What happens if it lasts."""


@dataclass(frozen=True)
class DiagnosisCard:
    """A diagnosis as it fills in, and then its Verdict."""

    title: str
    lines: tuple[Line, ...]
    verdict: Verdict | None = None
    buttons: tuple[Button, ...] = ()
    runbook: str = ""
    """Whose diagnosis this is, by its key: for asking again."""
    incident_id: str = ""
    propose: Severity | None = None
    """The severity the Verdict proposes, where the incident has another."""
    note: str = ""
    """What there is to say about this message itself."""

    @property
    def hashes(self) -> frozenset[str]:
        """Those that the Findings vouch for."""
        return frozenset(one for line in self.lines if line.finding for one in line.finding.hashes)


@dataclass(frozen=True)
class StatusCard:
    """`/musd status` and `/musd canton`: every line of what is asked, as it fills in."""

    lines: tuple[Line, ...]
    at: datetime
    title: str = "mUSD protocol status"
    board: str = "status"
    """Which of the boards this is: what its button asks again."""
    runbooks: tuple[tuple[str, State], ...] = ()
    """Each runbook's worst line so far."""

    @property
    def done(self) -> bool:
        """Whether every line has its Finding."""
        return all(line.finding is not None for line in self.lines)


@dataclass(frozen=True)
class DoctorCard:
    """`/musd doctor`: everything that can be checked without changing anything, and how to mend what is not OK."""

    lines: tuple[Line, ...]
    at: datetime


@dataclass(frozen=True)
class ProposalCard:
    """A Proposal in full, with its votes so far and what became of it."""

    proposal: Proposal
    state: ProposalState
    votes: tuple[Vote, ...] = ()
    note: str = ""
    """Why it ended, or what happens now."""


@dataclass(frozen=True)
class ReceiptCard:
    """What an execution did."""

    title: str
    receipt: Receipt
    approved_by: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    """Ways to finish what was left open."""


@dataclass(frozen=True)
class Guardian:
    """A guardian party on Canton, and whose it is where that is known."""

    party: str
    person: str = ""
    """A Slack user id."""


@dataclass(frozen=True)
class BallotCard:
    """How the votes of Canton's guardians stand: on the ledger, where they vote, and nowhere else."""

    title: str
    state: State
    headline: str
    lines: tuple[str, ...] = ()
    """What there is to know beside the votes; may quote the ledger."""
    required: int = 0
    approved: tuple[Guardian, ...] = ()
    rejected: tuple[Guardian, ...] = ()
    missing: tuple[Guardian, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class NoticeCard:
    """One plain message: what happened, what it means, what to do next. `quote` is text from outside."""

    state: State | None
    """None where nothing was judged, as in a reminder."""
    text: str
    quote: str = ""
    channel: str = ""
    """The id of a channel to point at."""
    labels: Mapping[str, str] | None = None
    people: tuple[str, ...] = ()
    """The user ids that its text mentions; any other mention in it is only text."""
    hashes: frozenset[str] = frozenset()
    """Of transactions that the bot itself read from the chain and may be quoted: they look like secrets."""


@dataclass(frozen=True)
class UrgentCard:
    """A deadline that passed: what happened, what to decide now, and the way to do it. Wakes the people it names."""

    title: str
    text: str
    people: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    quote: str = ""
    """Why nothing cleared it; may quote the outside."""


@dataclass(frozen=True)
class ChecklistCard:
    """The Incident Response Checklist of one incident."""

    incident: Incident
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class TimelineCard:
    """One page of an incident's timeline, by the time of the event."""

    incident: Incident
    entries: tuple[TimelineEntry, ...]
    page: int
    """From 1."""
    pages: int


@dataclass(frozen=True)
class PostmortemCard:
    """Where the post-mortem of an incident stands."""

    incident: Incident
    postmortem: Postmortem
    due_at: datetime | None


@dataclass(frozen=True)
class LogCard:
    """A service's log, as it was asked for."""

    service: str
    asked: str
    """How much of it, in words."""
    count: int
    error_count: int
    errors: tuple[str, ...]
    """The newest ones."""
    tail: tuple[str, ...]
    filed: bool
    """Whether all of it is in a file of its thread."""


@dataclass(frozen=True)
class OnCallRow:
    """One role of the table *On-Call Contacts*, as it is now. Each shift comes with a Slack id, empty if unknown."""

    role: OnCallRole
    contact: Contact
    present: tuple[tuple[Shift, str], ...] = ()
    following: tuple[Shift, str] | None = None
    problem: str = ""
    """Why nobody is known."""
    setup: bool = False
    """Whether that is for lack of configuration."""


@dataclass(frozen=True)
class OnCallCard:
    """`/musd oncall`."""

    rows: tuple[OnCallRow, ...]


@dataclass(frozen=True)
class BroadcastCard:
    """An announcement as everybody reads it."""

    text: str
    everybody: bool
    """Whether it calls the whole channel."""


@dataclass(frozen=True)
class LinkCard:
    """A text that a person sends elsewhere, and where they find it filled in."""

    state: State
    text: str
    label: str
    url: str
    """Ours, made of percent-encoded text."""


@dataclass(frozen=True)
class UpdateCard:
    """The reminder that a critical incident's people owe an update."""

    incident: Incident
    people: tuple[str, ...]
    """The Slack ids that are called."""
    every: timedelta


@dataclass(frozen=True)
class AuditLine:
    """One row of the audit log."""

    seq: int
    at: datetime
    actor: str
    what: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class AuditCard:
    """`/musd audit`: the newest rows, the newest first."""

    lines: tuple[AuditLine, ...]
    asked: str
    """Which rows, in words."""
    filed: str = ""
    """Where the rest is, where they are too many for a message."""


@dataclass(frozen=True)
class AuditHeadCard:
    """The head of the audit log's chain, for those who keep it elsewhere."""

    head: str
    """``NUMBER:HASH``."""
    at: datetime
    why: str


Card = (
    IncidentCard
    | SignalCard
    | DiagnosisCard
    | StatusCard
    | DoctorCard
    | ProposalCard
    | ReceiptCard
    | NoticeCard
    | BallotCard
    | UrgentCard
    | ChecklistCard
    | TimelineCard
    | PostmortemCard
    | LogCard
    | OnCallCard
    | BroadcastCard
    | LinkCard
    | UpdateCard
    | AuditCard
    | AuditHeadCard
)
