"""Deadlines: stored with their time, waited for durably, and judged when they pass.

One whose condition has provably cleared says so and does nothing; UNKNOWN clears nothing. What stops the protocol is
offered to people, loudly, and never pulled (docs/adr/0006).
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter

from bot.domain.cards import NoticeCard, UrgentCard
from bot.domain.deadline import Deadline, DeadlineKind, DeadlineState
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.runbook import Escalation
from bot.domain.signal import Signal
from bot.engine.durable import Durable
from bot.engine.judging import Judging
from bot.engine.paging import Paging
from bot.engine.persistence import until_available
from bot.engine.response import Response
from bot.engine.rooms import with_channel
from bot.engine.warnings import shown_as
from bot.ports import Chat, Journal, Roster, Store
from bot.runbooks import Runbooks

DEADLINE = "deadline"
"""The workflow that a deadline wakes. Its subject is the deadline's id."""
WATCH = "watch"
"""The workflow of an hour of watching: see `bot.engine.watching`."""

UNPAUSE = "unpause"
"""The workflow that waits for the bridge's 24 hours: see `bot.engine.unpausing`."""
_WORKFLOWS = {DeadlineKind.WATCH: WATCH, DeadlineKind.UNPAUSE: UNPAUSE}
"""Those that begin with the deadline; any other begins when it passes."""

_REMINDERS = ((0.5, "half the time is gone"), (11 / 12, "the last hours"), (1.0, "it is overdue"))
"""Parts of the post-mortem's 48 hours: 24 h, 44 h, and the end."""
_PATIENCE = timedelta(minutes=2)
ENDED = Counter("musd_deadlines_ended", "Deadlines that were judged, by what became of them", ["kind", "state"])

Raise = Callable[[str], Awaitable[None]]
"""Gives an incident its runbook's escalated severity; nothing happens where it has it."""
Open = Callable[[str], Awaitable[Incident | None]]
"""Opens the incident of a warning's Signal, or finds it."""


