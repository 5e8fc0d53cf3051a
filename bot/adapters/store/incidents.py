"""Incidents and their timelines in the database. The database itself allows one open incident per topic."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.adapters.store.database import Database, insert_new
from bot.adapters.store.models import fields, incidents, is_open, signals, timeline
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.errors import RefusedError, UnavailableError

_TRIES = 5


class IncidentRows(Database):
    """The incidents' part of the store."""

    async def open_incident(self, fresh: Incident) -> tuple[Incident, bool]:
        """Store `fresh`, unless an open incident of its topic exists: then that one.

        True where it is `fresh`, so also when the same incident is asked for again after a crash.
        """
        wanted = or_(incidents.c.id == fresh.id, (incidents.c.topic == fresh.topic) & is_open)
        query = select(incidents).where(wanted).order_by(incidents.c.id != fresh.id).limit(1)
        for _ in range(_TRIES):
            async with self.writing() as connection:
                await insert_new(connection, incidents, [fresh.model_dump()])
                row = (await connection.execute(query)).one_or_none()
            # No row: the other one was closed between the two statements, which only PostgreSQL allows.
            if row is not None:
                found = Incident.model_validate(fields(row))
                return found, found.id == fresh.id
        raise UnavailableError(f"The incident {fresh.topic!r} opens and closes too quickly.", next_step="Try again.")

    async def incident(self, incident_id: str) -> Incident | None:
        """One by its id."""
        return await self._first(select(incidents).where(incidents.c.id == incident_id))

    async def incident_of(self, signal_key: str) -> Incident | None:
        """The incident a Signal belongs to, if any."""
        return await self._first(select(incidents).join(signals).where(signals.c.key == signal_key))

    async def opened_since(self, moment: datetime) -> int:
        """How many incidents that no runbook knows were opened by alerts since then."""
        alerts = incidents.c.topic.startswith("alert:", autoescape=True)
        query = select(func.count()).where(alerts, incidents.c.runbook.is_(None), incidents.c.opened_at >= moment)
        async with self.reading() as connection:
            return int(await connection.scalar(query) or 0)

    async def latest_incident(self, topic: str) -> Incident | None:
        """The newest of a topic, open or not."""
        return await self._first(select(incidents).where(incidents.c.topic == topic))

    async def incident_in(self, channel: str) -> Incident | None:
        """The newest incident whose channel this is."""
        return await self._first(select(incidents).where(incidents.c.channel == channel))

    async def _first(self, query: Select[Any]) -> Incident | None:
        newest = query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(1)
        async with self.reading() as connection:
            row = (await connection.execute(newest)).one_or_none()
        return None if row is None else Incident.model_validate(fields(row))

    async def incidents(self, states: Sequence[IncidentState]) -> Sequence[Incident]:
        """Those in one of the states, oldest first."""
        query = select(incidents).where(incidents.c.state.in_(states)).order_by(incidents.c.opened_at, incidents.c.id)
        async with self.reading() as connection:
            return [Incident.model_validate(fields(row)) for row in await connection.execute(query)]

    async def update_incident(self, incident_id: str, **changes: Any) -> Incident:
        """Change fields of an incident and return it.

        Raises:
            RefusedError: there is no such incident, or it would be a second open one of its topic.
        """
        change = update(incidents).where(incidents.c.id == incident_id).values(changes).returning(incidents)
        try:
            async with self.writing() as connection:
                row = (await connection.execute(change)).one_or_none()
                if row is None:
                    raise RefusedError(f"There is no incident {incident_id!r}.")
                # Inside the transaction: a value that no Incident may have is rolled back.
                return Incident.model_validate(fields(row))
        except IntegrityError as error:
            raise RefusedError(
                "Another incident about the same is open.", next_step="Go on there, or close it first."
            ) from error

    async def move_incident(
        self, incident: Incident, changes: Mapping[str, Any], entry: TimelineEntry
    ) -> Incident | None:
        """Change an incident and note it, in one; None, and nothing done, if it changed meanwhile.

        Raises:
            RefusedError: it would be a second open one of its topic.
        """
        unchanged = (incidents.c.id == incident.id) & (incidents.c.revision == incident.revision)
        values = {**changes, "revision": incident.revision + 1}
        change = update(incidents).where(unchanged).values(values).returning(incidents)
        try:
            async with self.writing() as connection:
                row = (await connection.execute(change)).one_or_none()
                if row is None:
                    return None
                await insert_new(connection, timeline, [entry.model_dump()])
                return Incident.model_validate(fields(row))
        except IntegrityError as error:
            raise RefusedError("Another incident about the same is open.", next_step="Go on there.") from error

    async def note(self, entry: TimelineEntry) -> None:
        """Write a timeline entry, once per (incident, key)."""
        async with self.writing() as connection:
            await insert_new(connection, timeline, [entry.model_dump()])

    async def timeline(self, incident_id: str) -> Sequence[TimelineEntry]:
        """An incident's entries by the time of the event."""
        query = select(timeline).where(timeline.c.incident_id == incident_id)
        async with self.reading() as connection:
            rows = await connection.execute(query.order_by(timeline.c.at, timeline.c.position))
            return [TimelineEntry.model_validate(fields(row)) for row in rows]
