"""Ports of the ledger's database: its backups, and setting it back. PostgreSQL's own programs, executed in its pod."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

Progress = Callable[[str], Awaitable[None]]
"""Tells the people who wait how far it is, in one sentence. It never raises, and it may be lost."""


class Contents(BaseModel):
    """What is in a database, as far as two of them can be compared."""

    model_config = ConfigDict(frozen=True)

    rows: Mapping[str, int]
    """Rows by table, such as ``public.lapi_parameters``."""
    ledger_end: str
    """The ledger's own end, as it writes it down; empty where it has no such table."""


class Dump(BaseModel):
    """A backup that was finished, checked and described. What is half there has no description, and is none."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Where it is kept, such as ``canton_ledger-20260304T031415Z.dump``."""
    at: datetime
    database: str
    size: int
    """Bytes, compressed."""
    sha256: str
    contents: Contents
    """At the very moment of the backup: counted within its own snapshot."""
    entries: int
    """Of its table of contents, which was read back."""
    encrypted: str = ""
    """By which key; empty where it is not."""


class LedgerDatabase(Protocol):
    """The ledger's database and where its backups are kept, which is configuration alone.

    Raises `RefusedError` where a program said no: nothing was changed, or what was begun is gone again.
    """

    @property
    def name(self) -> str:
        """The database's, such as ``canton_ledger``."""

    @property
    def place(self) -> str:
        """Where backups are kept, for people."""

    async def usage(self) -> str:
        """How full its disk is, as ``df`` tells it."""

    async def back_up(self, name: str, say: Progress) -> Dump:
        """Dump it there and read it back; the same name again begins from nothing."""

    async def backups(self) -> Sequence[Dump]:
        """Those that are complete, the newest first."""

    async def databases(self) -> Sequence[str]:
        """Every database of the server."""

    async def contents(self, database: str) -> Contents:
        """What is in one now."""

    async def load(self, dump: Dump, database: str, say: Progress) -> None:
        """Make this database anew and fill it from a backup, whose checksum is compared on the way."""

    async def swap(self, fresh: str, aside: str) -> None:
        """In one transaction: the ledger's database gets the name `aside`, and `fresh` the ledger's."""
