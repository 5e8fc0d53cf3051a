"""Deadlines: a moment at which the bot looks again, and says or does something unless the reason has gone.

None of them pulls a lever: what stops the protocol is offered to people (docs/adr has why).
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class DeadlineKind(StrEnum):
    """What happens when it passes."""

    ESCALATION = "escalation"
    """The runbook's own: its Escalation is offered, the page goes up a level."""
    WARNING = "warning"
    """The same of a runbook whose alert is a warning: that becomes an incident (Oracle Price Feed Stale)."""
    POSTMORTEM = "postmortem"
    """A reminder that the post-mortem is due, or overdue (Incident Response Checklist: within 48 hours)."""
    UNPAUSE = "unpause"
    """From when on the bridge's unpause can be executed, by the chain's clock (Unpause Procedure, step 3)."""
    WATCH = "watch"
    """The end of an hour of watching (Unpause Procedure, step 4; Incident Response Checklist)."""


class DeadlineState(StrEnum):
    """What became of it. Only what is proven clears one: UNKNOWN never does."""

    WAITING = "waiting"
    PASSED = "passed"
    CLEARED = "cleared"


class Deadline(BaseModel):
    """One, as stored. Its workflow is named by its id."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: DeadlineKind
    due_at: datetime
    text: str
    """What happens then, for people: ``the emergency pause is offered``."""
    incident_id: str | None = None
    signal_key: str | None = None
    """The warning it is about, where there is no incident yet."""
    channel: str | None = None
    """Where it speaks, where it belongs to no incident."""
    began_at: datetime
    state: DeadlineState = DeadlineState.WAITING
    outcome: str = ""
    """What happened when it passed, or what cleared it."""
