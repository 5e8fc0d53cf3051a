"""The practice world: every stand-in, the bot's process, and the doors between people and both."""

import asyncio
import contextlib
import errno
import fcntl
import logging
import shlex
import signal
import sys
import webbrowser
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from bot.drill.announcements import Announcements
from bot.drill.aws import Aws
from bot.drill.bot_process import BotProcess
from bot.drill.bot_settings import environment
from bot.drill.breakage import Breaker
from bot.drill.chain import Chain
from bot.drill.chain.anvil import free_port
from bot.drill.chain.deployment import SHARE_DECIMALS
from bot.drill.checks import feeder_runs, participant_runs, price_source
from bot.drill.cluster import Cluster
from bot.drill.database import Database
from bot.drill.docker import Docker
from bot.drill.doors import Doors
from bot.drill.ledger import Ledger
from bot.drill.pagerduty import PagerDuty
from bot.drill.part import Part
from bot.drill.prices import Prices
from bot.drill.stage import Stage
from bot.drill.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
SERVE = (sys.executable, "-m", "bot", "serve")
SAVE_EVERY = 2.0
STOP_WITHIN = 4.0
"""Seconds everything has to end in; what has not by then is cut off."""
_log = logging.getLogger(__name__)


class CannotStartError(Exception):
    """The world can't start; the text says why and what to do."""


@dataclass(frozen=True)
class Options:
    """What `musd-bot drill` was asked for."""

    folder: Path
    port: int = 3000
    block_time: float | None = None
    share_decimals: int = SHARE_DECIMALS
    scenarios: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    browser: bool = False
    command: Sequence[str] = SERVE
    """How the bot is started."""


class World:
    """All the parts, side by side, and the bot."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = options.folder.resolve()
        self.workspace = Workspace(options.port, ROOT / "app-manifest.yml", ROOT / "bot" / "drill" / "page")
        self.chain = Chain(options.block_time, options.share_decimals)
        self.cluster = Cluster()
        self.docker = Docker(self.cluster)
        self.database = Database()
        self.ledger = Ledger()
        self.pagerduty = PagerDuty()
        self.prices = Prices()
        self.aws = Aws()
        self.announcements = Announcements()
        outside = (self.pagerduty, self.prices, self.aws, self.announcements)
        # `Part` has settable attributes where some have constants, which nobody here sets.
        self.parts = cast(
            "tuple[Part, ...]", (self.workspace, self.chain, self.cluster, self.docker, self.ledger, *outside)
        )
        port = free_port()
        self.bot = BotProcess(options.command, ROOT, self.folder / "bot.log", f"http://127.0.0.1:{port}")
        self.breaker = Breaker(self.parts)
        self.stage = Stage(self)
        self._bot_port = port
        self._started: list[Part] = []
        self._tasks: list[asyncio.Task[None]] = []
        Doors(self).add_to(self.workspace.app)

    async def start(self) -> None:
        """Start the parts side by side, then the bot. Raises `CannotStartError`, and what a part raises."""
        slack, *others = self.parts
        outcomes = await asyncio.gather(*(self._start(part) for part in others), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        self.database.behind(self.cluster, self.folder / "database")
        self.cluster.canton_addresses.add(urlsplit(self.ledger.url).netloc)
        # Last, so that no door ever shows half a world.
        await self._start(slack)
        self.pagerduty.webhook_url = f"{self.bot.url}/pagerduty"
        if self.options.settings.get("slack_mode") == "http":
            self.workspace.request_url = f"{self.bot.url}/slack/events"
        self._tasks = [asyncio.create_task(self._keep_saving()), asyncio.create_task(self._tie_parts_to_their_pods())]
        given = environment(self, self._bot_port, self.options.settings)
        _keep(self.folder / "bot.env", given)
        await self.bot.start(given)

    async def stop(self) -> None:
        """End the bot, then the parts; whatever of it was started."""
        await _quietly("the stage", self.stage.stop())
        await _quietly("the bot", self.bot.stop())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _quietly("the database", self.database.stop())
        await asyncio.gather(*(_quietly(part.name, part.stop()) for part in reversed(self._started)))

    async def _start(self, part: Part) -> None:
        folder = self.folder / part.name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            await part.start(folder)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CannotStartError(
                f"port {self.options.port} is taken, perhaps by another drill: end that one, or choose another port "
                f"with --port {self.options.port + 1}"
            ) from error
        self._started.append(part)

    async def _tie_parts_to_their_pods(self) -> None:
        """Ledger and prices come as long as the pods behind them are ready, and not because somebody said so."""
        ours = False
        while True:
            runs = await participant_runs(self)
            if not runs and "down" not in self.ledger.broken:
                await self.ledger.inflict({"fault": "down"})
                ours = True
            elif runs and ours:
                self.ledger.broken.pop("down", None)
                ours = False
            self.chain.feeder_runs = await feeder_runs(self)
            if price_source(self) == "temple" and "tradecraft-down" in self.prices.broken:
                await self.chain.feed_again()
            await asyncio.sleep(0.2)

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            for part in self._started:
                try:
                    part.save()
                except OSError as failure:
                    _log.warning("%s could not be saved: %s", part.name, failure)


async def run(options: Options) -> int:
    """Run a practice world until SIGINT or SIGTERM; the exit code."""
    options.folder.mkdir(parents=True, exist_ok=True)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with _only_one(options.folder):
        world = World(options)
        life = asyncio.create_task(_live(world))
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        life.cancel()
        outcome = (await asyncio.gather(life, return_exceptions=True))[0]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(world.stop(), STOP_WITHIN)
    if isinstance(outcome, Exception):
        raise outcome
    return 0


async def _live(world: World) -> None:
    """Start, say so, and stay; returns only by being cancelled."""
    await world.start()
    await world.bot.ready()
    for key in world.options.scenarios:
        await world.stage.start(key)
    print(f"drill ready {world.workspace.url}", flush=True)  # noqa: T201 - the line callers wait for
    if world.options.browser:
        await asyncio.to_thread(webbrowser.open, world.workspace.url)
    await asyncio.Event().wait()


@contextlib.contextmanager
def _only_one(folder: Path) -> Any:
    """Keep two drills off one folder. Raises `CannotStartError`."""
    with (folder / "drill.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStartError(
                f"another drill is running on {folder}: end it, or choose another folder with --data"
            ) from None
        yield


async def _quietly(what: str, ending: Coroutine[Any, Any, None]) -> None:
    """Let one part's failure to end not keep the others from ending."""
    try:
        await ending
    except Exception:  # noqa: BLE001 - whatever it was, the others are to end too
        _log.exception("%s did not end as it should", what)


def _keep(path: Path, environment: Mapping[str, str]) -> None:
    """What the bot is told, for a terminal beside it: ``set -a; . bot.env; musd-bot doctor``."""
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))
    path.chmod(0o600)
