"""Incidents: what a critical Signal opens. Names, states and the timeline's entries."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.domain.signal import Severity
from bot.errors import RefusedError

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
"""An incident's, the worst first (Incident Response Checklist, "Identify severity")."""

_LONGEST_CHANNEL_NAME = 80
"""Slack's limit for a channel name."""
_SUFFIX = 4


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Incident(BaseModel):
    """One incident, as stored. One open incident per `topic`, whatever the number of alerts."""

    model_config = ConfigDict(frozen=True)

    id: str
    topic: str
    """What makes two alerts one incident: the runbook's key, or ``alert:`` and the alert's name."""
    runbook: str | None
    title: str
    severity: Severity
    state: IncidentState
    opened_at: datetime
    labels: Mapping[str, str] = {}
    """Of the first Signal; from outside."""
    summary: str = ""
    """The first alert's own words; from outside."""
    impact: str = ""
    channel: str | None = None
    """Slack's id, once the channel exists."""
    channel_name: str = ""
    card: str | None = None
    """`ts` of the incident's first message."""
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    """The first time: an incident that was reopened keeps it."""
    lead: str | None = None
    """Who leads the response: a Slack user id."""
    resolution: str = ""
    """Why it is over, in the words of whoever resolved it."""
    archived: bool = False
    """Whether its channel was archived on purpose."""
    revision: int = 0
    """How many changes its life has seen: names the workflow that shows each of them."""

    @property
    def is_open(self) -> bool:
        """Whether further Signals join it."""
        return self.state in {IncidentState.OPEN, IncidentState.ACKNOWLEDGED}

    @property
    def page_key(self) -> str:
        """PagerDuty's dedup key: stable, so that any number of alerts is one page."""
        return f"musd-{self.id}"

    @property
    def pages(self) -> bool:
        """Whether somebody is woken for it."""
        return self.severity is Severity.CRITICAL


class TimelineEntry(BaseModel):
    """One line of an incident's record, ordered by when it happened."""

    model_config = ConfigDict(frozen=True)

    incident_id: str
    key: str
    """Makes writing it twice one entry."""
    at: datetime
    actor: str
    """A Slack user id, or ``bot``."""
    text: str
    evidence: Mapping[str, Any] = {}


class Change(BaseModel):
    """What a step in an incident's life does to the record, and how the timeline tells it."""

    model_config = ConfigDict(frozen=True)

    kind: str
    """Such as ``acknowledged``; the workflow that shows the change goes by it."""
    text: str
    fields: Mapping[str, Any]


Step = Callable[[Incident], Change]
"""Looks at an incident as it is. Raises `RefusedError` where the step makes no sense."""


def of_alert(severity: Severity) -> Severity:
    """The severity of an incident that an alert of this severity opens: critical → Critical, warning → Medium."""
    return severity if severity in SEVERITIES else Severity.MEDIUM


def acknowledge(incident: Incident, person: str, at: datetime) -> Change:
    """Somebody is on it. Who acknowledges an incident without a lead leads it.

    Raises:
        RefusedError: somebody is on it already, or it is over.
    """
    _must_be_open(incident, "acknowledged")
    if incident.state is IncidentState.ACKNOWLEDGED:
        raise RefusedError("This incident is acknowledged already.", means="Nothing was changed.")
    fields = {
        "state": IncidentState.ACKNOWLEDGED,
        "acknowledged_at": incident.acknowledged_at or at,
        "lead": incident.lead or person,
    }
    return Change(kind="acknowledged", text="Acknowledged", fields=fields)


def set_severity(incident: Incident, severity: Severity) -> Change:
    """Up or down.

    Raises:
        RefusedError: it has that severity, it is none of an incident's, or the incident is over.
    """
    _must_be_open(incident, "given another severity")
    if severity not in SEVERITIES:
        raise RefusedError(
            f"An incident can't be {severity}.", means="Nothing was changed.", next_step="Use critical, high or medium."
        )
    if severity is incident.severity:
        raise RefusedError(f"This incident's severity is {severity} already.", means="Nothing was changed.")
    way = "lowered" if SEVERITIES.index(severity) > _rank(incident.severity) else "raised"
    text = f"Severity {way} from {incident.severity} to {severity}"
    return Change(kind=way, text=text, fields={"severity": severity})


