"""The ledger's database: a real PostgreSQL behind the commands that are executed in its pod.

The machine's own server binaries, on a Unix socket, begun when a command first wants it: a drill that never looks at
the database never waits for one. Where the machine has none, the commands say what to install.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bot.drill.child import Child
from bot.drill.cluster import Cluster, Run

ROLE, DATABASE = "canton", "canton_ledger"
PROGRAMS = ("psql", "pg_dump", "pg_restore", "createdb", "dropdb")
_USER = "postgres"
_READY_WITHIN = 20.0
_PIECE = 64 * 1024
_SETTINGS = ("fsync=off", "listen_addresses=", "shared_buffers=32MB", "max_connections=30")
_SEED = """
CREATE TABLE lapi_parameters (ledger_end bigint NOT NULL, participant_id text NOT NULL);
INSERT INTO lapi_parameters VALUES (48200, 'musd');
CREATE TABLE lapi_events_create (event_offset bigint PRIMARY KEY, contract_id text NOT NULL, argument bytea NOT NULL);
INSERT INTO lapi_events_create
  SELECT n, md5(n::text), decode(md5((n * 7)::text), 'hex') FROM generate_series(1, 4000) AS n;
CREATE TABLE par_active_contracts (contract_id text NOT NULL, ts bigint NOT NULL, change text NOT NULL);
INSERT INTO par_active_contracts SELECT md5(n::text), n, 'activation' FROM generate_series(1, 1500) AS n;
"""


class Database:
    """A PostgreSQL of the practice world's own, as the pod ``canton-postgres-0`` would have it."""

    def __init__(self) -> None:
        self.socket = Path()
        """The folder of its socket, once it runs."""
        self._folder: Path | None = None
        self._temporary: Path | None = None
        self._child: Child | None = None
        self._starting = asyncio.Lock()
        self.binaries = _binaries()
        """Where PostgreSQL's programs are; None where the machine has no server."""

    def behind(self, cluster: Cluster, folder: Path) -> None:
        """Let the cluster's pods run the programs against it. Nothing is started yet; data goes below `folder`."""
        self._folder = folder
        for program in PROGRAMS:
            cluster.on_exec(program, self._execute)

    async def start(self) -> None:
        """Start it now, unless it runs. Raises `OSError` where it can't be."""
        async with self._starting:
            if self._child is not None and self._child.running:
                return
            if self.binaries is None:
                raise FileNotFoundError("this machine has no PostgreSQL server: apt-get install postgresql")
            data = self._home() / "data"
            if not (data / "PG_VERSION").exists():
                make = ("--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-U", ROLE)
                await self._run("initdb", "-D", str(data), *make)
            options = [part for one in (*_SETTINGS, f"unix_socket_directories={self.socket}") for part in ("-c", one)]
            self._child = await Child.start(
                (str(self.binaries / "postgres"), "-D", str(data), *options),
                cwd=self.socket,
                env=self._environment(),
                user=_other_user(),
            )
            await self._ready()
            await self._seed()

    async def stop(self) -> None:
        """End it."""
        if self._child is not None:
            await self._child.stop()
            self._child = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def ask(self, sql: str, database: str = DATABASE) -> str:
        """What it answers, past the cluster: unaligned, without headers."""
        await self.start()
        return await self._run("psql", "-U", ROLE, "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql)

    async def dump(self, database: str = DATABASE) -> str:
        """Its tables' contents as text, past the cluster."""
        await self.start()
        text = await self._run("pg_dump", "-U", ROLE, "--data-only", database)
        # Newer clients write a random word there, so that a dump can't smuggle in commands.
        return "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))

    async def _execute(self, run: Run) -> int:
        """A program in the pod: the real one, with its input, its outputs and its exit code."""
        try:
            await self.start()
        except OSError as error:
            return await run.fail(f"{run.argv[0]}: {error}", 127)
        assert self.binaries is not None  # noqa: S101 - it runs
        process = await asyncio.create_subprocess_exec(
            str(self.binaries / run.argv[0]),
            *run.argv[1:],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            cwd=self.socket,
        )
        feeding = asyncio.create_task(_feed(run, process))
        try:
            await asyncio.gather(_pass_on(process.stdout, run.out), _pass_on(process.stderr, run.err))
            return await process.wait()
        finally:
            feeding.cancel()
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _home(self) -> Path:
        """Where data and socket are. As root the server has another user, who must be able to get there."""
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="musd-drill-pg-"))
            if _other_user():
                shutil.chown(self._temporary, _USER)
        self.socket = self._temporary
        if self._folder is None or _other_user():
            return self._temporary
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    async def _ready(self) -> None:
        end = asyncio.get_running_loop().time() + _READY_WITHIN
        while True:
            with contextlib.suppress(OSError):
                await self._run("pg_isready", "-q")
                return
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"PostgreSQL was not ready after {_READY_WITHIN:g} s")
            await asyncio.sleep(0.05)

    async def _seed(self) -> None:
        """Its first contents, unless it has some."""
        known = await self._run("psql", "-U", ROLE, "-d", "postgres", "-qAtX", "-c", "SELECT datname FROM pg_database")
        if DATABASE not in known.split():
            await self._run("createdb", "-U", ROLE, DATABASE)
            await self._run("psql", "-U", ROLE, "-d", DATABASE, "-qX", "-v", "ON_ERROR_STOP=1", "-c", _SEED)

    async def _run(self, program: str, *arguments: str) -> str:
        assert self.binaries is not None  # noqa: S101 - checked by `start`
        process = await asyncio.create_subprocess_exec(
            str(self.binaries / program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment(),
            cwd=self.socket,
            user=_other_user() if program == "initdb" else None,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise OSError(f"{program}: {err.decode(errors='replace').strip()}")
        return out.decode()

    def _environment(self) -> Mapping[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "PGHOST": str(self.socket)}


async def _feed(run: Run, process: asyncio.subprocess.Process) -> None:
    """Its standard input, until either end has enough."""
    assert process.stdin is not None  # noqa: S101 - a pipe
    with contextlib.suppress(ConnectionError):
        async for piece in run.stdin:
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()


async def _pass_on(source: asyncio.StreamReader | None, out: Callable[[bytes], Awaitable[None]]) -> None:
    assert source is not None  # noqa: S101 - a pipe
    while piece := await source.read(_PIECE):
        await out(piece)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return _USER if os.geteuid() == 0 else None


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None
