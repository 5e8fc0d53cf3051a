"""Signals in the database: stored whole and once by key, before anybody is told that they signal."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from bot.adapters.store.database import Database, insert_new, take_turns
from bot.adapters.store.models import signals as table
from bot.adapters.store.models import timeline
from bot.domain.incident import TimelineEntry
from bot.domain.signal import Signal, SignalStatus

_NAME, _STATUS = table.c.body["name"].as_string(), table.c.body["status"].as_string()


class SignalRows(Database):
    """The Signals' part of the store."""

    async def keep_signals(self, signals: Sequence[Signal], received_at: datetime) -> int:
        """Store those not yet known by their key; how many were new."""
        rows = [
            {"key": one.key, "received_at": received_at, "handled": False, "body": one.model_dump(mode="json")}
            for one in signals
        ]
        async with self.writing() as connection:
            # Two deliveries of the same alerts in different orders would wait for each other's rows for ever.
            await take_turns(connection, table)
            return await insert_new(connection, table, rows)

    async def pending_signals(self, limit: int) -> Sequence[Signal]:
        """Signals that triage has not handled, oldest first."""
        query = select(table.c.body).where(~table.c.handled).order_by(table.c.position).limit(limit)
        async with self.reading() as connection:
            return [Signal.model_validate(body) for body in await connection.scalars(query)]

    async def signal(self, key: str) -> Signal | None:
        """One by its key."""
        async with self.reading() as connection:
            body = await connection.scalar(select(table.c.body).where(table.c.key == key))
        return None if body is None else Signal.model_validate(body)

    async def signals_known(self, keys: Sequence[str]) -> Mapping[str, str | None]:
        """Those of these keys that are stored, in that order, each with the incident it belongs to, if any."""
        query = select(table.c.key, table.c.incident_id).where(table.c.key.in_(keys)).order_by(table.c.position)
        async with self.reading() as connection:
            return {row.key: row.incident_id for row in await connection.execute(query)}

    async def signals_join(self, keys: Sequence[str], incident_id: str) -> None:
        """They belong to this incident. Triage is not done with them yet."""
        change = update(table).where(table.c.key.in_(keys)).values(incident_id=incident_id)
        async with self.writing() as connection:
            await connection.execute(change)

    async def signals_handled(
        self, keys: Sequence[str], incident_id: str | None, entry: TimelineEntry | None = None
    ) -> None:
        """Triage is done with them; the incident they belong to, if any, and what its timeline says of it, in one."""
        change = update(table).where(table.c.key.in_(keys)).values(handled=True, incident_id=incident_id)
        async with self.writing() as connection:
            await connection.execute(change)
            if entry is not None:
                await insert_new(connection, timeline, [entry.model_dump()])

    async def incident_signals(self, incident_id: str) -> Sequence[Signal]:
        """All Signals of an incident, in the order they were received."""
        query = select(table.c.body).where(table.c.incident_id == incident_id).order_by(table.c.position)
        async with self.reading() as connection:
            return [Signal.model_validate(body) for body in await connection.scalars(query)]

    async def firing(self, incident_id: str) -> Sequence[str]:
        """Names of an incident's alerts whose last word is "firing"; without loading them, for there may be thousands.

        An alert's last word is about its newest start; that it is over counts, in whichever order the two came.
        """
        query = select(table.c.key, _NAME.label("name")).where(table.c.incident_id == incident_id)
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
        begun, over, names = dict[str, str](), set[tuple[str, str]](), dict[str, str]()
        for row in rows:
            fingerprint, start, status = row.key.rsplit("/", 2)
            begun[fingerprint] = max(start, begun.get(fingerprint, ""))
            names[fingerprint] = row.name
            if status == SignalStatus.RESOLVED:
                over.add((fingerprint, start))
        return sorted({names[one] for one, start in begun.items() if (one, start) not in over})

    async def fingerprints(self, incident_id: str) -> frozenset[str]:
        """Of an incident's alerts; without loading them."""
        query = select(table.c.key).where(table.c.incident_id == incident_id)
        async with self.reading() as connection:
            return frozenset(key.rsplit("/", 2)[0] for key in await connection.scalars(query))

    async def newest_end(self, incident_id: str) -> str | None:
        """The key of the last alert of an incident that was said to be over; None where none was."""
        ends = (table.c.incident_id == incident_id) & (_STATUS == SignalStatus.RESOLVED)
        query = select(table.c.key).where(ends).order_by(table.c.position.desc()).limit(1)
        async with self.reading() as connection:
            key: str | None = await connection.scalar(query)
        return key

    async def starts(self, fingerprint: str) -> Sequence[str]:
        """Keys of the times this alert fired, the first received first."""
        begins = table.c.key.startswith(f"{fingerprint}/", autoescape=True)
        query = select(table.c.key).where(begins, _STATUS == SignalStatus.FIRING).order_by(table.c.position)
        async with self.reading() as connection:
            return list(await connection.scalars(query))

    async def tally(self, since: datetime, limit: int) -> tuple[int, Mapping[str, int]]:
        """How many alerts fired since then, and the names that fired most, with their numbers."""
        fired = (table.c.received_at >= since) & (_STATUS == SignalStatus.FIRING)
        number = func.count()
        query = select(_NAME.label("name"), number.label("number")).where(fired).group_by(_NAME)
        async with self.reading() as connection:
            total = await connection.scalar(select(number).select_from(table).where(fired))
            rows = await connection.execute(query.order_by(number.desc(), _NAME).limit(limit))
            return int(total or 0), {row.name: row.number for row in rows}
