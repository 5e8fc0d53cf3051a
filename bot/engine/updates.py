"""Updates: while a critical incident is open its lead is asked for one every half hour; one modal posts it all over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bot.actions.announce import Announce
from bot.domain.announcement import Occasion, Target
from bot.domain.cards import NoticeCard, UpdateCard
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.engine.announcements import Announcements
from bot.engine.durable import Durable
from bot.engine.oncall import OnCall
from bot.engine.paging import Paging
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Journal, Roster, Store

UPDATE = "update"
"""The workflow that asks for one update. Its subject is the incident's id and the number of the half hour."""
_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
_CALLED = 5

log = structlog.get_logger()


class Updates:
    """Asks for updates, and posts them."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        durable: Durable,
        proposals: Proposals,
        announcements: Announcements,
        paging: Paging,
        oncall: OnCall,
        roster: Roster,
        alerts_channel: str,
        every: timedelta,
    ) -> None:
        self._store = store
        self._chat = chat
        self._durable = durable
        self._proposals = proposals
        self._announcements = announcements
        self._paging = paging
        self._oncall = oncall
        self._roster = roster
        self._alerts_channel = alerts_channel
        self._every = every
        self._waiting: set[str] = set()
        """Subjects whose workflow is known to exist: spares asking again."""

    # --- Asking ------------------------------------------------------------------------------------------------------

    async def settle_all(self) -> None:
        """See that each open critical incident has its next reminder. Twice is once."""
        now = datetime.now(UTC)
        for incident in await self._store.incidents(_OPEN):
            if not incident.pages:
                continue
            number = (now - incident.opened_at) // self._every + 1
            subject = f"{incident.id}:{number}"
            if subject not in self._waiting:
                await self._durable.start_later(UPDATE, subject, incident.opened_at + number * self._every - now)
                self._waiting.add(subject)

    async def ask(self, journal: Journal, subject: str) -> None:
        """Its time has come: ask, unless the incident is over or somebody has just said how it goes."""
        await journal.step("ask", lambda: self._ask(subject), type(None))

    async def _ask(self, subject: str) -> None:
        self._waiting.discard(subject)
        incident = await self._store.incident(subject.partition(":")[0])
        if incident is None or not incident.is_open or not incident.pages or await self._heard(incident):
            return
        role = self._paging.role(incident)
        people = [incident.lead] if incident.lead else await self._oncall.people(role)
        called = tuple((people or self._roster.holders(Role.RESPONDER))[:_CALLED])
        card, channel = UpdateCard(incident, called, self._every), incident.channel or self._alerts_channel
        await until_available(lambda: self._chat.post(channel, card, key=f"update:{subject}"))

    async def _heard(self, incident: Incident) -> bool:
        since = datetime.now(UTC) - self._every / 2
        return any(one.key.startswith("update:") and one.at > since for one in await self._store.timeline(incident.id))

    # --- Posting -----------------------------------------------------------------------------------------------------

    def places(self, incident: Incident) -> Sequence[tuple[str, str]]:
        """Where an update can go besides the incident's channel: a word for each place, and what it is."""
        team = self._oncall.channel(self._paging.role(incident))
        inside = [("alerts", f"#{self._alerts_channel}"), *([("team", f"#{team}")] if team else [])]
        public = [one for one in self._announcements.configured() if one is not Target.SLACK]
        return [*inside, *[(one.value, f"{one.label}, once approved") for one in public]]

    async def allow(self, person: str) -> None:
        """Raise `RefusedError` unless this person may post updates."""
        await self._proposals.allow(person, Role.RESPONDER, "post an update")

    async def post(self, person: str, incident_id: str, text: str, chosen: Sequence[str]) -> None:
        """Post one everywhere chosen. What is public is drafted, and waits for its approval like any announcement.

        Raises:
            RefusedError: the person is no responder, or the incident is over.
        """
        await self.allow(person)
        incident = await self._store.incident(incident_id)
        if incident is None or not incident.is_open:
            raise RefusedError("This incident is not open.", means="Nothing was posted.")
        at = datetime.now(UTC)
        key = f"update:{at.isoformat()}"
        await self._store.note(
            TimelineEntry(incident_id=incident_id, key=key, at=at, actor=person, text=f"Update: {text}")
        )
        inside = {"alerts": self._alerts_channel, "team": self._oncall.channel(self._paging.role(incident))}
        channels = [incident.channel or self._alerts_channel, *[inside[one] for one in chosen if one in inside]]
        for channel in dict.fromkeys(channels):
            about = "" if channel == incident.channel else f" on {incident.title}"
            card = NoticeCard(State.UNKNOWN, f"*Update*{about}, from <@{person}>:", quote=text, people=(person,))
            await self._tell(channel, card, f"{key}:{incident_id}:{channel}")
        for target in [Target(one) for one in chosen if one in set(Target)]:
            action = Announce(target=target, occasion=Occasion.UPDATE, text=text[: target.longest])
            place = incident.channel or self._alerts_channel
            await self._proposals.propose(action, person, "an update", incident_id=incident_id, place=place)

    async def _tell(self, channel: str, card: NoticeCard, key: str) -> None:
        """One channel that can't be posted to keeps the update from no other."""
        try:
            await self._chat.post(channel, card, key=key)
        except BotError as error:
            log.warning("an update could not be posted", channel=channel, error=str(error))
