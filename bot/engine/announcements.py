"""Announcements: drafted when the protocol has been paused, and again when it runs; people edit and approve each one.

Each is a Proposal of its own with an execution of its own: one place that takes nothing holds up no other.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from bot.actions.announce import Announce
from bot.actions.pause import EmergencyPause
from bot.actions.unpause import ExecuteUnpause, Unpause
from bot.domain.action import Outcome
from bot.domain.announcement import Occasion, Target, draft
from bot.domain.approval import Proposal, ProposalState
from bot.domain.cards import LinkCard
from bot.domain.deadline import DeadlineState
from bot.domain.probe import State
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Publishing, Store, Stored

_PUBLISHED = {Outcome.DONE, Outcome.HANDED, Outcome.UNKNOWN}


class Announcements:
    """Makes the drafts, and what people change about them."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        proposals: Proposals,
        public: Publishing | None,
        paused: Callable[[], Awaitable[Sequence[str]]],
        alerts_channel: str,
    ) -> None:
        """`paused`: the contracts that are paused, or about which nobody answers: while there are any, no all-clear."""
        self._store = store
        self._chat = chat
        self._proposals = proposals
        self._public = public
        self._paused = paused
        self._alerts_channel = alerts_channel

    async def executed(self, proposal_id: str) -> None:
        """A Proposal was carried out: draft what the world has to hear of it. The same again changes nothing."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state is not ProposalState.DONE or stored.receipt is None:
            return
        action = stored.proposal.action
        if isinstance(action, Announce):
            await self._hand_over(stored, action)
        elif isinstance(action, EmergencyPause):
            if any(step.outcome in {Outcome.DONE, Outcome.UNKNOWN} for step in stored.receipt.steps):
                await self._draft_for(stored.proposal, Occasion.PAUSE, self.configured())
        elif isinstance(action, Unpause | ExecuteUnpause) and stored.receipt.complete and await self._runs():
            await self._draft_for(stored.proposal, Occasion.ALL_CLEAR, await self.outstanding())

    async def watched(self, deadline_id: str) -> None:
        """An hour of watching ended: with the all-clear, what still says "paused" is taken back."""
        deadline = await self._store.deadline(deadline_id)
        if deadline is None or deadline.state is not DeadlineState.CLEARED or not await self._runs():
            return
        last = await self._published()
        for target in await self.outstanding():
            await self._propose(last[target].proposal, target, Occasion.ALL_CLEAR, f"{deadline_id}:{target}")

    async def draft(self, person: str, occasion: Occasion, *, incident_id: str | None, place: str) -> int:
        """Draft every announcement of an occasion anew; how many.

        Raises:
            RefusedError: the person is no responder, or there is nothing to take back.
        """
        targets = await self.outstanding() if occasion is Occasion.ALL_CLEAR else self.configured()
        if not targets:
            raise RefusedError("Nothing that was announced is left to take back.", means="Nothing was drafted.")
        for target in targets:
            action = Announce(target=target, occasion=occasion, text=draft(target, occasion))
            await self._proposals.propose(action, person, "asked for", incident_id=incident_id, place=place)
        return len(targets)

    async def editable(self, proposal_id: str) -> Announce:
        """The draft behind a Proposal.

        Raises:
            RefusedError: it is none, or it is not open any more.
        """
        stored = await self._store.proposal(proposal_id)
        if stored is None or not isinstance(stored.proposal.action, Announce):
            raise RefusedError("This is no announcement.", means="Nothing was changed.")
        if stored.state is not ProposalState.OPEN:
            raise RefusedError(f"This draft is {stored.state}.", means="Nothing was changed.")
        return stored.proposal.action

    async def edit(self, proposal_id: str, person: str, text: str) -> Proposal:
        """Put a draft with another text in a draft's place; its votes do not count for the new one.

        Raises:
            RefusedError: it is not open any more, or the person may not propose one.
        """
        action = await self.editable(proposal_id)
        await self._proposals.allow(person, action.policy.propose, "edit an announcement")
        await self._store.end_proposal(proposal_id, ProposalState.WITHDRAWN)
        old = await self._store.proposal(proposal_id)
        if old is None or old.state is not ProposalState.WITHDRAWN:
            raise RefusedError("This draft was approved meanwhile.", means="Nothing was changed.")
        await self._proposals.show(proposal_id, f"Edited by <@{person}>: the new draft is below.")
        fresh = action.model_copy(update={"text": text})
        place = old.message.channel if old.message else self._alerts_channel
        return await self._proposals.propose(
            fresh, person, old.proposal.reason, incident_id=old.proposal.incident_id, place=place
        )

    def configured(self) -> Sequence[Target]:
        """Every place there is."""
        public = self._public
        return [target for target in Target if public.where(target)] if public is not None else []

    async def outstanding(self) -> Sequence[Target]:
        """Places where the last thing that was said is not the all-clear."""
        last = await self._published()
        return [target for target, one in last.items() if _action(one).occasion is not Occasion.ALL_CLEAR]

    async def _published(self) -> dict[Target, Stored]:
        """What was published last, by place."""
        last: dict[Target, Stored] = {}
        for one in await self._store.proposals(ProposalState.DONE):
            action, receipt = one.proposal.action, one.receipt
            if isinstance(action, Announce) and receipt is not None and receipt.steps[0].outcome in _PUBLISHED:
                last[action.target] = one
        return last

    async def _runs(self) -> bool:
        """Whether all of the protocol is known to run: part of it is no all-clear, nor is a bridge that still waits."""
        with suppress(RefusedError):  # nobody is configured who could say
            return not await self._paused()
        return False

    async def _draft_for(self, about: Proposal, occasion: Occasion, targets: Sequence[Target]) -> None:
        for target in targets:
            await self._propose(about, target, occasion, f"{about.id}:{target}:{occasion}")

    async def _propose(self, about: Proposal, target: Target, occasion: Occasion, name: str) -> None:
        """A draft in the name of whoever proposed what it tells of; one that waits already is enough."""
        proposal_id = hashlib.sha256(name.encode()).hexdigest()[:16]
        if await self._waits(target, occasion, but=proposal_id):
            return
        text = draft(target, occasion, about.reason)
        action = Announce(target=target, occasion=occasion, text=text[: target.longest], subject=about.id)
        reason = f"drafted by the bot after «{about.action.title}»"
        with suppress(RefusedError):  # they lost their role meanwhile: somebody else drafts them, by command
            await self._proposals.propose(
                action,
                about.proposer,
                reason,
                incident_id=about.incident_id,
                place=self._alerts_channel,
                proposal_id=proposal_id,
            )

    async def _waits(self, target: Target, occasion: Occasion, *, but: str) -> bool:
        """Whether another draft for that place and occasion can still be approved: both would be published."""
        for stored in await self._store.proposals(ProposalState.OPEN):
            action = stored.proposal.action
            same = isinstance(action, Announce) and (action.target, action.occasion) == (target, occasion)
            if same and stored.proposal.id != but:
                return True
        return False

    async def _hand_over(self, stored: Stored, action: Announce) -> None:
        """What only a person can send, one press away."""
        message, proposal = stored.message, stored.proposal
        if action.target is not Target.X or message is None:
            return
        card = LinkCard(State.UNKNOWN, action.text, "Open the filled-in post on X", action.announcement.post_link)
        with suppress(BotError):
            await until_available(
                lambda: self._chat.post(message.channel, card, key=f"post:{proposal.id}", thread=message.ts)
            )


def _action(stored: Stored) -> Announce:
    action = stored.proposal.action
    if not isinstance(action, Announce):
        raise TypeError(f"{type(action).__name__} is no announcement")
    return action
