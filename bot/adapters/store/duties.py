"""What an incident still asks of people: its checklist's ticks, its deadlines, its post-mortem."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, select, update

from bot.adapters.store.database import Database, insert, insert_new
from bot.adapters.store.models import deadlines, fields, postmortems, ticks
from bot.domain.checklist import Tick
from bot.domain.deadline import Deadline, DeadlineState
from bot.domain.postmortem import Postmortem


class DutyRows(Database):
    """The part of the store that people work off."""

    async def ticks(self, incident_id: str) -> Sequence[Tick]:
        """What is ticked of an incident's checklist, in the order it was."""
        query = select(ticks).where(ticks.c.incident_id == incident_id).order_by(ticks.c.position)
        async with self.reading() as connection:
            return [Tick.model_validate(fields(row)) for row in await connection.execute(query)]

    async def tick(self, tick: Tick) -> bool:
        """Tick an item. False, and nothing changed, if it was."""
        async with self.writing() as connection:
            return await insert_new(connection, ticks, [tick.model_dump()]) == 1

    async def untick(self, incident_id: str, item: str) -> bool:
        """Take a tick back. False if there was none."""
        change = delete(ticks).where(ticks.c.incident_id == incident_id, ticks.c.item == item)
        async with self.writing() as connection:
            return (await connection.execute(change)).rowcount == 1

    async def keep_deadline(self, deadline: Deadline) -> Deadline:
        """Store one; the same id again changes nothing and gives the one that is there."""
        query = select(deadlines).where(deadlines.c.id == deadline.id)
        async with self.writing() as connection:
            await insert_new(connection, deadlines, [deadline.model_dump()])
            return Deadline.model_validate(fields((await connection.execute(query)).one()))

    async def deadline(self, deadline_id: str) -> Deadline | None:
        """One by its id."""
        found = await self._deadlines(select(deadlines).where(deadlines.c.id == deadline_id))
        return found[0] if found else None

    async def waiting_deadlines(self) -> Sequence[Deadline]:
        """All that have not ended, the next one first."""
        return await self._deadlines(select(deadlines).where(deadlines.c.state == DeadlineState.WAITING))

    async def incident_deadlines(self, incident_id: str) -> Sequence[Deadline]:
        """All of an incident, the next one first."""
        return await self._deadlines(select(deadlines).where(deadlines.c.incident_id == incident_id))

    async def _deadlines(self, query: Select[Any]) -> Sequence[Deadline]:
        async with self.reading() as connection:
            rows = await connection.execute(query.order_by(deadlines.c.due_at, deadlines.c.id))
            return [Deadline.model_validate(fields(row)) for row in rows]

    async def end_deadline(self, deadline_id: str, state: DeadlineState, outcome: str) -> None:
        """Say what became of it. One that has ended stays as it ended."""
        waiting = (deadlines.c.id == deadline_id) & (deadlines.c.state == DeadlineState.WAITING)
        async with self.writing() as connection:
            await connection.execute(update(deadlines).where(waiting).values(state=state, outcome=outcome))

    async def postmortem(self, incident_id: str) -> Postmortem:
        """What people have made of it so far; an empty one where nobody began."""
        query = select(postmortems).where(postmortems.c.incident_id == incident_id)
        async with self.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Postmortem(incident_id=incident_id) if row is None else Postmortem.model_validate(fields(row))

    async def keep_postmortem(self, postmortem: Postmortem) -> None:
        """Store it as it is now."""
        values = postmortem.model_dump()
        async with self.writing() as connection:
            fresh = insert(connection, postmortems).values(values)
            await connection.execute(
                fresh.on_conflict_do_update(index_elements=[postmortems.c.incident_id], set_=values)
            )
