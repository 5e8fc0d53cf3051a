"""The runbooks that this installation has: one that was added is here, one that clashes with another is said."""

from collections.abc import Sequence
from typing import Any

from bot.domain.probe import Finding, Probe, ok
from bot.runbooks import discover
from bot.wiring.checks.check import check


def checks() -> Sequence[Probe[Any]]:
    """One line for all of them."""
    return [check("runbooks", "Runbooks", _found, mend="Give one of the two another key or alert, in bot/runbooks/.")]


async def _found() -> Finding:
    found = discover()
    return ok(f"{len(found.by_key)} for {len(found.by_alert)} alerts: {', '.join(found.by_key)}")
