"""Which of Slack's signed requests were taken: each is taken once, also by two bots on one database."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from bot.adapters.store.database import Database, insert_new
from bot.adapters.store.models import requests


class RequestRows(Database):
    """The part of the store that knows signatures, for as long as they are good."""

    async def take_request(self, signature: str, now: datetime, good_for: timedelta) -> bool:
        """Take the request of this signature. False: it was taken before."""
        async with self.writing() as connection:
            await connection.execute(delete(requests).where(requests.c.at < now - good_for))
            return await insert_new(connection, requests, [{"signature": signature, "at": now}]) == 1
