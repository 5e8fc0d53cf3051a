"""The runbooks' *Incident Response Checklist*: its eleven items, in its order, and who ticked which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Item:
    """One line of the checklist."""

    key: str
    text: str
    seen: bool = False
    """Whether the bot can see by itself that it is done, and ticks it with the evidence."""


FIXED = "production"
"""The item whose tick begins the hour of the item after it."""

CHECKLIST = (
    Item("severity", "Identify severity (Critical / High / Medium)"),
    Item("pause", "If Critical: trigger the emergency pause", seen=True),
    Item("page", "Notify the on-call engineer via PagerDuty", seen=True),
    Item("channel", "Open an incident channel in Slack", seen=True),
    Item("logs", "Collect logs from all affected services", seen=True),
    Item("cause", "Identify the root cause"),
    Item("staging", "Deploy the fix to staging, verify"),
    Item(FIXED, "Deploy the fix to production"),
    Item("monitored", "Monitor for 1 hour post-fix", seen=True),
    Item("postmortem", "Write the post-mortem within 48 hours", seen=True),
    Item("runbooks", "Update the runbooks if needed"),
)


class Tick(BaseModel):
    """An item that is done: by whom, when, and how one knows."""

    model_config = ConfigDict(frozen=True)

    incident_id: str
    item: str
    at: datetime
    actor: str
    """A Slack user id, or ``bot``."""
    evidence: str = ""


def item(key: str) -> Item | None:
    """The item of this key."""
    return next((one for one in CHECKLIST if one.key == key), None)


def undone(ticks: Sequence[Tick]) -> list[Item]:
    """What is left, in order."""
    done = {one.item for one in ticks}
    return [one for one in CHECKLIST if one.key not in done]
