"""A storm: more alerts in a minute than anybody reads. One notice, edited as it goes, stands for them all.

Nothing is lost in it: every Signal is stored, and the criticals open their incidents. Only the messages are fewer:
a warning that comes in a storm is counted in the notice instead of having a message of its own.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.errors import BotError
from bot.ports import Chat, Store

_WINDOW = timedelta(seconds=60)
_CALM_AFTER = timedelta(minutes=5)
"""Without a minute that is a storm: the notice says that it is over, and the next storm gets its own."""
_EVERY = 3.0
"""Seconds between two looks at whether the notice has to change."""
_NAMES = 12
_PREFIX = "storm:"
STORM = Gauge("musd_storm", "1 while alerts come in a storm")

log = structlog.get_logger()


class Storm:
    """Notices a storm by what triage handles, and keeps its notice."""

    def __init__(self, *, store: Store, chat: Chat, alerts_channel: str, size: int) -> None:
        """`size`: alerts beginning within a minute from which on it is a storm."""
        self._store = store
        self._chat = chat
        self._alerts_channel = alerts_channel
        self._size = size
        self._recent: deque[tuple[datetime, int]] = deque()
        self._began: datetime | None = None
        self._last = datetime.min.replace(tzinfo=UTC)
        """The last moment at which the past minute was a storm."""

    @property
    def raging(self) -> bool:
        """Whether messages about single alerts would only add to it."""
        return self._began is not None

    async def count(self, alerts: int) -> None:
        """So many alerts have begun."""
        now = datetime.now(UTC)
        self._recent.append((now, alerts))
        while now - self._recent[0][0] > _WINDOW:
            self._recent.popleft()
        if sum(number for _, number in self._recent) < self._size:
            return
        self._last = now
        if self._began is None:
            # What is counted here was received up to a minute before: alerts wait in the store until triage has them.
            self._began = await self._known(now) or now - _WINDOW
            STORM.set(1)
            log.warning("an alert storm", began=self._began.isoformat())

    async def run(self) -> None:
        """Keep the notice true for as long as the bot leads."""
        said = 0
        while True:
            await asyncio.sleep(_EVERY)
            try:
                said = await self._tell(said)
            except BotError as error:
                log.warning("the storm's notice could not be shown", error=str(error))

    async def _tell(self, said: int) -> int:
        """Post the notice, or edit it if it has become untrue; the number of alerts it says."""
        began = self._began
        if began is None:
            return 0
        total, names = await self._store.tally(began, _NAMES)
        over = datetime.now(UTC) - self._last > _CALM_AFTER
        if total != said or over:
            await self._show(began, _notice(total, names, over=over))
        if over:
            self._began = None
            STORM.set(0)
        return total

    async def _show(self, began: datetime, card: NoticeCard) -> None:
        key = f"{_PREFIX}{began.isoformat()}"
        shown = await self._store.posted(key)
        if shown is None:
            await self._chat.post(self._alerts_channel, card, key=key)
        else:
            await self._chat.edit(shown, card)

    async def _known(self, now: datetime) -> datetime | None:
        """When the storm began whose notice was still kept a moment ago, by a process that has died since."""
        key = await self._store.last_posted(_PREFIX)
        began = datetime.fromisoformat(key.removeprefix(_PREFIX)) if key else None
        return began if began and now - began < _CALM_AFTER else None


def _notice(total: int, names: Mapping[str, int], *, over: bool) -> NoticeCard:
    listed = "\n".join(f"{number} x {name}" for name, number in names.items())
    if over:
        return NoticeCard(State.OK, f"The alert storm is over: {total} alerts. What is open has its incident.", listed)
    text = (
        f"Alert storm: {total} alerts so far. Each kind of critical alert is one incident; warnings are only counted "
        "here until it is over. Look at the incidents first, and at Alertmanager for single alerts."
    )
    return NoticeCard(State.BAD, text, listed)
