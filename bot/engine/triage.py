"""Triage: every stored Signal is put where it belongs, once. See `bot.engine.intake` for how it came to be stored.

Signals are handled in batches, for a storm brings thousands: those of one kind together, with one line of the timeline.
"""

import asyncio
import secrets
from collections import Counter as Counting
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter

from bot.domain.incident import Incident, IncidentState, TimelineEntry, of_alert
from bot.domain.routing import Routing
from bot.domain.runbook import Runbook
from bot.domain.signal import Severity, Signal, SignalStatus
from bot.engine.durable import Durable
from bot.engine.paging import PAGE
from bot.engine.storm import Storm
from bot.engine.warnings import shown_as
from bot.ports import Reads, Store
from bot.runbooks import Runbooks

RESPOND, RESOLVED, WARN, CALM = "respond", "resolved", "warn", "calm"
"""The workflows that triage starts. Each is named by what it is about, so that starting it twice is once."""

STORM_TOPIC = "storm"
"""The topic of the incident that holds what would be one channel too many."""
_CAP_WINDOW = timedelta(minutes=10)
_BATCH = 500
_NAMES = 12
"""Of alerts, in one line of the timeline."""
_FLAPPING = timedelta(hours=1)
"""An alert that fires again this soon after its incident was resolved is the same trouble: the incident goes on."""
_IDLE = 5.0
"""Seconds after which the stored Signals are looked at even if nobody called: what a crash left is found here."""

SIGNALS = Counter("musd_signals", "Signals handled", ["severity", "status"])

Worsen = Callable[[str], Awaitable[None]]
"""Makes an incident critical; nothing happens where it is."""
Recur = Callable[[str, str], Awaitable[None]]
"""Reopens an incident, by its id, because this alert, by its name, fires again; nothing happens where it is open."""

log = structlog.get_logger()


