"""The bot's own process: started with its settings, started again when it dies."""

import asyncio
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.drill.child import Child

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
LIVED = 5.0
"""Seconds after which a death is no longer a death at once. One that was killed may die as often as it likes."""
LAST_LINES = 8
_log = logging.getLogger(__name__)


class BotProcess:
    """``python -m bot serve``, or whatever `command` says, kept running until `stop`."""

    def __init__(self, command: Sequence[str], cwd: Path, log: Path, url: str) -> None:
        self.url = url
        """The bot's own HTTP port."""
        self._command = command
        self._cwd = cwd
        self._log = log
        self._environment: Mapping[str, str] = {}
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The live process's id; None in the moment between a death and the next start."""
        return self._child.pid if self._child is not None and self._child.running else None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it with exactly that environment and keep it running."""
        self._environment = environment
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it for good. Does nothing where it never started."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()

    async def ready(self) -> None:
        """Wait until ``GET /readyz`` answers 200; every ten seconds say what is missing."""
        said = time.monotonic()
        async with ClientSession(timeout=ClientTimeout(total=2)) as session:
            while True:
                status, text = await self._ask(session)
                if status == 200:
                    return
                if time.monotonic() - said > 10:
                    said = time.monotonic()
                    _log.warning("the bot is not ready yet: %s; its log is %s", text, self._log)
                await asyncio.sleep(0.05)

    async def _ask(self, session: ClientSession) -> tuple[int, str]:
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status, (await answer.text())[:300]
        except (ClientError, TimeoutError, OSError) as failure:
            return 0, f"it does not answer on {self.url} ({failure})"

    async def _spawn(self) -> None:
        with self._log.open("ab") as output:
            self._child = await Child.start(self._command, cwd=self._cwd, env=self._environment, output=output)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while self._child is not None:
            began, size = time.monotonic(), self._log.stat().st_size
            code = await self._child.wait()
            pause = FIRST_PAUSE if code == -signal.SIGKILL or time.monotonic() - began > LIVED else pause
            _log.warning("%s", _obituary(code, pause, self._log, size))
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
            await self._spawn()


def _obituary(code: int, pause: float, log: Path, since: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    with log.open("rb") as read:
        read.seek(since)
        lines = read.read()[-20_000:].decode(errors="replace").splitlines()[-LAST_LINES:]
    words = "".join(f"\n  {line}" for line in lines) or " nothing"
    return f"the bot {how}; it starts again in {pause:.1f} s. Its last words:{words}"
