"""The commands that can be executed in a pod: a table by the first words of the command line."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.drill.cluster.apps import POSTGRES_POD
from bot.drill.cluster.state import State

_QUEUED = 32
"""Pieces of stdin held for a command that reads slowly; then the client has to wait."""


class Stdin:
    """What the client sends, piece by piece."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED)
        self._over = False

    async def feed(self, piece: bytes) -> None:
        """Add a piece, waiting while too many lie unread."""
        await self._pieces.put(piece)

    async def close(self) -> None:
        """No more will come."""
        await self._pieces.put(b"")

    async def read(self) -> bytes:
        """The next piece; empty at the end."""
        if self._over:
            return b""
        piece = await self._pieces.get()
        self._over = not piece
        return piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.read():
            yield piece


Output = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True)
class Run:
    """One execution of a command: a handler reads and writes here, and returns the exit code."""

    argv: tuple[str, ...]
    pod: str
    owner: str
    """The pod's deployment, or its own name where it has none."""
    stdin: Stdin
    out: Output
    err: Output

    async def say(self, text: str) -> int:
        """Write a line to stdout and succeed."""
        await self.out(f"{text}\n".encode())
        return 0

    async def fail(self, text: str, code: int) -> int:
        """Write a line to stderr and end with `code`."""
        await self.err(f"{text}\n".encode())
        return code


Handler = Callable[[Run], Awaitable[int]]
_SHELLS = {"sh", "bash", "ash"}
_OPERATORS = {"|", "||", "&", "&&", ";", ">", ">>", "<", "<<"}
_NEEDS_SERVER = {"psql": 2, "pg_dump": 1, "pg_dumpall": 1, "pg_restore": 1, "createdb": 1, "dropdb": 1}
"""PostgreSQL's client programs, and how they end when the server does not answer."""


class Commands:
    """The table. The entry with the longest matching beginning wins, a later one over an earlier."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._handlers: dict[tuple[str, ...], Handler] = {}

    def on(self, beginning: str | Sequence[str], handler: Handler) -> None:
        """Answer command lines that begin with these words, such as ``"pg_dump"`` or ``["sh", "-c"]``."""
        words = (beginning,) if isinstance(beginning, str) else tuple(beginning)
        self._handlers[words] = handler

    async def run(self, run: Run) -> int:
        """Run a command and return its exit code: 127 with the shell's message where there is none."""
        program = PurePosixPath(run.argv[0]).name
        argv = (program, *run.argv[1:])
        if run.owner == POSTGRES_POD and self._state.troubles.postgres_down and program in _NEEDS_SERVER:
            return await run.fail(
                f'{program}: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
                "No such file or directory\n"
                "\tIs the server running locally and accepting connections on that socket?",
                _NEEDS_SERVER[program],
            )
        if run.owner == POSTGRES_POD and self._state.troubles.connections_taken and program in _NEEDS_SERVER:
            return await run.fail(
                f'{program}: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
                "FATAL:  sorry, too many clients already",
                _NEEDS_SERVER[program],
            )
        if run.owner == POSTGRES_POD and self._state.troubles.replica_lag and "pg_stat_replication" in argv[-1]:
            return await run.say(f"canton-postgres-1\tstreaming\t{self._state.troubles.replica_lag}")
        matching = [words for words in self._handlers if argv[: len(words)] == words]
        if matching:
            return await self._handlers[max(matching, key=len)](_with(run, argv))
        if program in _SHELLS and argv[1:2] == ("-c",) and len(argv) > 2:
            return await self._run_line(run, argv[2])
        return await run.fail(f"sh: 1: {run.argv[0]}: not found", 127)

    async def _run_line(self, run: Run, text: str) -> int:
        """A shell that knows single commands; a pipeline needs a handler of its own."""
        try:
            words = list(shlex.shlex(text, posix=True, punctuation_chars=True))
        except ValueError as error:
            return await run.fail(f"sh: 1: Syntax error: {error}", 2)
        if not words:
            return 0
        if _OPERATORS & set(words):
            return await run.fail("sh: 1: Syntax error: this practice shell runs one plain command at a time", 2)
        return await self.run(_with(run, tuple(shlex.split(text))))


def _with(run: Run, argv: tuple[str, ...]) -> Run:
    return Run(argv, run.pod, run.owner, run.stdin, run.out, run.err)
