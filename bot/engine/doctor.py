"""The doctor: everything that can be checked without changing anything, side by side."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.cards import DoctorCard
from bot.domain.probe import Probe
from bot.engine.asking import ask, lines, unseen
from bot.ports import Chat, Reads


class Doctor:
    """Runs the checks. One that hangs costs nothing but its own line."""

    def __init__(self, reads: Reads, chat: Chat, checks: Sequence[Probe[Reads]]) -> None:
        self._reads = reads
        self._chat = chat
        self._checks = checks

    async def examine(self) -> DoctorCard:
        """Every check with its Finding."""
        findings = await ask(self._checks, self._reads, unseen)
        return DoctorCard(lines(self._checks, findings), datetime.now(UTC))

    async def show(self, channel: str, key: str) -> None:
        """The same in a channel: at once, then with its answers."""
        waiting = DoctorCard(lines(self._checks, {}), datetime.now(UTC))
        message = await self._chat.post(channel, waiting, key=key)
        await self._chat.edit(message, await self.examine())
