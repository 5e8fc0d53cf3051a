"""An incident's life: opened, acknowledged, made worse or less bad, led, resolved, reopened, closed, archived.

Whether a step makes sense is `bot.domain.incident`'s business. A step is stored together with its line of the timeline;
what the outside has to hear of it is a workflow named by the stored change, so that a crash in between loses nothing.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bot.domain.cards import NoticeCard
from bot.domain.checklist import FIXED
from bot.domain.deadline import DeadlineKind
from bot.domain.incident import SEVERITIES, Incident, IncidentState, Step, TimelineEntry, archive, reopen, set_severity
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.engine.checklist import Checklist
from bot.engine.deadlines import Deadlines
from bot.engine.durable import Durable
from bot.engine.paging import PAGE, Paging
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.engine.response import Response
from bot.engine.triage import RESPOND
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import Chat, Journal, MessageRef, Store
from bot.runbooks import Runbooks

CHANGED = "changed"
"""The workflow that shows one change of an incident."""
MOVED = "moved"
"""The workflow that brings an incident's messages to the channel it has now."""

_TRIES = 5
_PATIENCE = timedelta(seconds=20)
_LIVING = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED)


class Lifecycle:
    """Takes the steps, and shows them."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        paging: Paging,
        durable: Durable,
        runbooks: Runbooks,
        proposals: Proposals,
        response: Response,
        checklist: Checklist,
        deadlines: Deadlines,
        alerts_channel: str,
    ) -> None:
        self._store = store
        self._chat = chat
        self._paging = paging
        self._durable = durable
        self._runbooks = runbooks
        self._proposals = proposals
        self._response = response
        self._checklist = checklist
        self._deadlines = deadlines
        self._alerts_channel = alerts_channel
        self._shown: dict[str, int] = {}
        """The newest revision of each incident whose workflow is known to exist: spares asking again."""

    async def open(self, person: str, title: str, severity: Severity, *, source: str = "") -> Incident:
        """Open an incident by hand.

        Args:
            person: who opens it.
            title: what is wrong, in a line.
            severity: critical pages.
            source: the address of the message it is about, if it is about one.

        Raises:
            RefusedError: the person is no responder, or the title is empty.
        """
        await self._proposals.allow(person, Role.RESPONDER, "open an incident")
        named = " ".join(title.split())
        if not named:
            raise RefusedError(
                "An incident needs a title.", means="Nothing was opened.", next_step="Say what is wrong, in a line."
            )
        incident_id = secrets.token_hex(8)
        fresh = Incident(
            id=incident_id,
            topic=f"person:{incident_id}",
            runbook=None,
            title=named[:150],
            severity=severity,
            state=IncidentState.OPEN,
            opened_at=datetime.now(UTC),
        )
        incident, _ = await self._store.open_incident(fresh)
        evidence = {"permalink": source} if source else {}
        await self._store.note(_entry(incident, "opened", person, f"Opened by hand: {named}", evidence))
        await self._checklist.tick(incident.id, "severity", person, severity)
        await self._begin(incident)
        return incident

    async def open_ones(self) -> Sequence[Incident]:
        """Incidents that are not over, the worst and newest first."""
        found = await self._store.incidents((IncidentState.OPEN, IncidentState.ACKNOWLEDGED))
        worst = {level: number for number, level in enumerate(SEVERITIES)}
        return sorted(found, key=lambda one: (worst.get(one.severity, len(worst)), -one.opened_at.timestamp()))

    async def _begin(self, incident: Incident) -> None:
        if incident.pages:
            await self._durable.start(PAGE, incident.id)
        await self._durable.start(RESPOND, incident.id)

    async def change(self, incident_id: str, actor: str, step: Step, *, origin: str = "") -> Incident:
        """Take one step, as ``bot`` or as a person, who has to be a responder.

        Args:
            incident_id: whose life it is.
            actor: ``bot``, or a person's Slack id.
            step: looks at the incident as it is, and says what changes.
            origin: where the change was made, if not here: whoever it came from need not be told.

        Raises:
            RefusedError: the step makes no sense now, or the person may not take it.
        """
        if actor != "bot":
            await self._proposals.allow(actor, Role.RESPONDER, "change an incident")
        for _ in range(_TRIES):
            incident = await self._incident(incident_id)
            change = step(incident)
            key = f"change:{incident.revision + 1}"
            entry = _entry(incident, key, actor, change.text, {"change": change.kind, "origin": origin})
            moved = await self._store.move_incident(incident, change.fields, entry)
            if moved is not None:
                await self._durable.start(CHANGED, f"{incident_id}:{moved.revision}")
                return moved
        raise UnavailableError("This incident changes too quickly.", means="Nothing was done.", next_step="Try again.")

    async def escalate(self, incident_id: str) -> None:
        """Give an incident the severity its runbook's escalation says; nothing where it has it, or says none."""
        incident = await self._incident(incident_id)
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        becomes = runbook.escalation.becomes if runbook and runbook.escalation else None
        if becomes is not None:
            with suppress(RefusedError):
                await self.change(incident_id, "bot", severity(becomes))

    async def worsen(self, incident_id: str) -> None:
        """A critical alert joined: make the incident critical, which pages; nothing where it is."""
        with suppress(RefusedError):
            await self.change(incident_id, "bot", severity(Severity.CRITICAL))

    async def recur(self, incident_id: str, alert: str) -> None:
        """An alert of a resolved incident fires again: it is not over, which pages; nothing where it is open."""
        with suppress(RefusedError):
            await self.change(incident_id, "bot", lambda one: reopen(one, f"{alert} fires again"))

    async def settle_all(self) -> None:
        """Show whatever was stored before somebody died. Twice is once."""
        for incident in await self._store.incidents(_LIVING):
            if incident.revision and self._shown.get(incident.id) != incident.revision:
                await self._durable.start(CHANGED, f"{incident.id}:{incident.revision}")
                self._shown[incident.id] = incident.revision

    async def changed(self, journal: Journal, subject: str) -> None:
        """Tell the outside about a stored change: PagerDuty, the card, the channel, the deadlines."""
        incident_id, _, revision = subject.rpartition(":")
        key = f"change:{revision}"
        entry = next(one for one in await self._store.timeline(incident_id) if one.key == key)
        kind = str(entry.evidence["change"])
        await journal.step("page", lambda: self._paging.changed(incident_id, kind, int(revision)), type(None))
        await journal.step("duties", lambda: self._duties(incident_id, kind, entry), type(None))
        await journal.step("show", lambda: self._show(incident_id), type(None))
        if entry.actor != "bot" or kind == "reopened":  # what the bot resolves or raises, it says where it does
            await journal.step("say", lambda: self._say(incident_id, entry), type(None))
        if kind == "archived":
            await journal.step("archive", lambda: self._archive(incident_id), type(None))

    async def _duties(self, incident_id: str, kind: str, entry: TimelineEntry) -> None:
        """What follows from a change for the checklist and the deadlines."""
        incident = await self._incident(incident_id)
        if kind in {"raised", "lowered"} and entry.actor != "bot":
            with suppress(RefusedError):  # it was identified before
                await self._checklist.tick(incident_id, "severity", entry.actor, incident.severity)
        if kind == "resolved" and incident.resolved_at is not None:
            await self._deadlines.overtaken(incident_id, DeadlineKind.ESCALATION, "The incident was resolved.")
            await self._deadlines.postmortem(incident)
        if kind == "reopened":
            await self._deadlines.overtaken(incident_id, DeadlineKind.POSTMORTEM, "The incident was reopened.")
            await self._deadlines.opened(incident)

    async def tick(self, incident_id: str, item: str, person: str) -> None:
        """Somebody ticks an item of the checklist, or takes it back. A fix in production begins an hour of watching.

        Raises:
            RefusedError: the person is no responder, or the bot ticked the item from what it saw.
        """
        await self._proposals.allow(person, Role.RESPONDER, "tick the checklist")
        ticked = await self._checklist.press(incident_id, item, person)
        if ticked and item == FIXED:
            incident = await self._incident(incident_id)
            key = f"{FIXED}:{incident_id}:{datetime.now(UTC).isoformat()}"
            await self._deadlines.watch(incident_id, incident.channel or self._alerts_channel, key=key)

    async def _show(self, incident_id: str) -> None:
        """The first message and the topic; a channel that is gone holds nothing else up."""
        incident = await self._incident(incident_id)
        with suppress(BotError):
            await until_available(lambda: self._response.show(incident), within=_PATIENCE)
        if incident.channel and incident.channel_name != self._alerts_channel:
            channel, topic = incident.channel, f"{incident.title} | {incident.severity} | {incident.state}"
            with suppress(BotError):
                await until_available(lambda: self._chat.describe(channel, topic), within=_PATIENCE)

    async def _say(self, incident_id: str, entry: TimelineEntry) -> None:
        incident = await self._incident(incident_id)
        people = tuple(one for one in {entry.actor, incident.lead} if one and one != "bot")
        who = "" if entry.actor == "bot" else f" (<@{entry.actor}>)"
        await self._tell(incident, f"{entry.text}{who}", entry.key, people=people)

    async def _archive(self, incident_id: str) -> None:
        incident = await self._incident(incident_id)
        if incident.channel and incident.channel_name != self._alerts_channel:
            channel = incident.channel
            with suppress(BotError):
                await until_available(lambda: self._chat.archive(channel), within=_PATIENCE)

    async def archive(self, incident_id: str, person: str) -> Incident:
        """Put a closed incident's channel away.

        Raises:
            RefusedError: it is not closed, or it has no channel of its own.
        """
        incident = await self._incident(incident_id)
        if incident.channel_name == self._alerts_channel:
            raise RefusedError("This incident has no channel of its own.", means="Nothing is archived.")
        return await self.change(incident_id, person, archive)

    # --- What people do with the channel -----------------------------------------------------------------------------

    async def joined(self, channel: str, person: str, at: str) -> None:
        """Somebody came into an incident's channel."""
        incident = await self._store.incident_in(channel)
        if incident is not None and incident.channel_name != self._alerts_channel:
            entry = _entry(incident, f"joined:{person}:{at}", person, "Joined the channel", {"joined": True})
            await self._store.note(entry)

    async def renamed(self, channel: str, name: str, at: str) -> None:
        """Somebody gave an incident's channel another name."""
        incident = await self._store.incident_in(channel)
        if incident is None or incident.channel_name in {name, self._alerts_channel}:
            return
        await self._store.update_incident(incident.id, channel_name=name)
        text = f"Channel renamed from #{incident.channel_name} to #{name}"
        await self._store.note(_entry(incident, f"renamed:{at}", "bot", text))

    async def archived(self, channel: str, at: str) -> None:
        """Somebody archived an incident's channel: while the incident lives, it is brought back, or given up."""
        incident = await self._store.incident_in(channel)
        if incident is None or incident.archived:
            return
        try:
            await until_available(lambda: self._chat.archive(channel, archived=False), within=_PATIENCE)
        except BotError as error:
            await self._fall_back(incident, f"Channel archived and not to be brought back: {error.happened}", at)
            return
        text = "This channel was archived while its incident lives: it is back. Close the incident to archive it."
        await self._store.note(_entry(incident, f"unarchived:{at}", "bot", "Channel was archived; brought back"))
        await self._tell(incident, text, f"unarchived:{at}", state=None)

    async def deleted(self, channel: str, at: str) -> None:
        """Somebody deleted an incident's channel: the alerts channel serves from now on."""
        incident = await self._store.incident_in(channel)
        if incident is not None and incident.channel_name != self._alerts_channel:
            await self._fall_back(incident, "Channel deleted", at)

    async def _fall_back(self, incident: Incident, why: str, at: str) -> None:
        text = f"{why}: #{self._alerts_channel} serves from now on"
        await self._store.note(_entry(incident, f"fallback:{at}", "bot", text))
        await self._store.update_incident(
            incident.id, channel=self._alerts_channel, channel_name=self._alerts_channel, card=None
        )
        await self._durable.start(MOVED, incident.id, run_id=f"{MOVED}-{incident.id}-{at}")

    async def moved(self, journal: Journal, incident_id: str) -> None:
        """Bring the first message and the checklist to where the incident is now."""
        await journal.step("card", lambda: self._response.post_card(incident_id), str)
        await journal.step("checklist", lambda: self._checklist.post(incident_id), type(None))
        incident = await self._incident(incident_id)
        text = "The channel of this incident is gone. Its record is kept; it goes on here, in this thread."
        await journal.step("say", lambda: self._tell(incident, text, f"moved:{incident.channel}"), type(None))

    async def _tell(
        self, incident: Incident, text: str, key: str, *, people: tuple[str, ...] = (), state: State | None = State.OK
    ) -> MessageRef | None:
        """A line in the incident's channel; in its thread where that is the alerts channel."""
        channel = incident.channel
        if channel is None:
            return None
        own = incident.channel_name != self._alerts_channel
        card, thread = NoticeCard(state, text, people=people), None if own else incident.card
        with suppress(BotError):
            return await until_available(
                lambda: self._chat.post(channel, card, key=f"{incident.id}:{key}", thread=thread), within=_PATIENCE
            )
        return None

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise RefusedError("There is no such incident.", means="Nothing was done.")
        return incident


def severity(wanted: Severity) -> Step:
    """The step that gives an incident this severity."""
    return lambda incident: set_severity(incident, wanted)


def _entry(
    incident: Incident, key: str, actor: str, text: str, evidence: Mapping[str, object] | None = None
) -> TimelineEntry:
    at = datetime.now(UTC)
    return TimelineEntry(incident_id=incident.id, key=key, at=at, actor=actor, text=text, evidence=evidence or {})
