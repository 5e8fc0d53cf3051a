"""The runbooks: one file each, found by themselves. Two that claim one key or one alert are refused at start."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.runbook import Runbook
from bot.errors import ConfigurationError
from bot.ports import Reads


@dataclass(frozen=True)
class Runbooks:
    """Every runbook, by key and by alert name."""

    by_key: Mapping[str, Runbook[Reads]]
    by_alert: Mapping[str, Runbook[Reads]]

    def for_alert(self, name: str) -> Runbook[Reads] | None:
        """The runbook that names this alert."""
        return self.by_alert.get(name)

    def nearest(self, name: str) -> Runbook[Reads] | None:
        """The runbook to suggest for an alert that none names; None where none is obvious."""
        return next((one for one in self.by_key.values() if name in one.near), None)


def discover() -> Runbooks:
    """All modules of this package that hold a `RUNBOOK`."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return collect(module.RUNBOOK for module in modules)


def collect(runbooks: Iterable[Runbook[Reads]]) -> Runbooks:
    """Put them in order.

    Raises:
        ConfigurationError: two claim the same key or alert, or one asks the same question twice.
    """
    by_key: dict[str, Runbook[Reads]] = {}
    by_alert: dict[str, Runbook[Reads]] = {}
    for runbook in runbooks:
        _claim(by_key, runbook.key, runbook)
        for alert in runbook.alerts:
            _claim(by_alert, alert, runbook)
        keys = [probe.key for probe in runbook.probes]
        if len(set(keys)) < len(keys):
            raise ConfigurationError(f"The runbook {runbook.title} has two probes of one key.")
    return Runbooks(by_key, by_alert)


def _claim(owners: dict[str, Runbook[Reads]], name: str, runbook: Runbook[Reads]) -> None:
    owner = owners.setdefault(name, runbook)
    if owner is not runbook:
        raise ConfigurationError(f"Both {owner.title} and {runbook.title} claim {name!r}.")