class Triage:
    """Takes Signals in and starts what follows from them."""

    def __init__(
        self,
        *,
        store: Store,
        durable: Durable,
        runbooks: Runbooks,
        routing: Routing,
        storm: Storm,
        worsen: Worsen,
        recur: Recur,
        most_incidents: int,
    ) -> None:
        """`most_incidents`: that alerts without a runbook may open within ten minutes; the storm incident is next."""
        self._store = store
        self._durable = durable
        self._runbooks = runbooks
        self._routing = routing
        self._storm = storm
        self._worsen = worsen
        self._recur = recur
        self._most_incidents = most_incidents
        self._arrived = asyncio.Event()
        self._shown_in_storm: set[str] = set()

    def arrived(self) -> None:
        """Signals were stored: look now."""
        self._arrived.set()

    async def run(self) -> None:
        """Handle stored Signals for as long as the bot leads."""
        while True:
            self._arrived.clear()
            try:
                while pending := await self._store.pending_signals(_BATCH):
                    await self._handle(pending)
            except Exception:
                log.exception("triage stopped half-way; the signals stay stored and are tried again")
            try:
                await asyncio.wait_for(self._arrived.wait(), _IDLE)
            except TimeoutError:
                continue

    async def _handle(self, signals: Sequence[Signal]) -> None:
        """Everything here can happen again after a crash: each start is of a run that is named by its subject."""
        told: list[Signal] = []
        fired: dict[str, list[Signal]] = defaultdict(list)
        over: list[Signal] = []
        for signal in signals:
            SIGNALS.labels(self._severity(signal), signal.status).inc()
            if signal.status is SignalStatus.RESOLVED:
                over.append(signal)
            elif self._severity(signal) is Severity.INFO:
                told.append(signal)
            else:
                fired[self._topic(signal)].append(signal)
        await self._storm.count(sum(map(len, fired.values())))
        if not self._storm.raging:
            self._shown_in_storm.clear()
        if told:  # counted, and that is all
            await self._store.signals_handled([signal.key for signal in told], None)
        stuck: list[Exception] = []
        for topic, some in fired.items():
            try:
                await self._fired(topic, some)
            except Exception as error:  # noqa: BLE001 - one topic's trouble must not hold up another's alerts
                stuck.append(error)
        await self._over(over)
        if stuck:
            raise ExceptionGroup("signals that are tried again", stuck)

    def _severity(self, signal: Signal) -> Severity:
        runbook = self._runbooks.for_alert(signal.name)
        return self._routing.severity(signal.labels, signal.severity, runbook.severity if runbook else None)

    def _topic(self, signal: Signal) -> str:
        runbook = self._runbooks.for_alert(signal.name)
        return runbook.key if runbook else f"alert:{signal.name}"

    async def _fired(self, topic: str, signals: Sequence[Signal]) -> None:
        """Alerts of one topic: an incident where one is open or one of them is critical, else warnings."""
        critical = [signal for signal in signals if self._severity(signal) is Severity.CRITICAL]
        incident = await self._going_on(topic, critical)
        if incident is None and critical:
            incident = await self._opened(critical[0], topic)
        if incident is None:
            await self._warned(topic, signals)
            return
        if critical and not incident.pages and await self._is_news(critical):
            await self._worsen(incident.id)
        await self._join(incident, signals)

    async def _going_on(self, topic: str, critical: Sequence[Signal]) -> Incident | None:
        """The open incident of a topic; or the one that was just resolved, if one of its own alerts is back."""
        known = await self._store.latest_incident(topic)
        if known is None or known.is_open:
            return known
        recent = known.resolved_at is not None and datetime.now(UTC) - known.resolved_at < _FLAPPING
        if not critical or not recent or known.state is not IncidentState.RESOLVED:
            return None
        its_own = await self._store.fingerprints(known.id)
        back = next((signal for signal in critical if signal.fingerprint in its_own), None)
        if back is None:
            return None
        await self._recur(known.id, back.name)
        again = await self._store.incident(known.id)
        return again if again is not None and again.is_open else None

    async def _opened(self, signal: Signal, topic: str) -> Incident:
        """A new incident, or the storm's, where there have been too many of late."""
        runbook, now = self._runbooks.for_alert(signal.name), datetime.now(UTC)
        fresh = self._fresh(signal, runbook, topic)
        if runbook is None and await self._store.opened_since(now - _CAP_WINDOW) >= self._most_incidents:
            fresh = _storm_incident()
        incident, _ = await self._store.open_incident(fresh)
        return incident

    def _fresh(self, signal: Signal, runbook: Runbook[Reads] | None, topic: str) -> Incident:
        return Incident(
            id=secrets.token_hex(8),
            topic=topic,
            runbook=runbook.key if runbook else None,
            title=runbook.title if runbook else signal.name,
            severity=of_alert(self._severity(signal)),
            state=IncidentState.OPEN,
            opened_at=datetime.now(UTC),
            labels=signal.labels,
            summary=signal.summary,
            impact=runbook.impact if runbook else "",
        )

    async def _is_news(self, critical: Iterable[Signal]) -> bool:
        """Whether one of them fires for the first time: an alert that flaps raises what people have lowered no more."""
        for signal in critical:
            if len(await self._store.starts(signal.fingerprint)) == 1:
                return True
        return False

    async def _join(self, incident: Incident, signals: Sequence[Signal]) -> None:
        keys = [signal.key for signal in signals]
        await self._store.signals_join(keys, incident.id)
        if incident.pages:
            await self._durable.start(PAGE, incident.id)
        await self._durable.start(RESPOND, incident.id)
        # Two Alertmanagers, or a retry, may have brought the end before the beginning.
        ends = list(await self._store.signals_known([signal.end_key for signal in signals]))
        if ends:
            await self._store.signals_join(ends, incident.id)
            await self._durable.start(RESOLVED, ends[-1])
        await self._store.signals_handled(keys, incident.id, _entry(incident.id, signals, "fires", "fire"))

    async def _warned(self, topic: str, signals: Sequence[Signal]) -> None:
        """Warnings are shown one by one; in a storm only the first of each runbook, whose deadline still counts."""
        shown = signals
        if self._storm.raging:
            known = self._runbooks.for_alert(signals[0].name) is not None
            shown = signals[:1] if known and topic not in self._shown_in_storm else ()
            self._shown_in_storm.add(topic)
        for signal in shown:
            await self._durable.start(WARN, signal.key)
        await self._store.signals_handled([signal.key for signal in signals], None)

    async def open_from_warning(self, signal_key: str) -> Incident | None:
        """A person, or a deadline, turned a warning into an incident; None if nobody knows that Signal."""
        signal = await self._store.signal(signal_key)
        if signal is None:
            return None
        topic = self._topic(signal)
        incident, _ = await self._store.open_incident(self._fresh(signal, self._runbooks.for_alert(signal.name), topic))
        await self._join(incident, [signal])
        return incident

    async def _over(self, signals: Sequence[Signal]) -> None:
        """Alerts that are over: each incident of theirs is looked at once, each warning that was shown is closed."""
        begun = await self._store.signals_known([signal.start_key for signal in signals])
        by_incident: dict[str, list[Signal]] = defaultdict(list)
        nobodys: list[Signal] = []
        for signal in signals:
            incident_id = begun.get(signal.start_key)
            if signal.start_key not in begun:
                incident_id = await self._open_of(self._topic(signal))
            if incident_id is not None:
                by_incident[incident_id].append(signal)
                continue
            nobodys.append(signal)
            if await self._store.posted(shown_as(signal.start_key)) is not None:
                await self._durable.start(CALM, signal.key)
        for incident_id, some in by_incident.items():
            keys = [signal.key for signal in some]
            await self._store.signals_join(keys, incident_id)
            await self._durable.start(RESOLVED, keys[-1])
            entry = _entry(incident_id, some, "is resolved", "are resolved")
            await self._store.signals_handled(keys, incident_id, entry)
        if nobodys:
            await self._store.signals_handled([signal.key for signal in nobodys], None)

    async def _open_of(self, topic: str) -> str | None:
        """The open incident of a topic: an alert whose beginning never came here may still have one."""
        incident = await self._store.latest_incident(topic)
        return incident.id if incident is not None and incident.is_open else None


def _storm_incident() -> Incident:
    return Incident(
        id=secrets.token_hex(8),
        topic=STORM_TOPIC,
        runbook=None,
        title="Alert storm",
        severity=Severity.CRITICAL,
        state=IncidentState.OPEN,
        opened_at=datetime.now(UTC),
        summary="More critical alerts than can have a channel each",
        impact="Many things are broken at once: this incident holds every critical alert that has no runbook and no "
        "incident of its own. Its timeline and Alertmanager list them.",
    )


def _entry(incident_id: str, signals: Sequence[Signal], one: str, many: str) -> TimelineEntry:
    """One line for all of them, by the first one's key."""
    first = signals[0]
    names = _counted(signals)
    said = f"{first.name} {one}" if len(signals) == 1 else f"{len(signals)} alerts {many}: {names}"
    evidence = {"fingerprint": first.fingerprint, "labels": dict(first.labels)}
    at = first.starts_at if first.status is SignalStatus.FIRING else datetime.now(UTC)
    key = f"signal:{first.key}"
    return TimelineEntry(incident_id=incident_id, key=key, at=at, actor="bot", text=said, evidence=evidence)


def _counted(signals: Iterable[Signal]) -> str:
    numbers = Counting(signal.name for signal in signals)
    return ", ".join(f"{number} x {name}" if number > 1 else name for name, number in numbers.most_common(_NAMES))
