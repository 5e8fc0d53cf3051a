"""The response to a new incident: its channel, its first message, its people, its page, its diagnosis."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from bot.actions.pause import EmergencyPause
from bot.domain.cards import Button, IncidentCard, NoticeCard
from bot.domain.deadline import DeadlineState
from bot.domain.incident import Incident, TimelineEntry, channel_name
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.engine.checklist import Checklist
from bot.engine.collecting import Collecting
from bot.engine.diagnosis import Diagnosis
from bot.engine.oncall import OnCall
from bot.engine.paging import Paging
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Journal, MessageRef, Roster, Store
from bot.runbooks import Runbooks

PAUSE_LABEL = "Pause protocol…"
"""On every critical incident from its first message on, whatever the verdict says."""

Begin = Callable[[Incident], Awaitable[None]]
"""Sets an incident's deadlines."""

_PATIENCE = timedelta(seconds=20)
"""How long a channel that can't be made holds up the first message, before that goes to the alerts channel instead."""


class Response:
    """Durable workflows, each about one incident or one Signal. Every step can run twice without doubling anything."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        paging: Paging,
        oncall: OnCall,
        roster: Roster,
        runbooks: Runbooks,
        diagnosis: Diagnosis,
        proposals: Proposals,
        checklist: Checklist,
        collecting: Collecting,
        alerts_channel: str,
        pausable: tuple[str, ...],
    ) -> None:
        self._store = store
        self._chat = chat
        self._paging = paging
        self._oncall = oncall
        self._roster = roster
        self._runbooks = runbooks
        self._diagnosis = diagnosis
        self._proposals = proposals
        self._checklist = checklist
        self._collecting = collecting
        self._alerts_channel = alerts_channel
        self._pausable = pausable

    @property
    def alerts_channel(self) -> str:
        """The channel that serves where an incident has none of its own."""
        return self._alerts_channel

    async def respond(self, journal: Journal, incident_id: str, *, deadlines: Begin) -> None:
        """Make room for an incident, start its deadlines and the diagnosis, then the paperwork."""
        await journal.step("channel", lambda: self._open_channel(incident_id), str)
        await journal.step("deadlines", lambda: self._begin(incident_id, deadlines), type(None))
        await journal.step("card", lambda: self.post_card(incident_id), str)
        await journal.step("welcome", lambda: self._welcome(incident_id), type(None))
        await journal.step("diagnosis", lambda: self._diagnose(incident_id), str)
        await journal.step("checklist", lambda: self._checklist.post(incident_id), type(None))
        await journal.step("logs", lambda: self._collect(incident_id), type(None))

    async def card(self, incident: Incident) -> IncidentCard:
        """The incident's first message, as it should look now."""
        waiting = [
            one for one in await self._store.incident_deadlines(incident.id) if one.state is DeadlineState.WAITING
        ]
        return IncidentCard(incident, await self.pause_buttons(incident), deadlines=tuple(waiting))

    async def pause_buttons(self, incident: Incident) -> tuple[Button, ...]:
        """The way to stop it: *Pause protocol…*; none where nothing can be paused here."""
        if not self._pausable:
            return ()
        offer = await self._proposals.offer(EmergencyPause(contracts=self._pausable), incident.id)
        return (Button(PAUSE_LABEL, offer.id, danger=True),)

    async def show(self, incident: Incident) -> None:
        """Bring the first message up to date. One that is gone stays gone: the next event about its channel says."""
        if incident.channel and incident.card:
            card, message = await self.card(incident), MessageRef(incident.channel, incident.card)
            with suppress(BotError):
                await until_available(lambda: self._chat.edit(message, card), within=_PATIENCE)

    async def _begin(self, incident_id: str, deadlines: Begin) -> None:
        await deadlines(await self._incident(incident_id))

    async def _collect(self, incident_id: str) -> None:
        await self._collecting.collect(incident_id, "opened")

    async def _open_channel(self, incident_id: str) -> str:
        incident = await self._incident(incident_id)
        if incident.channel:
            return incident.channel
        slug = incident.runbook or incident.title
        name = channel_name(slug, incident.id, incident.opened_at)
        private = self._confidential(incident)

        async def make() -> str:
            nonlocal name
            try:
                return await self._chat.open_channel(name, private=private, since=incident.opened_at)
            except RefusedError:
                # The name is somebody else's channel, which is never adopted. The next try has another suffix.
                name = channel_name(slug, secrets.token_hex(8), incident.opened_at)
                return await self._chat.open_channel(name, private=private, since=incident.opened_at)

        try:
            channel = await until_available(make, within=_PATIENCE)
        except BotError as error:
            await self._note(incident_id, "channel", f"No channel: {error.happened} The alerts channel serves instead")
            channel, name = self._alerts_channel, self._alerts_channel
        else:
            await self._note(incident_id, "channel", f"Channel #{name} opened")
            await self._checklist.seen(incident_id, "channel", f"#{name}")
        await self._store.update_incident(incident_id, channel=channel, channel_name=name)
        return channel

    async def post_card(self, incident_id: str) -> str:
        """Post the incident's first message where it has none yet; its ts."""
        incident = await self._incident(incident_id)
        if incident.card:
            return incident.card
        channel = incident.channel or self._alerts_channel
        card = await self.card(incident)
        # The channel is part of the key: where a channel was deleted, the message is posted in the next one.
        key = f"incident:{incident_id}:{channel}"
        message = await until_available(lambda: self._chat.post(channel, card, key=key))
        # Where the alerts channel serves, it was named; from here on it goes by its id.
        posted = await self._store.update_incident(incident_id, channel=message.channel, card=message.ts)
        if posted.revision != incident.revision:  # it changed while its message was on the way
            await self.show(posted)
        return message.ts

    async def _welcome(self, incident_id: str) -> None:
        """People, topic, and a word in the alerts channel. None of these holds the diagnosis up for long."""
        incident = await self._incident(incident_id)
        channel = incident.channel or self._alerts_channel
        if incident.channel_name == self._alerts_channel:
            return
        notice = NoticeCard(State.BAD, "Incident opened. Everything about it is here:", incident.title, channel)
        if self._confidential(incident):  # its name would say in public what its channel is closed for
            notice = NoticeCard(
                State.BAD, "A confidential incident was opened. Those invited find it here:", "", channel
            )
        role = self._paging.role(incident)
        people = [*await self._oncall.people(role), *self._roster.holders(Role.RESPONDER)]
        team = self._oncall.channel(role)
        await asyncio.gather(
            _give_up(lambda: self._chat.invite(channel, list(dict.fromkeys(people)))),
            _give_up(lambda: self._chat.post(team, notice, key=f"opened:{incident_id}:team")) if team else _nothing(),
            _give_up(
                lambda: self._chat.describe(channel, f"{incident.title} | {incident.severity} | {incident.state}")
            ),
            _give_up(lambda: self._chat.post(self._alerts_channel, notice, key=f"opened:{incident_id}")),
        )

    async def _diagnose(self, incident_id: str) -> str:
        incident = await self._incident(incident_id)
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        if runbook is None:
            await self._suggest(incident)
            return ""
        key = f"diagnosis:{incident_id}"
        findings, verdict = await until_available(lambda: self._diagnosis.show(incident, runbook, key))
        said = f"resolution step {verdict.step}: {verdict.title}" if verdict.step else verdict.title
        seen = [{"title": one.title, "state": one.state, "summary": one.summary} for one in findings.values()]
        await self._note(incident_id, "diagnosis", f"Diagnosis: {said}", {"findings": seen, "why": verdict.why})
        return said

    async def _suggest(self, incident: Incident) -> None:
        """An alert that no runbook names is called as the incident is: diagnose by the nearest one, if any."""
        nearest, channel = self._runbooks.nearest(incident.title), incident.channel
        if nearest is None or channel is None:
            return
        key = f"nearest:{incident.id}"
        await until_available(
            lambda: self._diagnosis.post(
                nearest, channel, key, thread=incident.card, incident_id=incident.id, suggested=True
            )
        )
        await self._note(incident.id, "nearest", f"No runbook names {incident.title}; the nearest is {nearest.title}")

    async def _note(self, incident_id: str, key: str, text: str, evidence: Mapping[str, object] | None = None) -> None:
        at = datetime.now(UTC)
        await self._store.note(
            TimelineEntry(incident_id=incident_id, key=key, at=at, actor="bot", text=text, evidence=evidence or {})
        )

    def _confidential(self, incident: Incident) -> bool:
        runbook = self._runbooks.by_key.get(incident.runbook or "")
        return runbook is not None and runbook.confidential

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise LookupError(f"no incident {incident_id}")
        return incident


async def _give_up(work: Callable[[], Awaitable[object]]) -> None:
    """Try for a while. What can't be done then is worth less than what waits behind it."""
    with suppress(BotError):
        await until_available(work, within=_PATIENCE)


async def _nothing() -> None:
    """Where there is nobody to tell."""
