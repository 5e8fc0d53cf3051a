"""Signals: alerts firing or resolved, as Alertmanager's webhook version 4 sends them, or a person's report."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import MalformedError

WEBHOOK_VERSION = "4"
_LONGEST_NAME = 200


class Severity(StrEnum):
    """How bad. Alerts carry critical, warning or info; incidents are critical, high or medium, as in the checklist."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    WARNING = "warning"
    INFO = "info"


class SignalStatus(StrEnum):
    """Whether the alert began or ended."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Signal(BaseModel):
    """One alert beginning or ending. Unique by `key`: the same delivery twice is one Signal."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    starts_at: datetime
    status: SignalStatus
    name: str
    severity: Severity | None
    """As labelled; None where the label is missing or says something else: the runbook, or a warning, decides."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def key(self) -> str:
        """Fingerprint, start and status: what makes two deliveries the same Signal."""
        return f"{self.fingerprint}/{self.starts_at.isoformat()}/{self.status}"

    @property
    def start_key(self) -> str:
        """The key of the Signal that says that this alert began."""
        return f"{self.fingerprint}/{self.starts_at.isoformat()}/{SignalStatus.FIRING}"

    @property
    def end_key(self) -> str:
        """The key of the Signal that says that this alert is over."""
        return f"{self.fingerprint}/{self.starts_at.isoformat()}/{SignalStatus.RESOLVED}"

    @property
    def summary(self) -> str:
        """The alert's own words for people. Text from outside: to be escaped before it is shown."""
        return self.annotations.get("summary") or self.annotations.get("description") or self.name


class Delivery(BaseModel):
    """One webhook call: its Signals, and how many alerts Alertmanager itself left out (`truncatedAlerts`)."""

    model_config = ConfigDict(frozen=True)

    signals: tuple[Signal, ...]
    truncated: int


class _Alert(BaseModel):
    """One entry of `alerts`. Everything has a default: one odd alert never costs the others their delivery."""

    status: Any = None
    labels: Any = None
    annotations: Any = None
    startsAt: Any = None  # noqa: N815 - Alertmanager's spelling
    fingerprint: Any = None


class _Webhook(BaseModel):
    version: str
    alerts: list[_Alert]
    status: Any = None
    truncatedAlerts: int = 0  # noqa: N815 - Alertmanager's spelling


def parse_alertmanager(body: bytes, received_at: datetime) -> Delivery:
    """Read a webhook body into Signals.

    An alert without a name, severity, start or fingerprint is kept, with what can be said of it; only a body that
    is no version 4 webhook at all is refused, because Alertmanager does not retry after a 4xx.

    Raises:
        MalformedError: the body is not JSON, not an object, of another version, or without a list of alerts.
    """
    try:
        webhook = _Webhook.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise MalformedError(
            f"This is not an Alertmanager webhook: {where}: {first['msg']}.",
            means="Nothing of it was stored.",
            next_step='Send what Alertmanager sends: a JSON object with version "4" and a list of alerts.',
        ) from error
    if webhook.version != WEBHOOK_VERSION:
        raise MalformedError(
            f"Webhook version {webhook.version[:20]!r} is not known here.",
            means="Nothing of it was stored.",
            next_step=f'This bot reads version "{WEBHOOK_VERSION}", which Alertmanager has sent since 0.7.',
        )
    signals = tuple(_signal(alert, webhook.status, received_at) for alert in webhook.alerts)
    return Delivery(signals=signals, truncated=max(0, webhook.truncatedAlerts))


def _signal(alert: _Alert, group_status: Any, received_at: datetime) -> Signal:
    labels, annotations = _strings(alert.labels), _strings(alert.annotations)
    # The alert's own status counts: a group that still fires can carry alerts that have resolved. A tuple, because
    # what came may be unhashable.
    status = alert.status if alert.status in ("firing", "resolved") else group_status
    return Signal(
        fingerprint=alert.fingerprint if _is_text(alert.fingerprint) else _fingerprint(labels),
        starts_at=_time(alert.startsAt) or received_at,
        status=SignalStatus.RESOLVED if status == "resolved" else SignalStatus.FIRING,
        name=labels.get("alertname", "").strip()[:_LONGEST_NAME] or "UnnamedAlert",
        severity=_severity(labels.get("severity", "")),
        labels=labels,
        annotations=annotations,
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME


def _strings(value: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _severity(label: str) -> Severity | None:
    try:
        return Severity(label.strip().lower())
    except ValueError:
        return None


def _time(value: Any) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _fingerprint(labels: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
