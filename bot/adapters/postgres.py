"""The ledger's PostgreSQL, by its own programs in its own pod: dumped, checked, restored, swapped.

Everything streams: a dump passes through the bot piece by piece and is nowhere whole. Rows are counted in the very
snapshot that is dumped, so that a restored database can be held to the numbers.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pydantic import ValidationError

from bot.adapters.backup_places import BackupPlace
from bot.adapters.pod_exec import PodExec, Running
from bot.errors import RefusedError, UnavailableError
from bot.ports import Contents, Dump, Progress

_COUNTS = """SELECT table_schema || '.' || table_name, (xpath('/row/n/text()', query_to_xml(
 format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name), false, true, '')))[1]::text
 FROM information_schema.tables WHERE table_type = 'BASE TABLE'
 AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1;"""
_LEDGER_END = """SELECT 'ledger end', (xpath('/row/n/text()', query_to_xml(format(
 'SELECT max(ledger_end) AS n FROM %I.%I', table_schema, table_name), false, true, '')))[1]::text
 FROM information_schema.columns WHERE column_name = 'ledger_end' AND table_name = 'lapi_parameters' LIMIT 1;"""
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSELECT pg_export_snapshot();\n"
_PSQL = ("-qAtX", "-F", "\t", "-v", "ON_ERROR_STOP=1")
_SAY_EVERY = 5.0
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresInPod:
    """Fulfils `ports.LedgerDatabase`."""

    def __init__(self, pod: PodExec, place: BackupPlace, *, name: str, user: str, data: str) -> None:
        """One database.

        Args:
            pod: where the programs run.
            place: where backups are kept.
            name: the database's.
            user: its owner, who may create and rename databases.
            data: the directory whose disk is looked at.
        """
        self._pod = pod
        self._store = place
        self.name = name
        self._user = user
        self._data = data

    @property
    def place(self) -> str:
        """Where backups are kept."""
        return self._store.words

    async def usage(self) -> str:
        """How full its disk is."""
        return await self._pod.text(["df", "-h", self._data])

    async def back_up(self, name: str, say: Progress) -> Dump:
        """Dump, count in the same snapshot, read back, and only then describe."""
        async with self._session(self.name) as session:
            snapshot = await session.line(_SNAPSHOT)
            size, sha256 = await self._dumped(name, snapshot, say)
            contents = _contents(await session.rest(f"{_COUNTS}\n{_LEDGER_END}\n"))
        entries = await self._read_back(name, sha256, say)
        dump = Dump(
            name=name,
            at=datetime.now(UTC),
            database=self.name,
            size=size,
            sha256=sha256,
            contents=contents,
            entries=entries,
            encrypted=self._store.encrypted,
        )
        await self._store.describe(name, dump.model_dump_json(indent=1))
        return dump

    async def backups(self) -> Sequence[Dump]:
        """Those with a description that can be read."""
        found = []
        for text in await self._store.descriptions():
            try:
                found.append(Dump.model_validate_json(text))
            except ValidationError:
                continue  # somebody else's file
        return sorted(found, key=lambda dump: dump.at, reverse=True)

    async def databases(self) -> Sequence[str]:
        """By name."""
        return (await self._sql("SELECT datname FROM pg_database ORDER BY 1", "postgres")).split()

    async def contents(self, database: str) -> Contents:
        """Its tables' rows, and the ledger's end."""
        return _contents(await self._sql(f"{_COUNTS}\n{_LEDGER_END}", database))

    async def load(self, dump: Dump, database: str, say: Progress) -> None:
        """In one transaction, so that a failure leaves an empty database of ours and nothing else."""
        fresh = _identifier(database)
        await self._pod.text(["dropdb", "-U", self._user, "--if-exists", fresh])
        await self._pod.text(["createdb", "-U", self._user, "-T", "template0", fresh])
        command = ["pg_restore", "-U", self._user, "-d", fresh, "--exit-on-error", "--single-transaction"]
        async with self._pod.run(command, takes_input=True) as running:
            checked = asyncio.create_task(self._fed(running, dump.name, _told(say, "restored", dump.size)))
            async for _ in running.pieces():
                pass
            sha256 = await checked
        running.insist()
        _compare(dump.name, dump.sha256, sha256)

    async def swap(self, fresh: str, aside: str) -> None:
        """Two renames in one transaction, once nobody is connected to either."""
        ours, new, old = (_identifier(one) for one in (self.name, fresh, aside))
        # Both are held to what SQL takes unquoted.
        leave = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{ours}', '{new}')"  # noqa: S608
        rename = f"BEGIN; ALTER DATABASE {ours} RENAME TO {old}; ALTER DATABASE {new} RENAME TO {ours}; COMMIT"
        await self._sql(f"{leave};\n{rename};", "postgres")

    async def _dumped(self, name: str, snapshot: str, say: Progress) -> tuple[int, str]:
        """Size and checksum of the dump, which is compressed where it is made."""
        digest, size, told = hashlib.sha256(), 0, _told(say, "dumped")
        command = ["pg_dump", "-U", self._user, "-Fc", f"--snapshot={snapshot}", self.name]
        async with self._store.writing(name) as writer:
            async with self._pod.run(command) as running:
                async for piece in running.pieces():
                    digest.update(piece)
                    size += len(piece)
                    await writer.write(piece)
                    await told(size)
            running.insist()
        return size, digest.hexdigest()

    async def _read_back(self, name: str, sha256: str, say: Progress) -> int:
        """How many entries its table of contents has; what is stored is what was dumped."""
        await say("Reading the backup back: its checksum and its table of contents.")
        async with self._pod.run(["pg_restore", "--list"], takes_input=True) as running:
            checked = asyncio.create_task(self._fed(running, name, _told(say, "read back")))
            written = [piece async for piece in running.pieces()]
            stored = await checked
        running.insist()
        _compare(name, sha256, stored)
        entries = [line for line in b"".join(written).splitlines() if line and not line.startswith(b";")]
        if not entries:
            raise RefusedError(f"The backup {name} has an empty table of contents.", means="It is not kept as one.")
        return len(entries)

    async def _fed(self, running: Running, name: str, told: "_Told") -> str:
        """Give a stored dump to a program; the checksum of all of it, also where the program has enough sooner."""
        digest, size = hashlib.sha256(), 0
        async for piece in self._store.reading(name):
            digest.update(piece)
            size += len(piece)
            await running.write(piece)
            await told(size)
        await running.close_input()
        return digest.hexdigest()

    async def _sql(self, sql: str, database: str) -> str:
        return await self._pod.text(["psql", "-U", self._user, "-d", database, *_PSQL], sql.encode())

    @asynccontextmanager
    async def _session(self, database: str) -> AsyncIterator["_Session"]:
        command = ["psql", "-U", self._user, "-d", database, *_PSQL]
        async with self._pod.run(command, takes_input=True) as running:
            yield _Session(running)


class _Session:
    """A psql that stays: its transaction holds the snapshot."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._pieces = running.pieces()
        self._held = b""

    async def line(self, sql: str) -> str:
        """The first line that it answers."""
        await self._running.write(sql.encode())
        while b"\n" not in self._held:
            piece = await anext(self._pieces, b"")
            if not piece:
                self._running.insist()
                raise UnavailableError("psql ended before it answered.")
            self._held += piece
        line, _, self._held = self._held.partition(b"\n")
        return line.decode().strip()

    async def rest(self, sql: str) -> str:
        """Everything it answers, to its end."""
        await self._running.write(sql.encode())
        await self._running.close_input()
        written = [self._held, *[piece async for piece in self._pieces]]
        self._running.insist()
        return b"".join(written).decode(errors="replace")


