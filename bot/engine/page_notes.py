"""What people write on an incident's timeline stands on its page in PagerDuty too, for whoever reads only there.

Found in the record and not told by whoever writes: so no way of writing a note can forget it. Each note is a workflow
named by its entry, and so goes out once, also after an outage or a crash.
"""

import re
from contextlib import suppress

from bot.domain.incident import IncidentState, TimelineEntry
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.errors import BotError
from bot.ports import Chat, Journal, Pager, Store

PAGE_NOTE = "page-note"
"""The workflow about one entry. Its subject is the incident's id and the entry's key."""
_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
_MENTION = re.compile(r"<@([A-Z0-9]+)>")


class PageNotes:
    """Copies people's entries."""

    def __init__(self, *, store: Store, chat: Chat, pager: Pager | None, durable: Durable) -> None:
        self._store = store
        self._chat = chat
        self._pager = pager
        self._durable = durable
        self._started: set[str] = set()

    async def settle_all(self) -> None:
        """Start what is not on the page yet. Twice is once."""
        if self._pager is None:
            return
        for incident in await self._store.incidents(_OPEN):
            if not incident.pages:
                continue
            timeline = await self._store.timeline(incident.id)
            if not any(entry.key.startswith("page:") for entry in timeline):
                continue  # there is no page yet that could take them
            for entry in timeline:
                subject = f"{incident.id} {entry.key}"
                if _is_a_note(entry) and subject not in self._started:
                    await self._durable.start(PAGE_NOTE, subject)
                    self._started.add(subject)

    async def write(self, journal: Journal, subject: str) -> None:
        """Put one entry on the page."""
        await journal.step("note", lambda: self._write(subject), type(None))

    async def _write(self, subject: str) -> None:
        incident_id, _, key = subject.partition(" ")
        incident, pager = await self._store.incident(incident_id), self._pager
        entry = next((one for one in await self._store.timeline(incident_id) if one.key == key), None)
        if incident is None or entry is None or pager is None:
            return
        text = f"<@{entry.actor}>: {entry.text}"
        for person in set(_MENTION.findall(text)):
            text = text.replace(f"<@{person}>", await self._name(person))
        with suppress(BotError):  # what will never be taken, as with a wrong token: the page itself went out
            await until_available(lambda: pager.note(incident.page_key, text))

    async def _name(self, person: str) -> str:
        try:
            return await self._chat.name(person)
        except BotError:
            return person


def _is_a_note(entry: TimelineEntry) -> bool:
    """Whether a person wrote it, in words."""
    return entry.actor != "bot" and not entry.key.startswith("joined:")
