"""What people put on an incident's timeline, and how it is read back, a page at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.cards import TimelineCard
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.policy import Role
from bot.engine.proposals import Proposals
from bot.errors import RefusedError
from bot.ports import Chat, MessageRef, Store

_LONGEST = 2000
"""Characters of a note; what is longer belongs into a message or a file that the note points at."""
_MEANT = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
_PAGE = 15
"""Entries a page: what fits a phone's screen twice."""


class Notes:
    """The people's part of the timeline."""

    def __init__(self, *, store: Store, chat: Chat, proposals: Proposals) -> None:
        self._store = store
        self._chat = chat
        self._proposals = proposals

    async def write(self, channel: str, person: str, text: str, *, key: str) -> Incident:
        """Write a note on the incident whose channel this is; the same `key` again writes nothing.

        Raises:
            RefusedError: no responder, no incident here, or nothing to write.
        """
        await self._proposals.allow(person, Role.RESPONDER, "write on a timeline")
        incident = await self.here(channel)
        noted = " ".join(text.split())
        if not noted:
            raise RefusedError(
                "A note needs words.", means="Nothing was written.", next_step="`/musd note the fix is on staging`."
            )
        at = datetime.now(UTC)
        await self._store.note(
            TimelineEntry(incident_id=incident.id, key=f"note:{key}", at=at, actor=person, text=noted[:_LONGEST])
        )
        return incident

    async def mark(self, message: MessageRef, person: str) -> Incident:
        """Put a message on the timeline, at its own time and with its address; marking it twice is once.

        Raises:
            RefusedError: no responder, or no incident here.
            UnavailableError: Slack did not give the message.
        """
        await self._proposals.allow(person, Role.RESPONDER, "mark a message for the timeline")
        incident = await self.here(message.channel)
        author, text = await self._chat.text_of(message)
        entry = TimelineEntry(
            incident_id=incident.id,
            key=f"message:{message.ts}",
            at=datetime.fromtimestamp(float(message.ts), UTC),
            actor=author or person,
            text=" ".join(text.split())[:_LONGEST] or "(a message without text)",
            evidence={"permalink": await self._chat.permalink(message), "marked_by": person},
        )
        await self._store.note(entry)
        return incident

    async def page(self, incident_id: str, person: str, number: int = 0) -> TimelineCard:
        """One page of the timeline, from 1; 0 is the last one.

        Raises:
            RefusedError: no responder, or no such incident.
        """
        await self._proposals.allow(person, Role.RESPONDER, "read a timeline")
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise RefusedError("There is no such incident.")
        entries = await self._store.timeline(incident_id)
        pages = max(1, -(-len(entries) // _PAGE))
        page = min(max(number or pages, 1), pages)
        return TimelineCard(incident, tuple(_cut(entries, page)), page, pages)

    async def here(self, channel: str) -> Incident:
        """The incident whose channel this is. Where the alerts channel serves several open ones, no word picks one.

        Raises:
            RefusedError: there is none, or more than one.
        """
        incident = await self._store.incident_in(channel)
        if incident is None:
            raise RefusedError(
                "This is not an incident's channel.",
                means="Nothing was done.",
                next_step="Do it in the channel of the incident; `/musd incident list` names them.",
            )
        others = [one for one in await self._store.incidents(_MEANT) if one.channel == incident.channel]
        if len(others) > 1:
            raise RefusedError(
                f"{len(others)} incidents share this channel: which one is not clear.",
                means="Nothing was done.",
                next_step="Use the buttons of the incident's own message.",
            )
        return incident


def _cut(entries: Sequence[TimelineEntry], page: int) -> Sequence[TimelineEntry]:
    return entries[(page - 1) * _PAGE : page * _PAGE]