def lead(incident: Incident, person: str) -> Change:
    """Who leads the response from now on.

    Raises:
        RefusedError: they lead it already, or the incident is closed.
    """
    if incident.state is IncidentState.CLOSED:
        raise _over(incident, "given a lead")
    if incident.lead == person:
        raise RefusedError(f"<@{person}> leads this incident already.", means="Nothing was changed.")
    return Change(kind="lead", text=f"<@{person}> leads", fields={"lead": person})


def resolve(incident: Incident, reason: str, at: datetime) -> Change:
    """It is over, and why.

    Raises:
        RefusedError: it was over already, or no reason was given.
    """
    _must_be_open(incident, "resolved")
    if not reason.strip():
        raise RefusedError(
            "Resolving takes a reason.", means="Nothing was changed.", next_step="Say what ended it, in a sentence."
        )
    fields = {"state": IncidentState.RESOLVED, "resolved_at": at, "resolution": reason.strip()}
    return Change(kind="resolved", text=f"Resolved: {reason.strip()}", fields=fields)


def reopen(incident: Incident, reason: str) -> Change:
    """It is not over after all.

    Raises:
        RefusedError: it is open, or its channel was archived.
    """
    if incident.is_open:
        raise RefusedError("This incident is open.", means="Nothing was changed.")
    if incident.archived:
        raise RefusedError(
            "This incident's channel is archived.", means="Nothing was changed.", next_step="Open a new incident."
        )
    state = IncidentState.ACKNOWLEDGED if incident.acknowledged_at else IncidentState.OPEN
    text = f"Reopened: {reason.strip()}" if reason.strip() else "Reopened"
    return Change(kind="reopened", text=text, fields={"state": state, "resolved_at": None, "resolution": ""})


def close(incident: Incident) -> Change:
    """Nothing is left to do about it.

    Raises:
        RefusedError: it is not resolved, or closed already.
    """
    if incident.state is IncidentState.CLOSED:
        raise RefusedError("This incident is closed already.", means="Nothing was changed.")
    if incident.is_open:
        raise RefusedError(
            "This incident is still open.", means="Nothing was changed.", next_step="Resolve it first, with a reason."
        )
    return Change(kind="closed", text="Closed", fields={"state": IncidentState.CLOSED})


def archive(incident: Incident) -> Change:
    """Put its channel away.

    Raises:
        RefusedError: it is not closed, or archived already.
    """
    if incident.archived:
        raise RefusedError("This incident's channel is archived already.", means="Nothing was changed.")
    if incident.state is not IncidentState.CLOSED:
        raise RefusedError(
            "Only a closed incident's channel is archived.",
            means="Nothing was changed.",
            next_step="Resolve it and close it first.",
        )
    return Change(kind="archived", text="Channel archived", fields={"archived": True})


def _must_be_open(incident: Incident, what: str) -> None:
    if not incident.is_open:
        raise _over(incident, what)


def _over(incident: Incident, what: str) -> RefusedError:
    return RefusedError(
        f"This incident is {incident.state}: it can't be {what}.",
        means="Nothing was changed.",
        next_step="Reopen it first, if it is not over.",
    )


def _rank(severity: Severity) -> int:
    """Where a severity stands; incidents of before may have one that none can be given now."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def channel_name(slug: str, incident_id: str, opened_at: datetime) -> str:
    """``inc-YYYYMMDD-slug-xxxx`` in Slack's alphabet, at most 80 characters; xxxx is the end of the incident's id."""
    safe = re.sub(r"[^a-z0-9_-]+", "-", slug.lower()).strip("-") or "alert"
    head, tail = f"inc-{opened_at:%Y%m%d}-", f"-{incident_id[-_SUFFIX:]}"
    return head + safe[: _LONGEST_CHANNEL_NAME - len(head) - len(tail)] + tail
