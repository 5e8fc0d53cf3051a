"""How bad an alert is and whose it is, with what configuration says instead (the runbooks' *Alerting Channels*)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from bot.domain.oncall import OnCallRole
from bot.domain.signal import Severity

E = TypeVar("E", bound=StrEnum)
TEAM = "team:"
"""How an override begins that is about every alert with this ``team`` label, and not about one alert."""


@dataclass(frozen=True)
class Routing:
    """Overrides by alert name, or by ``team:`` and the alert's team label. An alert's own goes before its team's."""

    severities: Mapping[str, Severity] = field(default_factory=dict)
    roles: Mapping[str, OnCallRole] = field(default_factory=dict)

    def severity(self, labels: Mapping[str, str], labelled: Severity | None, runbook: Severity | None) -> Severity:
        """Configuration before the alert's label, that before its runbook; what nothing is known about is a warning."""
        return _override(self.severities, labels) or labelled or runbook or Severity.WARNING

    def role(self, labels: Mapping[str, str], runbook: OnCallRole | None) -> OnCallRole:
        """Configuration before the runbook, that before a team label that is a role's own name; else protocol."""
        return _override(self.roles, labels) or runbook or _role(labels.get("team", "")) or OnCallRole.PROTOCOL


def overrides(entries: Iterable[str], kind: type[E]) -> Mapping[str, E]:
    """``RelayServiceDown=warning`` and ``team:treasury=critical`` as a table.

    Raises:
        ValueError: an entry is not of that form, or its right side is not one of the words there are.
    """
    found = {}
    for entry in entries:
        name, _, word = entry.rpartition("=")
        if not name or word not in set(kind):
            raise ValueError(f"{entry!r} is not name=word or team:name=word with one of {', '.join(kind)}")
        found[name] = kind(word)
    return found


def _override(table: Mapping[str, E], labels: Mapping[str, str]) -> E | None:
    return table.get(labels.get("alertname", "")) or table.get(f"{TEAM}{labels.get('team', '')}")


def _role(name: str) -> OnCallRole | None:
    return OnCallRole(name) if name in set(OnCallRole) else None
