"""What is put to Canton's guardians, from the first word to its execution: asked, counted as they vote, carried out.

Beside a pause this runs as a workflow of its own, so that Ethereum waits for nothing of it. Votes are read from the
ledger and from nowhere else. When they are enough and the timelock is over, the execution is a Proposal in Slack with
votes of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import BaseModel, ConfigDict

from bot.actions.canton import motions
from bot.actions.canton.carrying import CarryMotion
from bot.actions.canton.motions import Put, PutMotion
from bot.actions.pause import EmergencyPause
from bot.domain.approval import Choice, Proposal, ProposalState
from bot.domain.canton import Motion
from bot.domain.cards import BallotCard, Button
from bot.domain.incident import TimelineEntry
from bot.domain.probe import State
from bot.engine import counting
from bot.engine.counting import Count
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import AuditRow, Chat, Journal, LedgerWrites, Store, Stored, Writes

BALLOT = "ballot"
"""The workflow about one motion, by the Proposal in Slack that it comes from."""
EXECUTE_LABEL = "Execute on Canton…"
_ASKING_FOR = timedelta(hours=24)
"""How long the bot keeps trying to put a motion while Canton does not answer."""
_ASK_AGAIN = 5.0
_SLACK_GETS = timedelta(seconds=30)
_GONE_AFTER = 3
"""Looks in a row that must miss a proposal before it is believed to be gone: a vote replaces its contract."""
_COUNTED = frozenset({ProposalState.EXECUTING, ProposalState.DONE})
"""States of a Proposal whose Approval has been consumed."""

log = structlog.get_logger()


class Asked(BaseModel):
    """What was put to the guardians; without a key, nothing."""

    model_config = ConfigDict(frozen=True)

    key: str = ""
    old_votes: tuple[str, ...] = ()


class Ended(BaseModel):
    """How the voting ended."""

    model_config = ConfigDict(frozen=True)

    ready: bool


@dataclass(frozen=True)
class _Origin:
    """The Proposal in Slack, and what it asks of Canton."""

    stored: Stored
    proposal: Proposal
    motion: Motion
    by_state: bool


class Ballots:
    """The workflow, and its card in the Proposal's thread."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        durable: Durable,
        writes: Writes,
        proposals: Proposals,
        people: Mapping[str, str],
        every: timedelta,
    ) -> None:
        """`people`: Slack user ids by guardian party; `every`: between two looks at the votes."""
        self._store = store
        self._chat = chat
        self._durable = durable
        self._writes = writes
        self._proposals = proposals
        self._people = people
        self._every = every
        self._starting: set[asyncio.Task[None]] = set()

    def beside(self, proposal: Proposal) -> None:
        """Begin beside a pause, which waits for nothing of it. `begin` at its end makes up for whatever fails here."""
        if isinstance(proposal.action, EmergencyPause) and proposal.action.motion is not None:
            task = asyncio.create_task(self._begin_quietly(proposal.id))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _begin_quietly(self, proposal_id: str) -> None:
        try:
            await self._durable.start(BALLOT, proposal_id)
        except BotError as error:
            log.warning("Canton's part of a pause begins later", proposal=proposal_id, error=str(error))

    async def begin(self, proposal_id: str) -> None:
        """Begin, where this Proposal asks something of Canton. Twice is once."""
        if await self._origin(proposal_id) is not None:
            await self._durable.start(BALLOT, proposal_id)

    async def run(self, journal: Journal, proposal_id: str) -> None:
        """Ask, count, propose the execution. After a crash it looks again: everything is on the ledger."""
        origin = await self._origin(proposal_id)
        if origin is None:
            return
        asked = await journal.step("put", lambda: self._put(origin), Asked)
        if not asked.key:
            return
        ended = await journal.step("watch", lambda: self._watch(origin, asked), Ended)
        if ended.ready:
            await journal.step("propose", lambda: self._propose(origin, asked), type(None))

    async def _origin(self, proposal_id: str) -> _Origin | None:
        """None where the Proposal asks nothing of Canton, or was not approved."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state not in _COUNTED:
            return None
        action = stored.proposal.action
        if isinstance(action, PutMotion):
            return _Origin(stored, stored.proposal, action.motion, by_state=False)
        if isinstance(action, EmergencyPause) and action.motion is not None:
            return _Origin(stored, stored.proposal, action.motion, by_state=action.canton_by == "trigger")
        return None

    # --- Asking -------------------------------------------------------------------------------------------------------

    async def _put(self, origin: _Origin) -> Asked:
        """Put it to the guardians, and try again while Canton does not answer: an emergency is when it may not."""
        end = asyncio.get_running_loop().time() + _ASKING_FOR.total_seconds()
        while True:
            try:
                if await self._so_already(origin):
                    return await self._nothing_to_ask(origin)
                put = await self._ask(origin)
            except UnavailableError as error:
                put, why = Put(steps=()), error.sentences()
            except RefusedError as refusal:
                return await self._not_asked(origin, refusal)
            else:
                why = "; ".join(f"{step.name}: {step.outcome}, {step.text}" for step in put.steps)
            if put.key:
                await self._record(origin, put)
                return Asked(key=put.key, old_votes=put.old_votes)
            if asyncio.get_running_loop().time() > end:
                text = "the bot tried for a day and gives up: propose it again"
                return await self._not_asked(origin, RefusedError(why, next_step=text))
            waits = "NOT ASKED YET: the bot keeps trying; Ethereum does not wait for this"
            await self._show(origin, BallotCard(_title(origin), State.UNKNOWN, waits, lines=(why,)))
            await asyncio.sleep(_ASK_AGAIN)

    async def _ask(self, origin: _Origin) -> Put:
        ledger, proposal = motions.ledger_of(self._writes), origin.proposal
        key = motions.key_of(origin.motion, proposal.id)
        if origin.by_state:
            return await motions.trigger(ledger, key, proposal.reason)
        return await motions.put(ledger, origin.motion, key, proposal.reason)

    async def _record(self, origin: _Origin, put: Put) -> None:
        """What was sent, in the audit log and on the timeline; once."""
        proposal, now = origin.proposal, datetime.now(UTC)
        steps = [step.model_dump(mode="json") for step in put.steps]
        detail = {"motion": origin.motion.model_dump(mode="json"), "key": put.key, "steps": steps}
        key = f"canton:{proposal.id}:asked"
        await self._store.audit(
            AuditRow(at=now, actor="bot", what="canton", subject=proposal.id, detail=detail, key=key)
        )
        if proposal.incident_id is not None:
            text = f"Canton's guardians are asked: {origin.motion.title} ({put.key})"
            entry = TimelineEntry(incident_id=proposal.incident_id, key=key, at=now, actor="bot", text=text)
            await self._store.note(entry)

    async def _so_already(self, origin: _Origin) -> bool:
        """Whether every service of a pause says paused already."""
        if not isinstance(origin.proposal.action, EmergencyPause):
            return False
        ledger = motions.ledger_of(self._writes)
        mine = [one for one in await ledger.services() if one.template in origin.motion.services]
        return {one.template for one in mine} == set(origin.motion.services) and all(one.paused for one in mine)

    async def _nothing_to_ask(self, origin: _Origin) -> Asked:
        text = "every active service contract says paused already: nothing was asked"
        await self._show(origin, BallotCard(_title(origin), State.OK, text))
        return Asked()

    async def _not_asked(self, origin: _Origin, refusal: RefusedError) -> Asked:
        text = "NOT ASKED: Canton's services run on, and somebody has to propose this as a guardian"
        lines = (refusal.sentences(), f"Action type {origin.motion.action_type}, target {origin.motion.target_module}")
        await self._show(origin, BallotCard(_title(origin), State.BAD, text, lines=lines))
        return Asked()

    # --- Counting -----------------------------------------------------------------------------------------------------

    async def _watch(self, origin: _Origin, asked: Asked) -> Ended:
        """Look until it is decided. The card is edited when something has changed."""
        shown, missed = BallotCard(_title(origin), State.UNKNOWN, "Asking…"), 0
        while True:
            try:
                count = await self._look(origin, asked)
            except UnavailableError as error:
                said = f"UNKNOWN: {error.happened} The bot keeps looking."
                count = Count(replace(shown, state=State.UNKNOWN, headline=said))
            missed = missed + 1 if count is None else 0
            if missed >= _GONE_AFTER:
                count = counting.gone(_title(origin))
            if count is not None and count.card != shown:
                shown = count.card
                await self._note(origin, shown)
                await self._show(origin, shown)
            if count is not None and count.ready is not None:
                return Ended(ready=count.ready)
            await asyncio.sleep(self._every.total_seconds())

    async def _look(self, origin: _Origin, asked: Asked) -> Count | None:
        ledger = motions.ledger_of(self._writes)
        if origin.by_state:
            state = await ledger.pause_state()
            return counting.by_state(state, asked.old_votes, _title(origin), self._people) if state else None
        found = next((one for one in await ledger.ballots() if one.key == asked.key), None)
        if found is not None:
            return counting.by_ballot(found, _title(origin), self._people, datetime.now(UTC))
        return await self._by_proof(origin, asked, ledger)

    async def _by_proof(self, origin: _Origin, asked: Asked, ledger: LedgerWrites) -> Count | None:
        if any(one.proves(origin.motion, asked.key) for one in await ledger.proofs()):
            return counting.executed(_title(origin))
        return None

    # --- Carrying out -------------------------------------------------------------------------------------------------

    async def _propose(self, origin: _Origin, asked: Asked) -> None:
        """In the name of whoever approved the first Proposal; one that is open already is enough."""
        action = CarryMotion(motion=origin.motion, key=asked.key, by_state=origin.by_state)
        place = origin.stored.message.channel if origin.stored.message else ""
        for stored in await self._store.proposals(ProposalState.OPEN):
            if stored.proposal.action == action:
                await self._proposals.announce(stored.proposal, place)
                return
        approvals = [vote.voter for vote in origin.stored.votes if vote.choice is Choice.APPROVE]
        person = approvals[0] if approvals else origin.proposal.proposer
        offer = await self._proposals.offer(action, origin.proposal.incident_id)
        why = ""
        try:
            await self._proposals.propose(
                action, person, origin.proposal.reason, incident_id=origin.proposal.incident_id, place=place
            )
        except BotError as error:
            why = f"It could not be proposed yet: {error.sentences()}"
        card = await self._decided(origin, asked)
        lines = (*card.lines, *filter(None, [why]), f"Where that proposal has ended, «{EXECUTE_LABEL}» makes a new one")
        await self._show(origin, replace(card, lines=lines, buttons=(Button(EXECUTE_LABEL, offer.id),)))

    async def _decided(self, origin: _Origin, asked: Asked) -> BallotCard:
        """The votes once more, for the last word on them."""
        try:
            count = await self._look(origin, asked)
        except UnavailableError:
            count = None
        return count.card if count else BallotCard(_title(origin), State.OK, "APPROVED on Canton")

    # --- Telling ------------------------------------------------------------------------------------------------------

    async def _show(self, origin: _Origin, card: BallotCard) -> None:
        """One message, in the thread of the Proposal, edited."""
        key, message = f"ballot:{origin.proposal.id}", origin.stored.message
        if message is None:
            return
        known = await self._store.posted(key)
        if known is not None:
            await _patiently(lambda: self._chat.edit(known, card))
        else:
            await _patiently(lambda: self._chat.post(message.channel, card, key=key, thread=message.ts))

    async def _note(self, origin: _Origin, card: BallotCard) -> None:
        """Each vote on the incident's timeline, once."""
        incident = origin.proposal.incident_id
        if incident is None:
            return
        for word, guardians in (("for", card.approved), ("against", card.rejected)):
            for one in guardians:
                text = f"Canton's guardian {one.party} voted {word}: {origin.motion.title}"
                key = f"canton:{origin.proposal.id}:{one.party}:{word}"
                at = datetime.now(UTC)
                entry = TimelineEntry(incident_id=incident, key=key, at=at, actor=one.person or "canton", text=text)
                await self._store.note(entry)


def _title(origin: _Origin) -> str:
    return origin.motion.title


async def _patiently(work: Callable[[], Awaitable[object]]) -> None:
    """A Slack that is away holds no vote up for ever; the next change says it again."""
    try:
        await until_available(work, within=_SLACK_GETS)
    except BotError as error:
        log.warning("a ballot could not be shown", error=str(error))