class _Told:
    """Says now and then how far it is."""

    def __init__(self, say: Progress, word: str, whole: int) -> None:
        self._say = say
        self._word = word
        self._whole = whole
        self._next = asyncio.get_running_loop().time() + _SAY_EVERY

    async def __call__(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._next:
            self._next = now + _SAY_EVERY
            of = f" of {self._whole / 2**20:,.1f}" if self._whole else ""
            await self._say(f"{size / 2**20:,.1f}{of} MiB {self._word}.")


def _told(say: Progress, word: str, whole: int = 0) -> _Told:
    return _Told(say, word, whole)


def _contents(answer: str) -> Contents:
    pairs = [line.split("\t") for line in answer.splitlines() if "\t" in line]
    rows = {name: int(count) for name, count in pairs if name != "ledger end"}
    return Contents(rows=rows, ledger_end=next((end for name, end in pairs if name == "ledger end"), ""))


def _compare(name: str, wanted: str, found: str) -> None:
    if wanted != found:
        raise RefusedError(
            f"The backup {name} is not what was written: its checksum is {found[:12]}…, and should be {wanted[:12]}….",
            means="It is not used.",
            next_step="Take another backup, and find out what changed this one.",
        )


def _identifier(name: str) -> str:
    """A database's name as SQL takes it unquoted: nothing else ever gets into a statement."""
    if not _IDENTIFIER.fullmatch(name):
        raise RefusedError(f"{name[:80]!r} is no database's name.", means="Nothing was changed.")
    return name
