"""Second factors in the database: how often somebody was enrolled, what they tried, and the last code they used."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from bot.adapters.store.database import Database, insert, take_turns
from bot.adapters.store.models import factors
from bot.ports import Tried


class FactorRows(Database):
    """The part of the store that knows second factors. No secret is in it."""

    async def enrol(self, person: str) -> int:
        """The number of this enrolment, from 1 on; whatever was counted for the one before is gone."""
        async with self.writing() as connection:
            await take_turns(connection, factors)
            known = await connection.scalar(select(factors.c.generation).where(factors.c.person == person))
            fresh = {"generation": (known or 0) + 1, "last_step": 0, "tries": 0, "tried_since": None}
            row = insert(connection, factors).values(person=person, **fresh)
            await connection.execute(row.on_conflict_do_update(index_elements=[factors.c.person], set_=fresh))
            return int(fresh["generation"] or 1)

    async def try_code(self, person: str, now: datetime, window: timedelta) -> Tried | None:
        """Count a try; how many there were since the first one of the last `window`. None: nobody enrolled them."""
        async with self.writing() as connection:
            await take_turns(connection, factors)
            row = (await connection.execute(select(factors).where(factors.c.person == person))).one_or_none()
            if row is None:
                return None
            goes_on = row.tried_since is not None and now - row.tried_since < window
            tries, since = (row.tries + 1, row.tried_since) if goes_on else (1, now)
            change = update(factors).where(factors.c.person == person)
            await connection.execute(change.values(tries=tries, tried_since=since))
            return Tried(generation=row.generation, tries=tries, since=since)

    async def use_code(self, person: str, step: int) -> bool:
        """Take the code of this time step, and begin counting anew. False: that one or a later one was used."""
        change = update(factors).where(factors.c.person == person, factors.c.last_step < step)
        async with self.writing() as connection:
            done = await connection.execute(change.values(last_step=step, tries=0, tried_since=None))
            return done.rowcount == 1
