"""What a post-mortem is made of: the parts people write, and the record the rest is drafted from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bot.domain.action import Receipt
from bot.domain.approval import Proposal, ProposalState, Vote
from bot.domain.checklist import Tick
from bot.domain.incident import Incident, TimelineEntry

PARTS: Mapping[str, str] = {
    "summary": "Summary",
    "impact": "Impact",
    "cause": "Root cause",
    "lessons": "What went well, what went badly",
    "followups": "Follow-up actions",
}
"""What people can write, by the name it is stored under. A part nobody wrote is drafted from the record."""


class Postmortem(BaseModel):
    """What people have made of it so far."""

    model_config = ConfigDict(frozen=True)

    incident_id: str
    parts: Mapping[str, str] = {}
    """Their own words, by the names of `PARTS`."""
    edition: int = 0
    """How often it was edited: each edition is a file of its own."""
    done_by: str | None = None
    done_at: datetime | None = None


@dataclass(frozen=True)
class Carried:
    """A Proposal, who voted on it, and what became of it."""

    proposal: Proposal
    state: ProposalState
    votes: Sequence[Vote] = ()
    receipt: Receipt | None = None


@dataclass(frozen=True)
class Record:
    """Everything known about an incident, when its post-mortem is drafted."""

    incident: Incident
    postmortem: Postmortem
    at: datetime
    """When the draft was made."""
    timeline: Sequence[TimelineEntry] = ()
    ticks: Sequence[Tick] = ()
    actions: Sequence[Carried] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """What people are called, by Slack user id."""

    @property
    def to_acknowledge(self) -> timedelta | None:
        """From opening to the first acknowledgement."""
        return _since(self.incident, self.incident.acknowledged_at)

    @property
    def to_mitigate(self) -> timedelta | None:
        """From opening to the end of the first Action that did all it was meant to."""
        ends = [one.receipt.finished_at for one in self.actions if one.receipt and one.receipt.complete]
        return _since(self.incident, min(ends, default=None))

    @property
    def to_resolve(self) -> timedelta | None:
        """From opening to the end."""
        return _since(self.incident, self.incident.resolved_at)


def _since(incident: Incident, at: datetime | None) -> timedelta | None:
    return None if at is None else at - incident.opened_at
