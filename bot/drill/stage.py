"""Where scenarios are played: started, watched until they are solved, mended."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError

from bot.drill import scorecard
from bot.drill.alerts import send, webhook
from bot.drill.bot_settings import ALERTMANAGER_TOKEN
from bot.drill.chain.rpc import RpcError
from bot.drill.scenarios import SCENARIOS, Scenario, scenario

if TYPE_CHECKING:
    from bot.drill.world import World

LOOK_EVERY = 0.5
"""Seconds between two looks at whether a scenario is solved."""
SETTLE = 1.0
"""Seconds between a scenario's being seen broken and its alert: real ones fire after minutes, not in mid-fall."""
BITES_WITHIN = 5.0
"""Seconds after which the alert fires anyway, such as when everything was paused before."""
_log = logging.getLogger(__name__)


@dataclass
class Play:
    """One run of a scenario."""

    scenario: Scenario
    started: datetime
    seen_broken: bool = False
    """Faults take a moment to bite: nothing is solved before it was once seen to be broken."""
    solved: datetime | None = None
    mended: bool = False
    scorecard: str = ""
    """Markdown, once it is over."""
    watch: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def active(self) -> bool:
        """Whether it is still to be solved or mended."""
        return self.solved is None and not self.mended


class Stage:
    """The scenarios of one practice world and how far each has come."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._plays: dict[str, Play] = {}

    def listing(self) -> list[dict[str, Any]]:
        """What `GET /scenarios` answers."""
        return [self._shown(one) for one in SCENARIOS]

    async def start(self, key: str) -> None:
        """Break what the scenario breaks and send its alert. Raises `KeyError`, and what faults raise."""
        one = scenario(key)
        if (running := self._plays.get(key)) is not None and running.active:
            raise ValueError(f"the scenario {key} is under way already; mend it to begin again")
        play = self._plays[key] = Play(one, datetime.now(UTC))
        try:
            for request in one.breaks:
                await self._world.breaker.inflict(request)
        except ValueError:
            del self._plays[key]
            raise
        await self._bite(play)
        if play.active:
            await self._tell(play)
            play.watch = asyncio.create_task(self._watch(play))

    async def mend(self, key: str) -> None:
        """Mend the parts it broke and resolve its alert."""
        one = scenario(key)
        play = self._plays.get(key)
        running = play if play is not None and play.active else None
        if running is not None:
            running.mended = True  # first, so that the watch does not take what is mended for solved
        touched = set().union(*(self._world.breaker.touched(request) for request in one.breaks))
        await self._world.breaker.mend(sorted(touched))
        if running is None:
            return
        ended = datetime.now(UTC)
        if one.beforehand is not None and await one.beforehand(self._world, running.started):
            running.solved = ended
        self._judge(running)
        await self._tell(running, ended)

    async def stop(self) -> None:
        """Stop watching."""
        watches = [play.watch for play in self._plays.values() if play.watch is not None]
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    def _shown(self, one: Scenario) -> dict[str, Any]:
        play = self._plays.get(one.key)
        took = (play.solved - play.started).total_seconds() if play and play.solved else None
        return {
            "key": one.key,
            "title": one.title,
            "section": one.section,
            "what": one.what,
            "alert": one.alert.name if one.alert else None,
            "solved_when": one.solved,
            "hint": one.hint,
            "active": play is not None and play.active,
            "solved": took is not None,
            "solved_after_seconds": took,
            "scorecard": play.scorecard if play else "",
        }

    def _judge(self, play: Play) -> None:
        """The scorecard, for the page and in the incident's thread."""
        slack = self._world.workspace.slack
        card = scorecard.judge(slack, play.scenario, play.started, play.solved)
        play.scorecard = card.markdown()
        scorecard.publish(slack, card)

    async def _bite(self, play: Play) -> None:
        """Wait until the faults show."""
        deadline = time.monotonic() + BITES_WITHIN
        while not play.seen_broken and time.monotonic() < deadline:
            await self._look(play)
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE if play.seen_broken else 0)

    async def _watch(self, play: Play) -> None:
        while play.active:
            await asyncio.sleep(LOOK_EVERY)
            if await self._look(play) and play.seen_broken and play.active:
                play.solved = datetime.now(UTC)
                self._judge(play)
                await self._tell(play, play.solved)

    async def _look(self, play: Play) -> bool:
        """Whether it is solved; noted where it is not."""
        try:
            good = await play.scenario.check(self._world)
        except (RpcError, ClientError, TimeoutError, OSError):
            return False  # the world is broken in more than one way; look again
        play.seen_broken = play.seen_broken or not good
        return good

    async def _tell(self, play: Play, ended: datetime | None = None) -> None:
        """Send the alert as Alertmanager would: again and again until the bot has taken it."""
        if play.scenario.alert is None:
            return
        body = webhook(play.scenario.alert, play.started, ended)
        for attempt in range(8):
            try:
                status = await send(self._world.bot.url, ALERTMANAGER_TOKEN, body)
            except (ClientError, TimeoutError, OSError) as failure:
                _log.info("the bot did not take the alert of %s: %s", play.scenario.key, failure)
            else:
                if status < 500:
                    return
            await asyncio.sleep(0.2 * 2**attempt)
        _log.warning("the bot took no alert of the scenario %s", play.scenario.key)
