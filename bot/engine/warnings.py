"""Warnings: one message each in the alerts channel, its diagnosis in the thread below where a runbook names it.

An alert that flaps is one message: that it fires again goes into its thread.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.domain.cards import Button, NoticeCard, SignalCard
from bot.domain.deadline import Deadline
from bot.domain.probe import State
from bot.domain.signal import Signal
from bot.engine.diagnosis import Diagnosis
from bot.engine.persistence import until_available
from bot.ports import Chat, Journal, MessageRef, Store
from bot.runbooks import Runbooks

OPEN_LABEL = "Open incident"
Warned = Callable[[Signal], Awaitable[Deadline | None]]
"""Sets a warning's deadline, where its runbook has one."""
_FLAPPING = timedelta(hours=1)
"""An alert that fires again this soon after its last message is the same trouble."""


class Warnings:
    """Durable workflows, each about one Signal."""

    def __init__(
        self, *, store: Store, chat: Chat, runbooks: Runbooks, diagnosis: Diagnosis, alerts_channel: str
    ) -> None:
        self._store = store
        self._chat = chat
        self._runbooks = runbooks
        self._diagnosis = diagnosis
        self._alerts_channel = alerts_channel

    async def warn(self, journal: Journal, signal_key: str, *, deadline: Warned) -> None:
        """Show a warning, with the way to make it an incident; diagnose it; say that it is over where it is."""
        await journal.step("warn", lambda: self._show(signal_key, deadline), type(None))
        await journal.step("diagnosis", lambda: self._diagnose(signal_key), type(None))
        # It may have been over before it was shown, when nobody could say so under it.
        await journal.step("calm", lambda: self._calm_if_over(signal_key), type(None))

    async def calm(self, journal: Journal, signal_key: str) -> None:
        """Say under a warning that it is over; nothing where nothing was shown."""
        await journal.step("calm", lambda: self._calm(signal_key), type(None))

    async def _show(self, signal_key: str, deadline: Warned) -> None:
        signal = await self._signal(signal_key)
        before, due = await self._shown_before(signal), await deadline(signal)
        if before is None:
            card = SignalCard(signal, (Button(OPEN_LABEL, signal.key),), due)
            await until_available(lambda: self._chat.post(self._alerts_channel, card, key=shown_as(signal.key)))
            return
        again = NoticeCard(State.BAD, f"{signal.name} fires again.", quote=signal.summary)
        message = await until_available(
            lambda: self._chat.post(before.channel, again, key=f"again:{signal.key}", thread=before.ts)
        )
        # What is said about this firing goes into the same thread.
        await self._store.keep_posted(shown_as(signal.key), MessageRef(message.channel, before.ts))

    async def _shown_before(self, signal: Signal) -> MessageRef | None:
        """Where the same alert was shown within the hour."""
        starts = [key for key in await self._store.starts(signal.fingerprint) if key != signal.key]
        recent = [key for key in starts if timedelta(0) <= signal.starts_at - _start(key) < _FLAPPING]
        for key in recent:
            shown = await self._store.posted(shown_as(key))
            if shown is not None:
                return shown
        return None

    async def _diagnose(self, signal_key: str) -> None:
        signal = await self._signal(signal_key)
        named = self._runbooks.for_alert(signal.name)
        runbook = named or self._runbooks.nearest(signal.name)
        shown = await self._store.posted(shown_as(signal_key))
        if runbook is None or shown is None:
            return
        key = f"diagnosis:{signal_key}"
        await until_available(
            lambda: self._diagnosis.post(
                runbook, shown.channel, key, thread=shown.ts, incident_id=None, suggested=named is None
            )
        )

    async def _calm_if_over(self, signal_key: str) -> None:
        signal = await self._signal(signal_key)
        if await self._store.signal(signal.end_key) is not None:
            await self._calm(signal.end_key)

    async def _calm(self, signal_key: str) -> None:
        signal = await self._signal(signal_key)
        shown = await self._store.posted(shown_as(signal.start_key))
        if shown is None:
            return
        card = NoticeCard(State.OK, f"{signal.name} is resolved.")
        await until_available(lambda: self._chat.post(shown.channel, card, key=f"calm:{signal_key}", thread=shown.ts))

    async def _signal(self, signal_key: str) -> Signal:
        signal = await self._store.signal(signal_key)
        if signal is None:
            raise LookupError(f"no signal {signal_key}")
        return signal


def shown_as(start_key: str) -> str:
    """The key of the message that shows a warning, by the key of the Signal that it began."""
    return f"warning:{start_key}"


def _start(key: str) -> datetime:
    return datetime.fromisoformat(key.rsplit("/", 2)[1])
