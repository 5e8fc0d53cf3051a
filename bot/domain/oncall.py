"""Who is called for what: the runbooks' *On-Call Contacts*, and what PagerDuty says about the people behind them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class OnCallRole(StrEnum):
    """A row of the table *On-Call Contacts*: whose people are woken."""

    PROTOCOL = "protocol"
    INFRASTRUCTURE = "infra"
    SECURITY = "security"

    @property
    def label(self) -> str:
        """As the table names it."""
        return _TITLES[self]


_TITLES = {
    OnCallRole.PROTOCOL: "Protocol Engineering",
    OnCallRole.INFRASTRUCTURE: "Infrastructure",
    OnCallRole.SECURITY: "Security",
}


class Contact(BaseModel):
    """What stands in a row of the table."""

    model_config = ConfigDict(frozen=True)

    policy: str
    """The name of the PagerDuty escalation policy."""
    channel: str
    """The Slack channel's name, without the ``#``."""


Contacts = Mapping[OnCallRole, Contact]
"""The whole table."""


class Shift(BaseModel):
    """A time in which somebody is on call."""

    model_config = ConfigDict(frozen=True)

    name: str
    email: str
    """By which Slack knows the same person; empty where PagerDuty does not tell."""
    level: int
    """Of the escalation policy: 1 is woken first."""
    since: datetime | None
    """None: always."""
    until: datetime | None
    """None: always."""

    def covers(self, moment: datetime) -> bool:
        """Whether it is under way then."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


def present(shifts: Sequence[Shift], moment: datetime) -> Sequence[Shift]:
    """Those on call then, the first level first."""
    return sorted((one for one in shifts if one.covers(moment)), key=lambda one: one.level)


def following(shifts: Sequence[Shift], moment: datetime) -> Shift | None:
    """Who is next at the first level."""
    later = [one for one in shifts if one.level == 1 and one.since is not None and one.since > moment]
    return min(later, key=lambda one: one.since or moment, default=None)
