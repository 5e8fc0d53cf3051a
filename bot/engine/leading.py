"""Leading, and standing by until then. Both take webhooks and what Slack sends; only the leader runs workflows."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from prometheus_client import Gauge

from bot.engine.durable import Durable
from bot.engine.leader import LeaderLock
from bot.errors import UnavailableError

_AGAIN = 0.2
"""Seconds between two tries for the lock: most of what a handover takes is the engine's launch behind it."""
LEADS = Gauge("musd_leads", "1 in the process that runs the workflows, 0 in one that stands by")

log = structlog.get_logger()


async def lead(lock: LeaderLock, durable: Durable, work: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """Wait for the lock, then run the workflows and `work` until cancelled; returns when the lock is lost.

    What a standby takes in is stored, or handed over through the engine's database. The lock is not released here: the
    caller does it once everything that could still act is closed.
    """
    LEADS.set(0)
    if not await _try(lock):
        log.info("standing by: another process leads")
        await durable.stand_by()
        while not await _try(lock):  # noqa: ASYNC110 - whoever gives it back is another process
            await asyncio.sleep(_AGAIN)
    log.info("leading")
    await durable.launch()
    LEADS.set(1)
    tasks = [asyncio.create_task(one()) for one in work]
    try:
        await lock.lost.wait()
        log.error("the leader's lock is lost; stopping, so that nothing runs twice")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _try(lock: LeaderLock) -> bool:
    try:
        return await lock.acquire(wait=False)
    except UnavailableError as error:
        log.warning("nobody knows who leads", error=str(error))
        return False
