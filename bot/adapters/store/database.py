"""Connections to the database: SQLite in one file, or PostgreSQL. One transaction at a time, its errors made ours."""

import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]  # ships no types
from pydantic_core import to_json
from sqlalchemy import Connection, Table, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import ConfigurationError, UnavailableError

_BUSY_MS: Final = 10_000
"""How long SQLite waits for another process's write, in milliseconds."""
_CONNECT_SECONDS: Final = 10
_STATEMENT_SECONDS: Final = 30
_LIBPQ_ONLY: Final = ("connect_timeout", "channel_binding", "gssencmode", "keepalives", "tcp_user_timeout")
"""How parameters begin that are libpq's own: asyncpg would pass them on as server settings, which are refused."""


def open_engine(url: str) -> AsyncEngine:
    """An engine for ``sqlite:///path`` or ``postgresql://…``, as operators write them. Connects when first used.

    Raises:
        ConfigurationError: another kind of database, or SQLite without a file.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme == "sqlite":
        return _sqlite(url)
    if scheme in {"postgresql", "postgres"}:
        return _postgresql(url)
    raise ConfigurationError(
        f"DATABASE_URL begins with {scheme!r}.", next_step="Use postgresql://… or sqlite:///path, or leave it unset."
    )


def _json(value: Any) -> str:
    # Knows dates, decimals and frozen mappings, and writes NaN as null: PostgreSQL takes no NaN in JSON.
    return to_json(value, inf_nan_mode="null").decode()


def _sqlite(url: str) -> AsyncEngine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise ConfigurationError("A SQLite database without a file forgets everything.", next_step="Name a file.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # One connection, so one thread: SQLite has one writer anyway, and tasks queue fairly instead of polling for a lock.
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0, json_serializer=_json)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in (f"busy_timeout={_BUSY_MS}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def write_ahead(url: str) -> None:
    """Turn on SQLite's write-ahead log, for good: readers and the writer no longer wait for each other. Blocking.

    Raises:
        UnavailableError: other processes kept the file locked for ten seconds.
    """
    path = make_url(url).database
    until = time.monotonic() + _BUSY_MS / 1000
    with closing(sqlite3.connect(str(path))) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                # Two that switch at once don't wait: one is refused, lest both wait for ever.
                if time.monotonic() > until:
                    raise UnavailableError(f"The database {path} can't be opened: {error}.") from error
                time.sleep(0.02)
            else:
                return


def _begin_sqlite(connection: Connection) -> None:
    # A write takes the lock at once: upgrading later fails when somebody else wrote in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: str) -> AsyncEngine:
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query) if not key.startswith(_LIBPQ_ONLY)]
    dsn = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS, command_timeout=_STATEMENT_SECONDS)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        json_serializer=_json,
        pool_size=5,
        max_overflow=0,
        pool_pre_ping=True,
    )


class Database:
    """What the store's parts have in common: a transaction to read in, a transaction to write in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that only reads.

        Raises:
            UnavailableError: the database did not answer.
        """
        async with self._transaction(writes=False) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may write: committed at the end of the block, rolled back when it raises.

        Raises:
            UnavailableError: the database did not answer. Every write of the store may simply be tried again.
        """
        async with self._transaction(writes=True) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.execution_options(writes=writes).begin() as connection:
                yield connection
        except (IntegrityError, ProgrammingError, DataError):
            raise  # the database did answer
        except (DBAPIError, PoolTimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise UnavailableError(
                f"The database did not answer: {type(reason).__name__}.",
                means="Nothing of this was stored, or it is not known whether it was.",
                next_step="Try again.",
            ) from error


def insert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of this database's dialect, which alone knows ON CONFLICT; the two spell it alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


async def insert_new(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows that no unique key knows yet; how many those were. Any number of rows, in their order."""
    if not rows:
        return 0
    statement = insert(connection, table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))
    return len((await connection.execute(statement, rows)).all())


async def take_turns(connection: AsyncConnection, what: Table) -> None:
    """Until this transaction ends, nobody else gets past here for the same table.

    Only PostgreSQL needs to be told: on SQLite the transaction has the one write lock already.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"musd-bot {what.name}"))))
