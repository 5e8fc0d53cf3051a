"""What PagerDuty's webhooks (version 3) say about a page: the signature they come with, and how they are read."""

import hashlib
import hmac
import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import MalformedError

KINDS = (
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.reassigned",
    "incident.escalated",
    "incident.delegated",
)
"""The event types that mean something here; any other is taken and forgotten."""


class PageEvent(BaseModel):
    """One thing that happened to a page over there."""

    model_config = ConfigDict(frozen=True)

    id: str
    """PagerDuty's own, the same at every delivery."""
    kind: str
    at: datetime
    key: str
    """The dedup key of the page."""
    agent: str = ""
    """Who did it, as PagerDuty calls them."""
    agent_id: str = ""
    by_a_person: bool = False
    """False for integrations, such as our own, and for PagerDuty's timers."""
    assignees: tuple[str, ...] = ()
    """Who has the page now."""
    policy: str = ""


def signed(body: bytes, header: str, secret: str) -> bool:
    """Whether one of the header's signatures (``v1=…, v1=…``) is of this body; several while a secret is replaced."""
    if not secret:
        return False
    wanted = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(one.strip().encode(errors="replace"), wanted.encode()) for one in header.split(","))


def parse(body: bytes) -> PageEvent | None:
    """Read a webhook's body; None where it is about nothing that is known here, such as PagerDuty's own test.

    Raises:
        MalformedError: it is no webhook of version 3.
    """
    try:
        event = json.loads(body)["event"]
        kind, page = str(event["event_type"]), event.get("data") or {}
        if kind not in KINDS or not page.get("incident_key"):
            return None
        agent = event.get("agent") or {}
        return PageEvent(
            id=str(event["id"]),
            kind=kind,
            at=event["occurred_at"],
            key=str(page["incident_key"]),
            agent=str(agent.get("summary") or "PagerDuty"),
            agent_id=str(agent.get("id") or ""),
            by_a_person=str(agent.get("type") or "").startswith("user"),
            assignees=tuple(str(one.get("summary") or one["id"]) for one in page.get("assignees") or []),
            policy=str((page.get("escalation_policy") or {}).get("summary") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        raise MalformedError(
            f"This is not a webhook of PagerDuty's version 3: {type(error).__name__}.",
            means="Nothing of it was stored.",
        ) from error
