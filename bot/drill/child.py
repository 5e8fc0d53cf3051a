"""A program the practice world runs beside itself, on a leash: it does not outlive the world, not even a kill of it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_LEASH = 'read -r _; kill -KILL "-$1" 2>/dev/null'
"""A shell that waits for its standard input to close, which happens when we end for whatever reason, then kills."""


class Child:
    """One running program, the leader of its own process group."""

    def __init__(self, process: asyncio.subprocess.Process, leash: asyncio.subprocess.Process) -> None:
        self._process = process
        self._leash = leash

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: IO[bytes] | int = asyncio.subprocess.DEVNULL,
        user: str | None = None,
    ) -> "Child":
        """Start `command` with exactly that environment, as `user` or us; its two outputs go to `output`."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
        )
        leash = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _LEASH,
            "leash",
            str(process.pid),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return cls(process, leash)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait until it has ended by itself or by somebody's hand; its exit code, negative for a signal."""
        code = await self._process.wait()
        self._signal(signal.SIGKILL)  # to what it started and left behind
        await self._unleash()
        return code

    async def stop(self, patience: float = 2.0) -> None:
        """End it: politely first, by force after `patience` seconds; whatever it started goes with it."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), patience)
        except TimeoutError:
            pass
        finally:
            self._signal(signal.SIGKILL)
            await self._process.wait()
            await self._unleash()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _unleash(self) -> None:
        if self._leash.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._leash.kill()
        await self._leash.wait()
