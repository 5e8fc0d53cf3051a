"""What Prometheus is told about incidents: read from the record by whoever leads, so that no path can forget it."""

import asyncio
from collections import Counter as Counting
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram

from bot.domain.approval import ProposalState
from bot.domain.incident import SEVERITIES, Incident, IncidentState, TimelineEntry
from bot.errors import UnavailableError
from bot.ports import Store

STAGES = ("acknowledge", "diagnose", "mitigate", "resolve")
"""What the time is taken of, each from the opening of the incident."""
_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 4 * 3600, 24 * 3600)
_EVERY = 5.0
"""Seconds between two looks."""
_LATE = timedelta(minutes=1)
_BATCH = 500

OPENED = Counter("musd_incidents_opened", "Incidents opened while this process led", ["severity", "runbook"])
OPEN = Gauge("musd_incidents_open", "Incidents that are open now", ["severity"])
TOOK = Histogram(
    "musd_incident_seconds",
    "Seconds from the opening of an incident to a stage of it",
    ["stage", "severity"],
    buckets=_BUCKETS,
)
PROPOSALS = Gauge("musd_proposals", "Proposals that wait for votes, or are being carried out", ["action", "state"])
WAITING = Gauge("musd_deadlines_waiting", "Deadlines that have not passed yet", ["kind"])
OVERDUE = Gauge("musd_deadlines_overdue", "Deadlines that should have been judged more than a minute ago")
PENDING = Gauge("musd_signals_pending", "Signals that are stored and not yet put where they belong (500 at most)")

log = structlog.get_logger()


class Measuring:
    """Run by the one that leads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since = datetime.now(UTC)
        """What happened before is another process's to count: Prometheus adds them up."""
        self._counted: set[tuple[str, str]] = set()
        """Stages that are counted already, by incident."""
        self._done: dict[str, int] = {}
        """Incidents that are over, by the revision at which nothing new could become known."""

    async def run(self) -> None:
        """Look, for ever."""
        self._since = datetime.now(UTC)
        while True:
            try:
                await self.look()
            except UnavailableError as error:
                log.warning("the metrics are not fresh", error=str(error))
            except Exception:
                log.exception("the metrics are not fresh")
            await asyncio.sleep(_EVERY)

    async def look(self) -> None:
        """Bring every metric up to date."""
        PENDING.set(len(await self._store.pending_signals(_BATCH)))
        await self._incidents()
        await self._proposals()
        await self._deadlines()

    async def _incidents(self) -> None:
        incidents = await self._store.incidents(tuple(IncidentState))
        now_open = Counting(one.severity for one in incidents if one.is_open)
        for severity in SEVERITIES:
            OPEN.labels(severity).set(now_open[severity])
        for incident in incidents:
            if self._done.get(incident.id) != incident.revision:
                await self._times(incident)

    async def _times(self, incident: Incident) -> None:
        for stage, at in stages(incident, await self._store.timeline(incident.id)):
            if (incident.id, stage) in self._counted or at < self._since:
                continue
            self._counted.add((incident.id, stage))
            if stage == "open":
                OPENED.labels(incident.severity, incident.runbook or "none").inc()
            else:
                TOOK.labels(stage, incident.severity).observe((at - incident.opened_at).total_seconds())
        if not incident.is_open:
            self._done[incident.id] = incident.revision

    async def _proposals(self) -> None:
        PROPOSALS.clear()
        for state in (ProposalState.OPEN, ProposalState.EXECUTING):
            for action, number in Counting(
                one.proposal.action.kind for one in await self._store.proposals(state)
            ).items():
                PROPOSALS.labels(action, state).set(number)

    async def _deadlines(self) -> None:
        deadlines, now = await self._store.waiting_deadlines(), datetime.now(UTC)
        WAITING.clear()
        for kind, number in Counting(one.kind for one in deadlines).items():
            WAITING.labels(kind).set(number)
        OVERDUE.set(sum(now - one.due_at > _LATE for one in deadlines))


def stages(incident: Incident, timeline: Sequence[TimelineEntry]) -> Iterator[tuple[str, datetime]]:
    """When an incident reached each stage it has reached. The first time counts: one that comes back keeps it."""
    yield "open", incident.opened_at
    firsts = {
        "acknowledge": incident.acknowledged_at,
        "diagnose": _first(timeline, "diagnosis"),
        "mitigate": _first(timeline, "receipt:"),
        "resolve": incident.resolved_at,
    }
    yield from ((stage, at) for stage, at in firsts.items() if at is not None)


def _first(timeline: Sequence[TimelineEntry], start: str) -> datetime | None:
    return next((one.at for one in timeline if one.key.startswith(start)), None)
