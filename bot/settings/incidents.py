"""The times of an incident: rechecks, deadlines, watches."""

from datetime import timedelta

from pydantic import BaseModel, Field

from bot.settings.kinds import Seconds


class IncidentSettings(BaseModel):
    """The times of an incident: rechecks, deadlines, watches."""

    pause_lives: Seconds = Field(
        default=timedelta(minutes=10),
        gt=timedelta(0),
        le=timedelta(minutes=10),
        description="Seconds a pause proposal can be confirmed: configuration may make it shorter, never longer.",
    )
    recheck: Seconds = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        description="Seconds between looks, while an alert says resolved and the probes do not agree yet.",
    )
    escalate_after: Seconds | None = Field(
        default=None,
        description="Seconds until an incident's escalation; each runbook's own number when unset (the relay: 900).",
    )
    watch_for: Seconds = Field(
        default=timedelta(hours=1),
        gt=timedelta(0),
        description="Seconds of watching after an unpause or a fix (Unpause Procedure, step 4).",
    )
    watch_every: Seconds = Field(
        default=timedelta(minutes=5), gt=timedelta(0), description="Seconds between two looks while watching."
    )
    postmortem_due: Seconds = Field(
        default=timedelta(hours=48),
        gt=timedelta(0),
        description="Seconds from the end of an incident to its post-mortem (Incident Response Checklist).",
    )
