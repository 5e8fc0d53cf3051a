"""The light for "could we pause right now?": looked at every block's length, a metric, and a warning when it turns red.

It blocks no pause; it says in quiet times what would be a surprise in an incident.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from bot.domain.cards import NoticeCard, UrgentCard
from bot.domain.policy import Role
from bot.domain.probe import Finding, State
from bot.engine.persistence import until_available
from bot.ports import Chat, Reads, Roster
from bot.probes import pausing

READY = Gauge("musd_pause_ready", "1 when the emergency pause could be sent now, 0 when not, -1 when nobody knows")
_VALUES = {State.OK: 1, State.BAD: 0, State.UNKNOWN: -1}
_SURE = 2
"""Looks in a row that must agree before people are told: one slow answer wakes nobody."""
_CALLED = 20
"""Mentions in one message at most."""

log = structlog.get_logger()


class Readiness:
    """Run by the one that leads."""

    def __init__(self, *, reads: Reads, chat: Chat, roster: Roster, alerts_channel: str, every: timedelta) -> None:
        self._reads = reads
        self._chat = chat
        self._roster = roster
        self._alerts_channel = alerts_channel
        self._every = every.total_seconds()
        self._told = State.OK
        self._row: list[State] = []
        self._probe = pausing.ready()

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("the readiness of the pause could not be told")
            await asyncio.sleep(self._every)

    async def look(self) -> Finding:
        """One look; people are told where the light has changed for sure."""
        finding = await self._probe.run(self._reads, self._reads.limits.patience)
        READY.set(_VALUES[finding.state])
        self._row = [*self._row, finding.state][-_SURE:]
        sure = len(self._row) == _SURE and len(set(self._row)) == 1
        if sure and finding.state is not self._told:
            self._told = finding.state
            await self._tell(finding)
        return finding

    async def _tell(self, finding: Finding) -> None:
        key = f"readiness:{datetime.now(UTC).isoformat()}"
        card: NoticeCard | UrgentCard = NoticeCard(State.OK, f"A pause would go through again: {finding.summary}.")
        if finding.state is not State.OK:
            word = "would NOT go through" if finding.state is State.BAD else "may not go through: nobody knows"
            people = tuple(self._roster.holders(Role.GUARDIAN))[:_CALLED]
            text = (
                "Mend this before it is needed. It holds no pause back: one would still be sent, and say what failed."
            )
            quote = finding.evidence or finding.summary
            card = UrgentCard(f"An emergency pause {word}", text, people, quote=quote)
        log.warning("pause_readiness_changed", state=finding.state, summary=finding.summary)
        await until_available(lambda: self._chat.post(self._alerts_channel, card, key=key), within=timedelta(minutes=1))
