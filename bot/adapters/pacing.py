"""Pacing: Slack takes about one message per second and channel. A lane keeps to it.

New messages go one a second, the urgent ones first. Edits, which Slack counts apart, have a lane of their own, so that
progress fills in at once: a few go without waiting, and several of one message that wait are one edit: the newest.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any, TypeVar, cast

from prometheus_client import Gauge

T = TypeVar("T")

WAITING = Gauge("musd_slack_waiting", "Messages and edits that wait for their turn in Slack")

BURST = 3
"""Edits that go without waiting when the channel was quiet."""


class Rank(IntEnum):
    """Who goes first."""

    URGENT = 0
    POST = 1
    EDIT = 2


@dataclass(order=True)
class _Waiting:
    rank: int
    order: int
    work: Callable[[], Awaitable[Any]] = field(compare=False)
    done: asyncio.Future[Any] = field(compare=False)
    edits: str | None = field(compare=False)


class Lane:
    """One channel's way out, for messages or for edits: one at a time, the first by rank and then by age."""

    def __init__(self, interval: float, burst: int = BURST) -> None:
        """`interval` is in seconds, between two messages once the burst is used up."""
        self._interval = interval
        self._burst = burst
        self._free_at = float("-inf")
        self._waiting: list[_Waiting] = []
        self._edits: dict[str, _Waiting] = {}
        self._count = count()
        self._worker: asyncio.Task[None] | None = None

    async def send(self, work: Callable[[], Awaitable[T]], rank: Rank) -> T:
        """Run `work` when its turn comes, and return what it returns, or raise what it raises.

        A caller that is cancelled stops waiting; the work is done all the same.
        """
        return cast("T", await asyncio.shield(self._enter(work, rank, None).done))

    async def edit(self, message: str, work: Callable[[], Awaitable[object]], rank: Rank) -> None:
        """As `send`, except that a later edit of the same message takes the place of one that still waits.

        Returns when this edit, or the one that replaced it, is done.
        """
        waiting = self._edits.get(message)
        if waiting is None:
            waiting = self._edits[message] = self._enter(work, rank, message)
        waiting.work = work
        if rank < waiting.rank:
            waiting.rank = rank
            heapq.heapify(self._waiting)
        await asyncio.shield(waiting.done)

    async def close(self) -> None:
        """Stop. What still waits is not sent, and those who wait for it are told so by a cancellation."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        WAITING.dec(len(self._waiting))
        for one in self._waiting:
            one.done.cancel()

    def _enter(self, work: Callable[[], Awaitable[Any]], rank: Rank, edits: str | None) -> _Waiting:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # Read the exception here, so that one nobody waits for any more is not reported as lost.
        done.add_done_callback(lambda future: future.cancelled() or future.exception())
        entry = _Waiting(rank, next(self._count), work, done, edits)
        heapq.heappush(self._waiting, entry)
        WAITING.inc()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return entry

    async def _work(self) -> None:
        while self._waiting:
            await self._turn()
            entry = heapq.heappop(self._waiting)
            WAITING.dec()
            if entry.edits is not None:
                del self._edits[entry.edits]
            try:
                entry.done.set_result(await entry.work())
            except asyncio.CancelledError:
                entry.done.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for it
                entry.done.set_exception(error)

    async def _turn(self) -> None:
        """Wait until one more may go: a bucket of `burst`, refilled once per interval, written as one moment."""
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time() - self._burst * self._interval) + self._interval
        await asyncio.sleep(max(0.0, self._free_at - loop.time()))
