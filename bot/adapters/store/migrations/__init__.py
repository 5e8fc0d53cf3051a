"""Bringing a database up to date, one revision after the other. Safe to call by every process at every start."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.adapters.store.database import Database, open_engine, take_turns, write_ahead
from bot.adapters.store.models import metadata

_FOLDER = Path(__file__).parent


async def migrate(url: str) -> None:
    """Make or bring up to date the tables of the database at `url`, all in one transaction or not at all.

    Raises:
        UnavailableError: the database did not answer.
    """
    database = Database(open_engine(url))
    if url.startswith("sqlite"):
        await asyncio.to_thread(write_ahead, url)
    try:
        async with database.writing() as connection:
            await take_turns(connection, metadata.tables["audit"])
            await connection.run_sync(_upgrade)
    finally:
        await database.close()


async def revisions(url: str) -> tuple[str | None, str | None]:
    """Where the database at `url` stands (None: it has no tables), and where this version wants it. Changes nothing.

    Raises:
        UnavailableError: the database did not answer.
    """
    newest = ScriptDirectory.from_config(config()).get_current_head()
    path = make_url(url).database if url.startswith("sqlite") else None
    if path is not None and not await asyncio.to_thread(Path(path).exists):
        return None, newest  # connecting would make the file
    database = Database(open_engine(url))
    try:
        async with database.reading() as connection:
            at = await connection.run_sync(lambda one: MigrationContext.configure(one).get_current_revision())
            return at, newest
    finally:
        await database.close()


def _upgrade(connection: Connection) -> None:
    upgrading = config()
    upgrading.attributes["connection"] = connection
    command.upgrade(upgrading, "head")


def config() -> Config:
    """What Alembic works by here; a command also wants ``attributes["connection"]``."""
    ours = Config()
    ours.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    ours.set_main_option("path_separator", "os")
    return ours
