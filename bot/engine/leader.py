"""One leader: of all processes on one database, the one that holds this lock runs the workflows, the others wait.

Two at once would run a step twice. The operating system, or PostgreSQL, gives the lock back when its holder dies,
however it dies; nothing is left behind that somebody would have to clear away.
"""

import asyncio
import fcntl
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
import structlog

from bot.errors import UnavailableError

_POLL_SECONDS: Final = 0.2
_HEARTBEAT_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 5.0
"""A holder that hears nothing for this long has lost the lock; the server keeps it for ten to fifteen seconds."""
_KEEPALIVE: Final = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 2}
_KEY: Final = int.from_bytes(b"musd-bot")
"""The advisory lock's number in PostgreSQL: any number nobody else takes."""

log = structlog.get_logger()


class LeaderLock(ABC):
    """The right to run workflows on one database."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        """Set when the lock is gone although it wasn't released: the process has to end, somebody else leads."""

    async def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock: wait for it, or with `wait=False` answer at once whether it was free.

        Raises:
            UnavailableError: the database did not answer.
        """
        while not await self._try():
            if not wait:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    @abstractmethod
    async def _try(self) -> bool:
        """Take the lock if it is free."""

    @abstractmethod
    async def release(self) -> None:
        """Let somebody else lead. Harmless without the lock."""


def leader_lock(url: str) -> LeaderLock:
    """The lock of the database at `url`: ``sqlite:///path`` or ``postgresql://…``."""
    if url.startswith("sqlite"):
        return _FileLock(Path(url.partition(":///")[2] + ".leader"))
    return _AdvisoryLock(url)


class _FileLock(LeaderLock):
    """A lock on a file beside the SQLite database. The file stays: deleting it would make two locks of one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: int | None = None

    async def _try(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    async def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class _AdvisoryLock(LeaderLock):
    """A session's advisory lock in PostgreSQL, on a connection of its own: it goes when the connection goes."""

    def __init__(self, url: str) -> None:
        super().__init__()
        scheme, _, rest = url.partition("://")
        self._url = f"{scheme.partition('+')[0]}://{rest}"
        self._connection: psycopg.AsyncConnection | None = None
        self._watch: asyncio.Task[None] | None = None

    async def _try(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS * 2):
                if self._connection is None:
                    self._connection = await self._connect()
                answer = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", [_KEY])
                row = await answer.fetchone()
        except (psycopg.Error, OSError) as error:
            await self.release()
            raise UnavailableError(
                f"PostgreSQL did not answer: {type(error).__name__}.",
                means="Nobody knows who leads, so this process does not.",
                next_step="Look at DATABASE_URL and at the server.",
            ) from error
        if row is None or not row[0]:
            return False
        self._watch = asyncio.create_task(self._notice_loss(self._connection))
        return True

    async def _connect(self) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        for name, seconds in _KEEPALIVE.items():
            await connection.execute("SELECT set_config(%s, %s, false)", [name, str(seconds)])
        return connection

    async def _notice_loss(self, connection: psycopg.AsyncConnection) -> None:
        try:
            while True:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.execute("SELECT 1")
                await asyncio.sleep(_HEARTBEAT_SECONDS)
        except (psycopg.Error, OSError) as error:
            log.error("the leader's lock is lost", error=type(error).__name__)  # noqa: TRY400 - its message quotes the URL
            self.lost.set()

    async def release(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._connection is not None:
            # Unlocked first: the server may take a while to notice that a connection was closed.
            with suppress(psycopg.Error, OSError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await self._connection.execute("SELECT pg_advisory_unlock_all()")
            await self._connection.close()
            self._connection = None
