"""Alerts as Alertmanager sends them: webhook version 4, posted to the bot with its bearer token."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientSession, ClientTimeout

_NEVER = "0001-01-01T00:00:00Z"
_URL = "http://alertmanager.practice.invalid:9093"


@dataclass(frozen=True)
class Alert:
    """One of the protocol's Prometheus alerts."""

    name: str
    severity: str
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_labels(self) -> dict[str, str]:
        """Its labels, as they come out of Prometheus."""
        return {"alertname": self.name, "severity": self.severity, "team": "protocol", **self.labels}


def webhook(alert: Alert, started: datetime, ended: datetime | None = None) -> dict[str, Any]:
    """The body of the webhook: firing, or resolved at `ended`."""
    status, labels = ("resolved" if ended else "firing"), alert.all_labels
    annotations = {"summary": alert.summary, "description": alert.summary}
    one = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _rfc3339(started),
        "endsAt": _rfc3339(ended) if ended else _NEVER,
        "generatorURL": f"http://prometheus.practice.invalid:9090/graph?g0.expr={alert.name}",
        "fingerprint": hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{alert.name}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "musd-bot",
        "groupLabels": {"alertname": alert.name},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": _URL,
        "alerts": [one],
    }


async def send(bot: str, token: str, body: Mapping[str, Any]) -> int:
    """Post it to the bot's HTTP port; the status it answered. Raises aiohttp's errors when it isn't there."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession(timeout=ClientTimeout(total=10)) as session,
        session.post(f"{bot}/alertmanager", json=body, headers=headers) as answer,
    ):
        return answer.status


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
