"""Pictures: a reading over the last 24 hours with the runbooks' thresholds, put beside what people are reading."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from bot.domain.incident import Incident
from bot.domain.series import Panel, Series, Threshold
from bot.errors import BotError
from bot.ports import Chat, History, Limits
from bot.probes import reserves
from bot.runbooks import Runbooks
from bot.views import chart

EVERY = (Series.RESERVE_RATIO, Series.SHARE_PRICE, Series.ORACLE_PRICE, Series.SUPPLY, Series.LIQUIDATIONS)
"""What `/musd status` shows."""
_DAY = timedelta(hours=24)
_ALARMING = 0.95
"""Of the highest share price in the picture: a fall by 5 % alerts."""


class Pictures:
    """Draws and uploads them. A picture that can't be had costs nothing else."""

    def __init__(self, history: History, chat: Chat, runbooks: Runbooks, limits: Limits) -> None:
        self._history = history
        self._chat = chat
        self._runbooks = runbooks
        self._limits = limits

    async def show(self, channel: str, wanted: Sequence[Series], *, key: str, thread: str | None) -> None:
        """Upload one picture with a panel for each of `wanted`; once per `key`."""
        if not wanted:
            return
        with suppress(BotError):
            panels = [panel for one in wanted for panel in await self._panels(one)]
            content = await asyncio.to_thread(chart.png, panels)
            name = f"{'-'.join(one.name.lower().replace('_', '-') for one in wanted[:2])}-{key[-8:]}.png"
            alt = " ".join(panel.said for panel in panels)
            await self._chat.picture(channel, _plain(name), content, alt=alt, key=f"picture:{key}", thread=thread)

    async def of_incident(self, incident: Incident, *, key: str) -> None:
        """What the incident's runbook looks at, in its thread."""
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        if runbook is not None and incident.channel is not None:
            await self.show(incident.channel, runbook.pictures, key=key, thread=incident.card)

    async def _panels(self, one: Series) -> Sequence[Panel]:
        found = await self._history.series(one, _DAY)
        if one is Series.RESERVE_RATIO:
            limits = (
                ("monitor", reserves.FINE),
                ("pause mints", reserves.MONITOR),
                ("pause all", reserves.PAUSE_MINTS),
            )
            return (Panel("Reserve ratio", "%", 2, found, tuple(Threshold(name, float(v)) for name, v in limits)),)
        if one is Series.SHARE_PRICE:
            top = max((sample.value for sample in found), default=0.0)
            fall = (Threshold("5 % lower", top * _ALARMING),) if found else ()
            return (Panel("smUSD share price", "mUSD", 4, found, fall),)
        if one is Series.ORACLE_PRICE:
            ages = await self._history.series(Series.ORACLE_AGE, _DAY)
            stale = Threshold("stale", self._limits.price_max_age.total_seconds() / 60)
            return (Panel("Oracle price", "USD", 4, found), Panel("Its age", "min", 0, ages, (stale,)))
        if one is Series.SUPPLY:
            caps = await self._history.series(Series.CAP, _DAY)
            cap = (Threshold("cap", caps[-1].value),) if caps else ()
            return (Panel("Supply on both chains", "million mUSD", 2, found, cap),)
        surge = Threshold("surge", self._limits.liquidations)
        return (Panel("Liquidations within 10 min", "", 0, found, (surge,)),)


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in name)
