"""What people do with a page in PagerDuty shows here, once. What the bot did there itself comes back as an echo."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.domain.cards import NoticeCard
from bot.domain.incident import Change, Incident, IncidentState, Step, TimelineEntry, acknowledge, reopen, resolve
from bot.domain.page_event import PageEvent
from bot.domain.probe import State
from bot.engine.durable import Durable
from bot.engine.oncall import OnCall
from bot.engine.paging import ORIGIN, Paging
from bot.engine.persistence import until_available
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Journal, Store

PAGE_EVENT = "page-event"
"""The workflow about one webhook of PagerDuty's. Its subject is the event as JSON; the event's id names the run."""
_PATIENCE = timedelta(seconds=60)


class Moves(Protocol):
    """How an incident changes: `Lifecycle.change`."""

    def __call__(self, incident_id: str, actor: str, step: Step, *, origin: str = "") -> Awaitable[Incident]:
        """Take one step."""


class PageEvents:
    """Takes webhooks in, and shows them."""

    def __init__(
        self, *, store: Store, chat: Chat, durable: Durable, oncall: OnCall, paging: Paging, change: Moves
    ) -> None:
        self._store = store
        self._chat = chat
        self._durable = durable
        self._oncall = oncall
        self._paging = paging
        self._change = change
        self._steps: dict[str, Callable[[PageEvent, str | None], Step]] = {
            "incident.acknowledged": _acknowledged,
            "incident.resolved": _resolved,
            "incident.reopened": _reopened,
        }

    async def receive(self, event: PageEvent) -> None:
        """Store it. When this returns, nothing can lose it; the same event again is the one that is there."""
        await self._durable.start(PAGE_EVENT, event.model_dump_json(), run_id=f"{PAGE_EVENT}-{event.id}")

    async def show(self, journal: Journal, subject: str) -> None:
        """Change the incident as it was changed there, and say so."""
        event = PageEvent.model_validate_json(subject)
        incident_id = event.key.removeprefix("musd-")
        incident = await self._store.incident(incident_id)
        if incident is None or incident.page_key != event.key:
            return  # a page that somebody else sent
        text = await journal.step("change", lambda: self._apply(event, incident), str)
        if text:
            await journal.step("say", lambda: self._say(event, incident_id, text), type(None))

    async def _apply(self, event: PageEvent, incident: Incident) -> str:
        """What is to be said; nothing for an echo."""
        person = await self._oncall.agent(event.agent_id) if event.by_a_person else None
        who = f"<@{person}>" if person else event.agent
        step = self._steps.get(event.kind)
        if step is None:
            if event.kind == "incident.escalated" and self._paging.escalated_here(incident.id):
                return ""
            return f"{_WORDS[event.kind]} in PagerDuty by {who}: now with {', '.join(event.assignees) or 'nobody'}."
        if not event.by_a_person:
            return await self._by_itself(event, incident)
        try:
            await self._change(incident.id, "bot", step(event, person), origin=ORIGIN)
        except RefusedError:
            return ""  # it is so here already
        return f"{_WORDS[event.kind]} in PagerDuty by {who}."

    async def _by_itself(self, event: PageEvent, incident: Incident) -> str:
        """An integration, or a timer of PagerDuty's: never a reason to believe that an incident is over."""
        current = await self._store.incident(incident.id)
        if event.kind == "incident.resolved" and current is not None and current.is_open:
            return f"The page was resolved in PagerDuty by {event.agent}, no person: the incident STAYS OPEN here."
        return ""

    async def _say(self, event: PageEvent, incident_id: str, text: str) -> None:
        incident = await self._store.incident(incident_id)
        if incident is None:
            return
        key = f"pagerduty:{event.id}"
        if event.kind not in self._steps or not event.by_a_person:  # a change has its own line already
            entry = TimelineEntry(incident_id=incident_id, key=key, at=event.at, actor="bot", text=text)
            await self._store.note(entry)
        channel, thread = incident.channel, incident.card
        if channel is None:
            return
        people = (incident.lead,) if incident.lead and f"<@{incident.lead}>" in text else ()
        state = State.UNKNOWN if "STAYS OPEN" in text else State.OK
        with suppress(BotError):
            await until_available(
                lambda: self._chat.post(channel, NoticeCard(state, text, people=people), key=key, thread=thread),
                within=_PATIENCE,
            )


_WORDS = {
    "incident.acknowledged": "Acknowledged",
    "incident.unacknowledged": "Acknowledgement withdrawn",
    "incident.resolved": "Resolved",
    "incident.reopened": "Reopened",
    "incident.reassigned": "Reassigned",
    "incident.escalated": "Escalated",
    "incident.delegated": "Handed to another escalation policy",
}


def _acknowledged(event: PageEvent, person: str | None) -> Step:
    def step(incident: Incident) -> Change:
        if person is not None:
            return _there(acknowledge(incident, person, event.at), event)
        # Somebody whom Slack does not know acknowledges, and can't lead here.
        change = acknowledge(incident, "", event.at)
        return _there(change.model_copy(update={"fields": {**change.fields, "lead": incident.lead}}), event)

    return step


def _resolved(event: PageEvent, _: str | None) -> Step:
    return lambda incident: resolve(incident, f"Resolved in PagerDuty by {event.agent}", datetime.now(UTC))


def _reopened(event: PageEvent, _: str | None) -> Step:
    def step(incident: Incident) -> Change:
        if incident.state is IncidentState.CLOSED:
            raise RefusedError("A closed incident is not reopened by PagerDuty.")
        return reopen(incident, f"in PagerDuty by {event.agent}")

    return step


def _there(change: Change, event: PageEvent) -> Change:
    return change.model_copy(update={"text": f"{change.text} in PagerDuty by {event.agent}"})
