"""The sweep: records that a crash, or a standby, left without their workflow, and workflows that nobody runs.

Every record comes before its workflow (docs/adr/0003), so whatever a crash can lose is found here: at start, and then
every second. Starting what exists already changes nothing, so the sweep needs no lock and no memory; what it remembers
only spares it the asking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Gauge

from bot.domain.approval import ProposalState
from bot.domain.cards import NoticeCard
from bot.domain.incident import IncidentState
from bot.domain.probe import State
from bot.engine.durable import Durable
from bot.engine.paging import PAGE
from bot.engine.persistence import until_available
from bot.engine.proposals import EXECUTE, Proposals
from bot.engine.triage import RESPOND
from bot.errors import BotError, UnavailableError
from bot.ports import Chat, Store, Stored

EVERY = 1.0
"""Seconds between two sweeps: how long a vote that a standby took may wait for the leader."""
_ALARM_EVERY = 10
"""Sweeps between two looks for workflows that nobody runs."""
_STRANDED_AFTER = timedelta(minutes=2)
_UNANNOUNCED_AFTER = timedelta(seconds=10)
"""A Proposal without a message is then nobody's work any more: posting one takes a second or two."""
_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)

STRANDED = Gauge("musd_workflows_stranded", "Durable workflows that should run and that nobody runs")
FAILED = Gauge("musd_workflows_failed", "Durable workflows that ended in an error, since the database was made")

log = structlog.get_logger()


class Sweep:
    """Run by the one that leads."""

    def __init__(
        self,
        *,
        store: Store,
        durable: Durable,
        proposals: Proposals,
        chat: Chat,
        alerts_channel: str,
        settlers: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """`settlers` start what other parts of the engine have stored; called now and then, they make twice once."""
        self._store = store
        self._durable = durable
        self._proposals = proposals
        self._chat = chat
        self._alerts_channel = alerts_channel
        self._settlers = settlers
        self._known: set[tuple[str, str]] = set()
        self._settled: dict[str, int] = {}
        self._alarmed: set[str] = set()
        self._telling: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Sweep for as long as the bot leads."""
        number = 0
        while True:
            try:
                await self.once()
                if number % _ALARM_EVERY == 0:
                    await self._alarm()
                    for settle in self._settlers:
                        await settle()
            except UnavailableError as error:
                log.warning("the sweep stopped half-way; it begins again", error=str(error))
            except Exception:
                log.exception("the sweep stopped half-way; it begins again")
            number += 1
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        """Start whatever should be running and isn't."""
        wanted = [*await self._responses(), *await self._executions()]
        for name, subject in wanted:
            if (name, subject) not in self._known:
                await self._durable.start(name, subject)
        self._known = set(wanted)
        proposals = await self._store.proposals(ProposalState.OPEN)
        for stored in proposals:
            await self._settle(stored)
        self._settled = {stored.proposal.id: len(stored.votes) for stored in proposals}

    async def _responses(self) -> list[tuple[str, str]]:
        incidents = await self._store.incidents(_OPEN)
        pages = [(PAGE, incident.id) for incident in incidents if incident.pages]
        return pages + [(RESPOND, incident.id) for incident in incidents]

    async def _executions(self) -> list[tuple[str, str]]:
        return [(EXECUTE, stored.proposal.id) for stored in await self._store.proposals(ProposalState.EXECUTING)]

    async def _settle(self, stored: Stored) -> None:
        proposal = stored.proposal
        if stored.message is None and datetime.now(UTC) - proposal.proposed_at > _UNANNOUNCED_AFTER:
            announce = partial(self._proposals.announce, proposal, self._alerts_channel)
            self._tell(f"announce:{proposal.id}", announce)
        if stored.votes and self._settled.get(proposal.id) != len(stored.votes):
            await self._proposals.settle(proposal.id)

    async def _alarm(self) -> None:
        """A metric, and one notice for each: nobody else would ever notice that a workflow no longer runs."""
        stranded, failed = await self._durable.stranded(_STRANDED_AFTER), await self._durable.failed()
        STRANDED.set(len(stranded))
        FAILED.set(len(failed))
        self._notify(stranded, "stands still: nobody runs it, although it should be running")
        self._notify(failed, "ended in an error and will not go on by itself")

    def _notify(self, workflows: Iterable[str], what: str) -> None:
        for workflow in workflows:
            if workflow in self._alarmed:
                continue
            self._alarmed.add(workflow)
            text = (
                f"The bot's own work «{workflow}» {what}. What it was to do may be half done. "
                "Look at the incident or proposal it names and do the rest by hand; the bot's log says what broke."
            )
            key = f"alarm:{workflow}"
            self._tell(key, partial(self._chat.post, self._alerts_channel, NoticeCard(State.BAD, text), key=key))

    def _tell(self, key: str, work: Callable[[], Awaitable[object]]) -> None:
        """Beside the sweep, which a Slack that is away must not hold up; once at a time for each key."""
        if key in self._telling:
            return
        task = self._telling[key] = asyncio.create_task(_patiently(work))
        task.add_done_callback(lambda _: self._telling.pop(key))


async def _patiently(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await until_available(work)
    except BotError as error:
        log.warning("this could not be said", error=str(error))
