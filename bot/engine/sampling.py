"""Reading the protocol again and again: metrics for Prometheus, and samples for the pictures.

A reading that nobody answers is a gap in the picture and NaN in the metric, never zero.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from bot.domain.series import Series
from bot.errors import BotError
from bot.ports import Reads, Samples

_HOURS = 24
_WINDOW = timedelta(minutes=10)
_MILLION = 1_000_000
_WITHIN = 20.0
"""Seconds for one reading of everything."""
GAUGES = {
    one: Gauge(f"musd_{one.value}", f"The protocol's {one.value.replace('_', ' ')}, as the bot reads it")
    for one in Series
}

log = structlog.get_logger()


class Sampling:
    """Run by the one that leads."""

    def __init__(self, reads: Reads, samples: Samples, every: timedelta) -> None:
        self._reads = reads
        self._samples = samples
        self._every = every.total_seconds()
        self._readings: Mapping[str, Callable[[], Awaitable[Mapping[Series, float]]]] = {
            "reserves": self._reserves,
            "share price": self._share_price,
            "oracle": self._oracle,
            "supply": self._supply,
            "liquidations": self._liquidations,
        }

    async def run(self) -> None:
        """Take samples, for ever; the day before first, where there are none and the chain still knows it."""
        try:
            await self._catch_up()
        except Exception:
            log.exception("the day before could not be read from the chain")
        try:
            while True:
                try:
                    await self.take()
                except Exception:
                    log.exception("the samples could not be kept")
                await asyncio.sleep(self._every)
        finally:
            _show({})  # whoever leads next says what it reads; an old reading beside it would be taken for one

    async def take(self) -> Mapping[Series, float]:
        """Read everything once, side by side, and keep it."""
        at = datetime.now(UTC)
        answers = await asyncio.gather(*(self._one(name) for name in self._readings))
        values = {series: value for answer in answers for series, value in answer.items()}
        _show(values)
        await self._samples.keep_samples(at, values)
        return values

    async def _one(self, name: str) -> Mapping[Series, float]:
        try:
            async with asyncio.timeout(_WITHIN):
                return await self._readings[name]()
        except (BotError, TimeoutError) as error:
            log.info("not sampled", reading=name, why=str(error))
            return {}

    async def _catch_up(self) -> None:
        """Reserves and share price of the last 24 hours: what the chain itself can still tell."""
        if await self._samples.series(Series.RESERVE_RATIO, timedelta(hours=_HOURS)):
            return
        for hours in range(_HOURS, 0, -1):
            ago = timedelta(hours=hours)
            try:
                now, share = await self._reads.protocol.reserves(ago), await self._reads.protocol.share_price(ago)
            except BotError as error:
                log.info("the chain does not tell of the day before", why=str(error))
                return
            values = {Series.SHARE_PRICE: float(share.price.exact)}
            if now.supply.value:
                values[Series.RESERVE_RATIO] = float(now.reserves.over(now.supply) * 100)
            await self._samples.keep_samples(now.at, values)

    async def _reserves(self) -> Mapping[Series, float]:
        now = await self._reads.protocol.reserves()
        return {Series.RESERVE_RATIO: float(now.reserves.over(now.supply) * 100)} if now.supply.value else {}

    async def _share_price(self) -> Mapping[Series, float]:
        return {Series.SHARE_PRICE: float((await self._reads.protocol.share_price()).price.exact)}

    async def _oracle(self) -> Mapping[Series, float]:
        found = await self._reads.protocol.oracle_price()
        age = (datetime.now(UTC) - found.updated_at).total_seconds() / 60
        return {Series.ORACLE_PRICE: float(found.price.exact), Series.ORACLE_AGE: max(0.0, age)}

    async def _supply(self) -> Mapping[Series, float]:
        """Both chains together, or nothing: half a supply is none."""
        here, there = await asyncio.gather(self._reads.protocol.supply(), self._reads.ledger.supply())
        return {
            Series.SUPPLY: float(here.supply.exact + there) / _MILLION,
            Series.CAP: float(here.cap.exact) / _MILLION,
        }

    async def _liquidations(self) -> Mapping[Series, float]:
        return {Series.LIQUIDATIONS: float(len(await self._reads.protocol.liquidations(_WINDOW)))}


def _show(values: Mapping[Series, float]) -> None:
    """Set the metrics: what was not read is NaN."""
    for series, gauge in GAUGES.items():
        gauge.set(values.get(series, math.nan))


_show({})  # a process that has read nothing yet says so, and not zero
