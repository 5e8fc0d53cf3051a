"""The Incident Response Checklist: ticked by people, and by the bot where it saw the thing done itself."""

from contextlib import suppress
from datetime import UTC, datetime

from bot.actions.pause import EmergencyPause
from bot.domain.approval import ProposalState
from bot.domain.cards import ChecklistCard
from bot.domain.checklist import Tick, item
from bot.domain.incident import TimelineEntry
from bot.engine.persistence import until_available
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Store


class Checklist:
    """One message in each incident's channel, edited in place."""

    def __init__(self, store: Store, chat: Chat) -> None:
        self._store = store
        self._chat = chat

    async def post(self, incident_id: str) -> None:
        """Put it into the incident's channel, once per channel."""
        incident = await self._store.incident(incident_id)
        if incident is None or incident.channel is None:
            return
        channel = incident.channel
        card = ChecklistCard(incident, tuple(await self._store.ticks(incident_id)))
        await until_available(lambda: self._chat.post(channel, card, key=_key(incident_id, channel)))

    async def seen(self, incident_id: str, key: str, evidence: str) -> None:
        """The bot itself saw an item done. One that is ticked stays as it is."""
        tick = Tick(incident_id=incident_id, item=key, at=datetime.now(UTC), actor="bot", evidence=evidence)
        if await self._store.tick(tick):
            await self.show(incident_id)

    async def tick(self, incident_id: str, key: str, person: str, evidence: str = "") -> None:
        """Somebody says that an item is done.

        Raises:
            RefusedError: it is ticked already, or there is no such item.
        """
        one = item(key)
        if one is None:
            raise RefusedError("The checklist has no such item.", means="Nothing was changed.")
        at = datetime.now(UTC)
        if not await self._store.tick(Tick(incident_id=incident_id, item=key, at=at, actor=person, evidence=evidence)):
            raise RefusedError(f"«{one.text}» is ticked already.", means="Nothing was changed.")
        await self._note(incident_id, person, f"Ticked: {one.text}", at)
        await self.show(incident_id)

    async def press(self, incident_id: str, key: str, person: str) -> bool:
        """Somebody pressed an item's button: tick it, or take a person's tick back. True where it is ticked now.

        Raises:
            RefusedError: the bot ticked it, from what it saw.
        """
        ticks = {tick.item: tick for tick in await self._store.ticks(incident_id)}
        if key not in ticks:
            await self.tick(incident_id, key, person)
            return True
        one = item(key)
        if ticks[key].actor == "bot" or one is None:
            raise RefusedError("The bot ticked this from what it saw itself.", means="It stays ticked.")
        if await self._store.untick(incident_id, key):
            await self._note(incident_id, person, f"Tick taken back: {one.text}", datetime.now(UTC))
        await self.show(incident_id)
        return False

    async def paused(self, proposal_id: str) -> None:
        """Tick the pause if this Proposal was one, of an incident, and did all it was meant to."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state is not ProposalState.DONE or stored.receipt is None:
            return
        proposal = stored.proposal
        if proposal.incident_id and isinstance(proposal.action, EmergencyPause) and stored.receipt.complete:
            evidence = "; ".join(f"{step.name} {step.text}" for step in stored.receipt.steps)
            await self.seen(proposal.incident_id, "pause", evidence)

    async def show(self, incident_id: str) -> None:
        """Bring the message up to date. Slack being away changes nothing about the ticks: the next change shows all."""
        incident = await self._store.incident(incident_id)
        if incident is None or incident.channel is None:
            return
        message = await self._store.posted(_key(incident_id, incident.channel))
        if message is not None:
            with suppress(BotError):
                await self._chat.edit(message, ChecklistCard(incident, tuple(await self._store.ticks(incident_id))))

    async def _note(self, incident_id: str, person: str, text: str, at: datetime) -> None:
        key = f"tick:{at.isoformat()}:{text}"
        await self._store.note(TimelineEntry(incident_id=incident_id, key=key, at=at, actor=person, text=text))


def _key(incident_id: str, channel: str) -> str:
    return f"checklist:{incident_id}:{channel}"
