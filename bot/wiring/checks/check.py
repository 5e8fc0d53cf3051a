"""A check: a Probe whose Finding, where it is not OK, says how to mend it (`facts["mend"]`)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from bot.domain.probe import Finding, Probe, bad, unknown
from bot.errors import ConfigurationError, UnavailableError

P = TypeVar("P")
TIMEOUT = 10.0
"""Seconds. All checks run side by side: the slowest one is what a doctor takes."""


def check(key: str, title: str, ask: Callable[[], Awaitable[Finding]], *, mend: str = "") -> Probe[Any]:
    """A Probe from a question that needs no port.

    Args:
        key: such as ``slack:token``.
        title: for people.
        ask: the question. What it raises becomes BAD where a setting is to blame, else UNKNOWN.
        mend: what to do where the Finding is not OK and does not say so itself.
    """

    async def asked(_: object) -> Finding:
        return await ask()

    return mended(Probe(key, title, asked, timeout=TIMEOUT), mend)


def mended(probe: Probe[P], mend: str) -> Probe[P]:
    """A Probe whose Finding says how to mend what is not OK."""

    async def asked(reads: P) -> Finding:
        try:
            finding = await probe.ask(reads)
        except ConfigurationError as error:
            finding = bad(error.happened, mend=mend or error.next_step)
        except UnavailableError as error:
            # What trying again can't help is an answer, such as a token that Slack does not know.
            finding = (bad if error.lasting else unknown)(error.happened, mend=mend or error.next_step)
        if finding.ok or finding.facts.get("mend"):
            return finding
        return replace(finding, facts={**finding.facts, "mend": mend})

    return replace(probe, ask=asked)
