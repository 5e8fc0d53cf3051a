"""What a person's App Home shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.approval import Proposal
from bot.domain.cards import OnCallRow
from bot.domain.incident import Incident
from bot.domain.policy import Role
from bot.domain.probe import Finding


@dataclass(frozen=True)
class Waiting:
    """A Proposal that this person may still vote on."""

    proposal: Proposal
    channel: str
    """The id of the channel it is in; empty while it is not posted."""


@dataclass(frozen=True)
class HomeBoard:
    """Everything at a glance, for one person."""

    at: datetime
    role: Role | None
    """None: somebody who may see nothing of it."""
    missing: Sequence[str] = ()
    """What keeps the bot from being ready."""
    ready: Finding | None = None
    """Whether the emergency pause could be sent now; None where there is nothing to pause."""
    incidents: Sequence[Incident] = ()
    """The open ones, the oldest first."""
    waiting: Sequence[Waiting] = ()
    oncall: Sequence[OnCallRow] = ()
    pauses: bool = False
    """Whether there is something to pause here."""