class Deadlines:
    """Sets deadlines, and is what they wake."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        paging: Paging,
        roster: Roster,
        durable: Durable,
        runbooks: Runbooks,
        judging: Judging,
        response: Response,
        escalate_after: timedelta | None,
        watch_for: timedelta,
        postmortem_due: timedelta,
    ) -> None:
        self._store = store
        self._chat = chat
        self._paging = paging
        self._roster = roster
        self._durable = durable
        self._runbooks = runbooks
        self._judging = judging
        self._response = response
        self._escalate_after = escalate_after
        self._watch_for = watch_for
        self._postmortem_due = postmortem_due
        self._waited: set[str] = set()
        """Ids of deadlines whose workflow is known to exist: spares asking again."""

    # --- Setting them ------------------------------------------------------------------------------------------------

    async def opened(self, incident: Incident) -> None:
        """The runbook's escalation, from the incident's opening on; from now on where it was reopened."""
        escalation = self._escalation(incident.runbook)
        if escalation is None or escalation.becomes is incident.severity:
            return
        began = incident.opened_at if not incident.revision else datetime.now(UTC)
        await self._set(
            Deadline(
                id=f"{incident.id}:escalation:{incident.revision}",
                kind=DeadlineKind.ESCALATION,
                due_at=began + self._after(escalation),
                text=escalation.text,
                incident_id=incident.id,
                began_at=began,
            )
        )

    async def warned(self, signal: Signal) -> Deadline | None:
        """The escalation of a warning's runbook, from the alert's own beginning on; None where it has none."""
        runbook = self._runbooks.for_alert(signal.name)
        escalation = runbook.escalation if runbook else None
        if escalation is None or escalation.becomes is None:
            return None
        deadline = Deadline(
            id=f"{signal.fingerprint}/{signal.starts_at.isoformat()}:warning",
            kind=DeadlineKind.WARNING,
            due_at=signal.starts_at + self._after(escalation),
            text=escalation.text,
            signal_key=signal.key,
            began_at=signal.starts_at,
        )
        return await self._set(deadline)

    async def postmortem(self, incident: Incident) -> None:
        """Three reminders of the post-mortem, from the end of the incident on."""
        ended = incident.resolved_at or datetime.now(UTC)
        due = ended + self._postmortem_due
        for number, (part, words) in enumerate(_REMINDERS):
            text = "the post-mortem is due" if part == 1 else f"reminder of the post-mortem: {words}"
            await self._set(
                Deadline(
                    id=f"{incident.id}:postmortem:{incident.revision}:{number}",
                    kind=DeadlineKind.POSTMORTEM,
                    due_at=due if part == 1 else ended + part * self._postmortem_due,
                    text=text,
                    incident_id=incident.id,
                    began_at=ended,
                )
            )

    async def watch(self, incident_id: str | None, channel: str, *, key: str) -> Deadline:
        """Watch for an hour, and give the all-clear or say what is wrong.

        Args:
            incident_id: whose runbook's probes are asked; the protocol's status where there is none.
            channel: where it is told.
            key: what is watched after, such as an unpause's proposal id: the same again is the same watch.
        """
        now = datetime.now(UTC)
        deadline = Deadline(
            id=f"watch:{key}",
            kind=DeadlineKind.WATCH,
            due_at=now + self._watch_for,
            text="the watch ends, with an all-clear if all was well",
            incident_id=incident_id,
            channel=channel,
            began_at=now,
        )
        kept = await self._store.keep_deadline(deadline)
        await self._durable.start(WATCH, kept.id)
        return kept

    async def overtaken(self, incident_id: str, kind: DeadlineKind, why: str) -> None:
        """End those of a kind that a change of the incident has left without a reason."""
        for deadline in await self._store.incident_deadlines(incident_id):
            if deadline.kind is kind and deadline.state is DeadlineState.WAITING:
                await self._store.end_deadline(deadline.id, DeadlineState.CLEARED, why)

    async def settle_all(self) -> None:
        """Wait for whatever was stored before somebody died, or by a version that knew no deadlines. Twice is once."""
        for incident in await self._store.incidents(_OPEN):
            first = f"{incident.id}:escalation:0"
            if not incident.revision and first not in self._waited:
                await self.opened(incident)
                self._waited.add(first)
        for deadline in await self._store.waiting_deadlines():
            if deadline.id in self._waited:
                continue
            self._waited.add(deadline.id)
            if deadline.kind in _WORKFLOWS:
                await self._durable.start(_WORKFLOWS[deadline.kind], deadline.id)
            else:
                await self._set(deadline)

    async def _set(self, deadline: Deadline) -> Deadline:
        kept = await self._store.keep_deadline(deadline)
        left = max(kept.due_at - datetime.now(UTC), timedelta(0))
        await self._durable.start_later(DEADLINE, kept.id, left)
        return kept

    # --- Passing -----------------------------------------------------------------------------------------------------

    async def passed(self, journal: Journal, deadline_id: str, *, become: Raise, open_warning: Open) -> None:
        """Its time has come: look whether it still holds, and say so or act on it.

        Args:
            journal: of this run.
            deadline_id: which.
            become: raises the severity.
            open_warning: makes an incident of a warning.
        """
        deadline = await self._store.deadline(deadline_id)
        if deadline is None or deadline.state is not DeadlineState.WAITING:
            return
        cleared, why = await journal.step("judge", lambda: self._judging.judge(deadline), tuple[bool, str])
        if cleared:
            await journal.step("clear", lambda: self._end(deadline, DeadlineState.CLEARED, why), type(None))
            await journal.step("say", lambda: self._say_cleared(deadline, why), type(None))
            return
        if deadline.kind is DeadlineKind.POSTMORTEM:
            await journal.step("remind", lambda: self._remind(deadline), type(None))
            await journal.step("end", lambda: self._end(deadline, DeadlineState.PASSED, "reminded"), type(None))
            return
        incident_id = deadline.incident_id
        if incident_id is None:
            incident_id = await journal.step("open", lambda: self._open(deadline, open_warning), str)
        await journal.step("become", lambda: become(incident_id), type(None))
        await journal.step("offer", lambda: self._offer(deadline, incident_id, why), type(None))
        said = await journal.step("escalate", lambda: self._escalate(deadline, incident_id), str)
        await journal.step("end", lambda: self._end(deadline, DeadlineState.PASSED, said), type(None))

    async def _offer(self, deadline: Deadline, incident_id: str, why: str) -> None:
        """The loud part: whoever can decide is called, and what they can decide is one press away."""
        # A warning became an incident just now: its channel may still be on the way, and it is where people look.
        incident = await with_channel(self._store, incident_id, _ROOM_WITHIN)
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        took = _words(deadline.due_at - deadline.began_at)
        text = (
            f"{took} have passed, and nothing proves that it is over: {deadline.text}. "
            "The bot does not pull it by itself: decide now. A pause is proposed here and takes one guardian."
        )
        people = tuple(dict.fromkeys([*([incident.lead] if incident.lead else []), *self._responders()]))
        buttons = await self._response.pause_buttons(incident)
        title = f"{runbook.title if runbook else incident.title}: not recovered after {took}"
        card = UrgentCard(title, text, people, buttons, quote=why)
        channel = incident.channel or self._response.alerts_channel
        own = channel != self._response.alerts_channel
        thread = None if own else incident.card
        await until_available(lambda: self._chat.post(channel, card, key=f"deadline:{deadline.id}", thread=thread))
        await self._note(incident_id, f"deadline:{deadline.id}", f"Deadline passed: {title}. Pause offered", why)

    async def _escalate(self, deadline: Deadline, incident_id: str) -> str:
        """The page goes up a level; a PagerDuty that can't be asked is a line for people, since they can call."""
        incident = await self._incident(incident_id)
        said = await self._paging.escalate(incident, _PATIENCE)
        await self._note(incident_id, f"escalated:{deadline.id}", said)
        if incident.channel:
            state = State.OK if said.startswith("Page escalated") else State.BAD
            channel, card = incident.channel, NoticeCard(state, said)
            key = f"escalated:{deadline.id}"
            await until_available(lambda: self._chat.post(channel, card, key=key, thread=incident.card))
        return said

    async def _open(self, deadline: Deadline, open_warning: Open) -> str:
        incident = await open_warning(deadline.signal_key or "")
        if incident is None:
            raise LookupError(f"deadline {deadline.id} is about a signal nobody knows")
        return incident.id

    async def _remind(self, deadline: Deadline) -> None:
        incident = await self._incident(deadline.incident_id or "")
        due = deadline.began_at + self._postmortem_due
        overdue = deadline.due_at >= due
        left = _words(due - deadline.due_at)
        head = "The post-mortem is OVERDUE" if overdue else f"The post-mortem is due in {left}"
        people = (incident.lead,) if incident.lead else ()
        called = "".join(f" <@{one}>" for one in people)
        text = f"{head}.{called} `/musd postmortem` drafts it from the record; mark it as done when it is."
        # An archived channel takes no messages: the reminder is still owed.
        channel = self._response.alerts_channel if incident.archived else incident.channel
        if channel:
            elsewhere = incident.title if incident.archived else ""
            card = NoticeCard(State.BAD if overdue else None, text, elsewhere, people=people)
            await until_available(
                lambda: self._chat.post(channel, card, key=f"deadline:{deadline.id}"), within=_PATIENCE
            )
        await self._note(incident.id, f"deadline:{deadline.id}", head)

    async def _say_cleared(self, deadline: Deadline, why: str) -> None:
        text = f"Deadline passed and cleared, nothing to do: {deadline.text}"
        if deadline.incident_id is None:
            await self._say_under_warning(deadline, NoticeCard(State.OK, text, quote=why))
            return
        if deadline.kind is DeadlineKind.POSTMORTEM:
            return
        incident = await self._incident(deadline.incident_id)
        await self._note(incident.id, f"deadline:{deadline.id}", f"{text}. {why}")
        if incident.channel and incident.state is not IncidentState.CLOSED:
            channel, card = incident.channel, NoticeCard(State.OK, text, quote=why)
            key = f"deadline:{deadline.id}"
            await until_available(lambda: self._chat.post(channel, card, key=key, thread=incident.card))

    async def _say_under_warning(self, deadline: Deadline, card: NoticeCard) -> None:
        shown = await self._store.posted(shown_as(deadline.signal_key or ""))
        if shown is not None:
            key = f"deadline:{deadline.id}"
            await until_available(lambda: self._chat.post(shown.channel, card, key=key, thread=shown.ts))

    async def _end(self, deadline: Deadline, state: DeadlineState, outcome: str) -> None:
        await self._store.end_deadline(deadline.id, state, outcome)
        ENDED.labels(deadline.kind, state).inc()
        if deadline.incident_id is not None:
            await self._response.show(await self._incident(deadline.incident_id))

    def _responders(self) -> list[str]:
        """Who is called: those who can decide a pause first."""
        guardians = self._roster.holders(Role.GUARDIAN)
        return list(dict.fromkeys([*guardians, *self._roster.holders(Role.RESPONDER)]))[:_CALLED]

    def _escalation(self, runbook: str | None) -> Escalation | None:
        found = self._runbooks.by_key.get(runbook or "")
        return found.escalation if found else None

    def _after(self, escalation: Escalation) -> timedelta:
        return self._escalate_after if self._escalate_after is not None else escalation.after

    async def _note(self, incident_id: str, key: str, text: str, why: str = "") -> None:
        evidence = {"why": why} if why else {}
        entry = TimelineEntry(
            incident_id=incident_id, key=key, at=datetime.now(UTC), actor="bot", text=text, evidence=evidence
        )
        await self._store.note(entry)

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise LookupError(f"no incident {incident_id}")
        return incident


_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
_ROOM_WITHIN = 20.0
"""Seconds that the loud part waits for a channel; after that the alerts channel serves."""
_CALLED = 20
"""Mentions in one message at most."""


def _words(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds % 3600 == 0 and seconds:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 and seconds else f"{seconds} s"
