"""Asking many probes at once: each has its own timeout, and none waits for another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from prometheus_client import Counter, Histogram

from bot.domain.cards import Line
from bot.domain.probe import Finding, Findings, Probe
from bot.errors import BotError
from bot.ports import Reads

_TOGETHER = 0.15
"""Seconds in which answers share one edit: Slack takes few at once, and the verdict is not to wait for its turn."""
Progress = Callable[[tuple[Line, ...]], Awaitable[None]]
"""Told the lines as they fill in. Slowness or failure of its own holds no probe up."""

PROBES = Counter("musd_probes", "Probes that were asked, by what they found", ["probe", "state"])
SECONDS = Histogram("musd_probe_seconds", "Seconds a probe took to answer, or to give up", ["probe"])


async def ask(probes: Sequence[Probe[Reads]], reads: Reads, progress: Progress) -> Findings:
    """Run all probes side by side; the Findings by key, in the order of `probes`."""
    findings: dict[str, Finding] = {}
    changed = asyncio.Event()

    async def one(probe: Probe[Reads]) -> None:
        with SECONDS.labels(probe.key).time():
            finding = findings[probe.key] = await probe.run(reads, reads.limits.patience)
        PROBES.labels(probe.key, finding.state).inc()
        changed.set()

    async def tell() -> None:
        while len(findings) < len(probes):
            await changed.wait()
            await asyncio.sleep(_TOGETHER)
            changed.clear()
            if len(findings) < len(probes):  # the caller shows the last one, with its verdict
                with suppress(BotError):  # a progress that can't be shown costs no answer
                    await progress(lines(probes, findings))

    telling = asyncio.create_task(tell())
    try:
        async with asyncio.TaskGroup() as group:
            for probe in probes:
                group.create_task(one(probe))
    finally:
        telling.cancel()
    return {probe.key: findings[probe.key] for probe in probes}


def lines(probes: Sequence[Probe[Reads]], findings: Findings) -> tuple[Line, ...]:
    """One line a probe, with what is known so far."""
    return tuple(Line(probe.title, findings.get(probe.key)) for probe in probes)


async def unseen(_: tuple[Line, ...]) -> None:
    """Progress that nobody watches."""
