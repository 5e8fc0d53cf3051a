"""The programs every pod here has: enough for the runbooks' checks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from bot.drill.cluster import network
from bot.drill.cluster.apps import POSTGRES_POD
from bot.drill.cluster.commands import Commands, Run
from bot.drill.cluster.state import State

HEARTBEAT = "/tmp/heartbeat"  # noqa: S108 - the runbooks' path, inside a pod that does not exist
_DISK_KIB = 50 * 2**20
_USUAL_PERCENT = 38
_CANTON_PORTS = {5001, 5002, 5011, 5012, 5018, 7575, 10000, 10001}
_NO_ANSWER_AFTER = 0.2
"""Seconds until a blocked connection is given up: the drill does not wait out real timeouts."""


def install(commands: Commands, state: State, canton: set[str]) -> None:
    """Put the programs into the table. `canton` holds ``host:port`` that count as Canton's besides the usual."""
    programs: dict[str, Callable[[State, Run], Awaitable[int]]] = {
        "cat": _cat,
        "date": _date,
        "stat": _stat,
        "df": _df,
        "echo": _echo,
        "true": _true,
        "false": _false,
        "hostname": _hostname,
        "pg_isready": _pg_isready,
    }
    for name, program in programs.items():
        commands.on(name, partial(program, state))
    for name in ("curl", "wget", "nc"):
        commands.on(name, partial(_connect, state, canton))


def heartbeat(state: State, owner: str, now: float) -> float | None:
    """When a validator last wrote its heartbeat; None in pods that write none."""
    if not owner.startswith("musd-validator-"):
        return None
    ailment = state.ailment(owner)
    return ailment.since if ailment and ailment.kind == "stale" else float(int(now))


async def _cat(state: State, run: Run) -> int:
    paths = [word for word in run.argv[1:] if not word.startswith("-")]
    if not paths:
        async for piece in run.stdin:
            await run.out(piece)
        return 0
    code = 0
    for path in paths:
        beat = heartbeat(state, run.owner, time.time()) if path == HEARTBEAT else None
        if beat is not None:
            written = datetime.fromtimestamp(beat, UTC).isoformat(timespec="milliseconds")
            await run.say(written.replace("+00:00", "Z"))
        elif path == "/etc/hostname":
            await run.say(run.pod)
        else:
            code = await run.fail(f"cat: {path}: No such file or directory", 1)
    return code


async def _stat(state: State, run: Run) -> int:
    beat = heartbeat(state, run.owner, time.time())
    if run.argv[1:] == ("-c", "%Y", HEARTBEAT) and beat is not None:
        return await run.say(str(int(beat)))
    return await run.fail(f"stat: cannot stat '{run.argv[-1]}': No such file or directory", 1)


async def _date(_: State, run: Run) -> int:
    now = datetime.now(UTC)
    wanted = next((word[1:] for word in run.argv[1:] if word.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    return await run.say(now.strftime(wanted.replace("%s", str(int(now.timestamp())))))


async def _df(state: State, run: Run) -> int:
    flags = {word for word in run.argv[1:] if word.startswith("-")}
    paths = [word for word in run.argv[1:] if not word.startswith("-")]
    own = state.troubles.disk_percent if run.owner == POSTGRES_POD else 0
    percent = own or _USUAL_PERCENT
    used = _DISK_KIB * percent // 100
    sizes = (_DISK_KIB, used, _DISK_KIB - used)
    human = any("h" in flag for flag in flags)
    shown = [f"{size / 2**20:.0f}G" if size else "0" for size in sizes] if human else [str(size) for size in sizes]
    size_word, free_word = (
        ("Size", "Avail") if human else ("1024-blocks" if "-P" in flags else "1K-blocks", "Available")
    )
    share = "Capacity" if "-P" in flags else "Use%"
    await run.say(f"{'Filesystem':<14} {size_word:>11} {'Used':>9} {free_word:>9} {share:>8} Mounted on")
    where = paths[0] if paths else "/"
    return await run.say(f"{'/dev/sdb':<14} {shown[0]:>11} {shown[1]:>9} {shown[2]:>9} {f'{percent}%':>8} {where}")


async def _echo(_: State, run: Run) -> int:
    return await run.say(" ".join(run.argv[1:]))


async def _true(_: State, __: Run) -> int:
    return 0


async def _false(_: State, __: Run) -> int:
    return 1


async def _hostname(_: State, run: Run) -> int:
    return await run.say(run.pod)


async def _pg_isready(state: State, run: Run) -> int:
    if run.owner != POSTGRES_POD:
        return await run.fail("sh: 1: pg_isready: not found", 127)
    if state.troubles.postgres_down:
        await run.say("/var/run/postgresql:5432 - no response")
        return 2
    return await run.say("/var/run/postgresql:5432 - accepting connections")


def _target(run: Run) -> tuple[str, int]:
    """Host and port that a ``curl``, ``wget`` or ``nc`` command line means; an empty host where none is named."""
    if run.argv[0] == "nc":
        plain = [word for word in run.argv[1:] if not word.startswith("-")]
        if len(plain) >= 2 and plain[-1].isdigit():
            return plain[-2], int(plain[-1])
        return "", 0
    for word in run.argv[1:]:
        if "://" in word:
            parts = urlsplit(word)
            return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    return "", 0


async def _connect(state: State, canton: set[str], run: Run) -> int:
    program = run.argv[0]
    host, port = _target(run)
    if not host:
        return await run.fail(f"{program}: no host given", 2 if program == "curl" else 1)
    of_canton = "canton" in host or port in _CANTON_PORTS or f"{host}:{port}" in canton
    why = network.unreachable(state, "canton" if of_canton else "ethereum")
    if not why:
        return await _connected(run, host, port)
    if why == "ETIMEDOUT":
        await asyncio.sleep(_NO_ANSWER_AFTER)
    refused = why == "ECONNREFUSED"
    match program:
        case "curl":
            if refused:
                text = f"curl: (7) Failed to connect to {host} port {port} after 1 ms: Could not connect to server"
            else:
                text = "curl: (28) Connection timed out after 5001 milliseconds"
            return await run.fail(text, 7 if refused else 28)
        case "wget":
            text = f"can't connect to remote host ({host}): Connection refused" if refused else "download timed out"
            return await run.fail(f"wget: {text}", 1)
        case _:
            text = "Connection refused" if refused else "Operation timed out"
            return await run.fail(f"nc: {host} ({host}:{port}): {text}", 1)


async def _connected(run: Run, host: str, port: int) -> int:
    if run.argv[0] == "nc":
        return await run.fail(f"{host} ({host}:{port}) open", 0) if "-v" in "".join(run.argv) else 0
    quiet = "/dev/null" in run.argv
    if "-w" in run.argv:
        wanted = run.argv[run.argv.index("-w") + 1]
        await run.out(wanted.replace("%{http_code}", "200").replace("\\n", "\n").encode())
    elif not quiet:
        await run.say("OK")
    return 0
