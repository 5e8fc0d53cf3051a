"""Samples of the protocol's readings: two days of them, for the pictures."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from bot.adapters.store.database import Database, insert_new
from bot.adapters.store.models import samples
from bot.domain.series import Sample, Series

KEPT = timedelta(hours=48)


class SampleRows(Database):
    """The part of the store that pictures are drawn from."""

    async def keep_samples(self, at: datetime, values: Mapping[Series, float]) -> None:
        """Keep what was read at one moment; what is too old goes."""
        rows = [{"series": one.value, "at": at, "value": value} for one, value in values.items()]
        async with self.writing() as connection:
            await connection.execute(delete(samples).where(samples.c.at < datetime.now(UTC) - KEPT))
            if rows:
                await insert_new(connection, samples, rows)

    async def series(self, one: Series, since: timedelta) -> Sequence[Sample]:
        """A reading's samples of that time, oldest first."""
        begin = datetime.now(UTC) - since
        query = select(samples.c.at, samples.c.value).where(samples.c.series == one.value, samples.c.at >= begin)
        async with self.reading() as connection:
            return [Sample(at, value) for at, value in await connection.execute(query.order_by(samples.c.at))]
