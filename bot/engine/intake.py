"""Taking Signals in: stored before their webhook is answered, or refused so that they are sent again."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.domain.signal import Delivery
from bot.errors import BotError, UnavailableError
from bot.ports import Chat, Store

_AT_ONCE = 2
"""Deliveries in memory at once: one may have 32 MB."""
_PATIENCE = 5.0
"""Seconds that a delivery waits for its turn; Alertmanager itself gives up after ten."""
OVERLOADS = Counter("musd_deliveries_refused", "Deliveries answered 503, which Alertmanager sends again")

log = structlog.get_logger()


class Intake:
    """Where deliveries come in, in every process: also in one that stands by."""

    def __init__(self, *, store: Store, chat: Chat, alerts_channel: str, arrived: Callable[[], None]) -> None:
        """`arrived` tells triage, where it runs."""
        self._store = store
        self._chat = chat
        self._alerts_channel = alerts_channel
        self._arrived = arrived
        self._room = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def room(self) -> AsyncIterator[None]:
        """Room for one delivery.

        Raises:
            UnavailableError: too many are being read and stored already; the sender has to try again.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._room.acquire()
        except TimeoutError:
            OVERLOADS.inc()
            raise UnavailableError(
                "The bot is taking in as much as it can.",
                means="Nothing of this delivery was stored.",
                next_step="Send it again, as Alertmanager does by itself.",
            ) from None
        try:
            yield
        finally:
            self._room.release()

    async def receive(self, delivery: Delivery) -> int:
        """Store what is new of a delivery; how many Signals that was. When this returns, nothing can be lost."""
        new = await self._store.keep_signals(delivery.signals, datetime.now(UTC))
        self._arrived()
        if delivery.truncated and new:
            await self._warn(
                f"Alertmanager left {delivery.truncated} alerts out of one delivery: look at Alertmanager itself, "
                "and raise or unset `max_alerts` of the receiver."
            )
        return new

    async def too_large(self, length: int | None) -> None:
        """Say that a delivery was refused for its size: somebody has to look at Alertmanager itself."""
        size = f"{length:,} bytes" if length else "a body without end"
        await self._warn(
            f"A delivery from Alertmanager was refused: {size} is more than this bot takes. Its alerts are NOT known "
            "here: look at Alertmanager itself, and set `max_alerts` of the receiver."
        )

    async def _warn(self, text: str) -> None:
        """The alerts are safe, or known to be lost; a notice that can't be posted is logged and changes neither."""
        log.warning("a delivery was not complete", text=text)
        key = f"notice:{secrets.token_hex(8)}"
        with suppress(BotError):
            await self._chat.post(self._alerts_channel, NoticeCard(State.BAD, text), key=key)
