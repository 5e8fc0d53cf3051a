"""The post-mortem of an incident: drafted from the record, edited by people, marked as done by one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.cards import PostmortemCard
from bot.domain.deadline import DeadlineKind, DeadlineState
from bot.domain.incident import Incident, IncidentState, TimelineEntry
from bot.domain.policy import Role
from bot.domain.postmortem import PARTS, Carried, Postmortem, Record
from bot.engine.checklist import Checklist
from bot.engine.pictures import Pictures
from bot.engine.proposals import Proposals
from bot.engine.response import Response
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Store
from bot.views.postmortem import hashes, markdown, part


class Postmortems:
    """Drafts, editions, and the end."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        proposals: Proposals,
        checklist: Checklist,
        response: Response,
        pictures: Pictures,
        due: timedelta,
    ) -> None:
        self._store = store
        self._chat = chat
        self._proposals = proposals
        self._checklist = checklist
        self._response = response
        self._pictures = pictures
        self._due = due

    async def record(self, incident_id: str) -> Record:
        """Everything that is known about the incident now.

        Raises:
            RefusedError: there is no such incident.
        """
        incident = await self._incident(incident_id)
        timeline = await self._store.timeline(incident_id)
        ticks = await self._store.ticks(incident_id)
        actions = [
            Carried(one.proposal, one.state, one.votes, one.receipt)
            for one in await self._store.incident_proposals(incident_id)
        ]
        people = {entry.actor for entry in timeline} | {tick.actor for tick in ticks}
        people |= {vote.voter for one in actions for vote in one.votes} | {incident.lead or "bot"}
        return Record(
            incident=incident,
            postmortem=await self._store.postmortem(incident_id),
            at=datetime.now(UTC),
            timeline=timeline,
            ticks=ticks,
            actions=actions,
            names={person: await self._name(person) for person in people - {"bot"}},
        )

    async def draft(self, incident_id: str, person: str) -> None:
        """Make an edition from the record as it is now, and upload it into the channel.

        Raises:
            RefusedError: the person is no responder, or the incident has no channel yet.
        """
        await self._proposals.allow(person, Role.RESPONDER, "draft a post-mortem")
        known = await self._store.postmortem(incident_id)
        await self._publish(known.model_copy(update={"edition": known.edition + 1}), person)

    async def edit(self, incident_id: str, person: str, parts: dict[str, str]) -> None:
        """Keep what somebody wrote and upload the edition. What they left as it was drafted goes on being drafted.

        Raises:
            RefusedError: the person is no responder.
        """
        await self._proposals.allow(person, Role.RESPONDER, "edit a post-mortem")
        known, drafted = await self._store.postmortem(incident_id), await self._drafted(incident_id)
        written = {
            name: text.strip()
            for name, text in parts.items()
            if name in PARTS and text.strip() not in {"", drafted[name]}
        }
        changes = {"parts": written, "edition": known.edition + 1}
        await self._publish(known.model_copy(update=changes), person)

    async def _drafted(self, incident_id: str) -> dict[str, str]:
        """What each part says where nobody wrote it."""
        record = await self.record(incident_id)
        nobody = replace(record, postmortem=Postmortem(incident_id=incident_id))
        return {name: part(nobody, name).strip() for name in PARTS}

    async def done(self, incident_id: str, person: str) -> None:
        """Somebody says that it is written.

        Raises:
            RefusedError: the person is no responder, the incident is not over, there is no draft, or it was done.
        """
        await self._proposals.allow(person, Role.RESPONDER, "mark a post-mortem as done")
        incident, known = await self._incident(incident_id), await self._store.postmortem(incident_id)
        if incident.is_open:
            raise RefusedError(
                "This incident is still open.", means="Nothing was changed.", next_step="Resolve it first."
            )
        if not known.edition:
            raise RefusedError(
                "There is no post-mortem yet.", means="Nothing was changed.", next_step="`/musd postmortem` drafts it."
            )
        if known.done_at is not None:
            raise RefusedError("This post-mortem is done already.", means="Nothing was changed.")
        at = datetime.now(UTC)
        await self._publish(
            known.model_copy(update={"done_by": person, "done_at": at, "edition": known.edition + 1}), person
        )
        await self._note(incident_id, f"postmortem:done:{known.edition}", person, "Post-mortem marked as done")
        await self._checklist.seen(incident_id, "postmortem", f"marked as done by {await self._name(person)}")
        for deadline in await self._store.incident_deadlines(incident_id):
            if deadline.kind is DeadlineKind.POSTMORTEM:
                await self._store.end_deadline(deadline.id, DeadlineState.CLEARED, "The post-mortem is done.")
        await self._response.show(incident)

    async def _publish(self, postmortem: Postmortem, person: str) -> None:
        """Store the edition, then upload it, then bring the message up to date."""
        incident = await self._incident(postmortem.incident_id)
        if incident.channel is None:
            raise RefusedError("This incident has no channel yet.", next_step="Try again in a moment.")
        await self._store.keep_postmortem(postmortem)
        record = await self.record(incident.id)
        name = f"postmortem-{incident.id}-{postmortem.edition}.md"
        key = f"file:{incident.id}:{name}"
        text = f"Post-mortem, edition {postmortem.edition}: {name}"
        await self._chat.upload(incident.channel, name, markdown(record), key=key, known=hashes(record))
        await self._pictures.of_incident(incident, key=f"postmortem:{incident.id}")
        await self._note(incident.id, f"postmortem:{postmortem.edition}", person, text)
        card = PostmortemCard(incident, postmortem, self._due_at(incident))
        key = f"postmortem:{incident.id}:{incident.channel}"
        message = await self._store.posted(key)
        if message is None:
            await self._chat.post(incident.channel, card, key=key)
        else:
            await self._chat.edit(message, card)

    def _due_at(self, incident: Incident) -> datetime | None:
        over = incident.state in {IncidentState.RESOLVED, IncidentState.CLOSED}
        return incident.resolved_at + self._due if over and incident.resolved_at else None

    async def _name(self, person: str) -> str:
        try:
            return await self._chat.name(person)
        except BotError:  # an id is a name too, and a draft that fails for one is worth less
            return person

    async def _note(self, incident_id: str, key: str, actor: str, text: str) -> None:
        entry = TimelineEntry(incident_id=incident_id, key=key, at=datetime.now(UTC), actor=actor, text=text)
        await self._store.note(entry)

    async def _incident(self, incident_id: str) -> Incident:
        incident = await self._store.incident(incident_id)
        if incident is None:
            raise RefusedError("There is no such incident.", means="Nothing was done.")
        return incident
