"""Proposals: an Action somebody wants becomes a plan people can see, and collects the votes it needs.

A vote is stored before its press is answered; everything after that can be done again from the store (`settle`).
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot import actions
from bot.domain.action import Action, Offer
from bot.domain.approval import Choice, Proposal, ProposalState, Vote, approve, expired
from bot.domain.cards import NoticeCard, ProposalCard
from bot.domain.incident import TimelineEntry
from bot.domain.policy import Policy, Role, Standing
from bot.domain.probe import State
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.engine.preconditions import Preconditions
from bot.engine.rights import Rights
from bot.engine.second_factor import SecondFactor
from bot.errors import BotError, RefusedError, TypeItError, UnavailableError
from bot.ports import AuditRow, Chat, Store, Stored, Writes

EXECUTE, EXPIRE = "execute", "expire"
"""Workflows about a proposal."""


class Proposals:
    """Makes Proposals, takes Votes, and starts the execution of what has enough of them."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        rights: Rights,
        factor: SecondFactor,
        durable: Durable,
        writes: Writes,
        preconditions: Preconditions,
        alerts_channel: str,
        policies: Mapping[str, Policy],
        pause_lives: timedelta,
        second_factor: bool,
    ) -> None:
        self._store = store
        self._chat = chat
        self._rights = rights
        self._factor = factor
        self._durable = durable
        self._writes = writes
        self._preconditions = preconditions
        self._alerts_channel = alerts_channel
        self._policies = policies
        self._pause_lives = pause_lives
        self._second_factor = second_factor

    @property
    def alerts_channel(self) -> str:
        """Where a Proposal goes that belongs nowhere else."""
        return self._alerts_channel

    async def may_propose(self, person: str, action: Action) -> None:
        """Raise unless this person may propose it; a refusal is an audit row.

        Raises:
            RefusedError: with the role that is missing and who could do it instead.
        """
        policy = self._policy(action)
        await self.allow(person, policy.propose, f"propose «{action.title}»", policy)

    async def allow(self, person: str, needed: Role, what: str, policy: Policy | None = None) -> None:
        """Raise unless this person holds the role; `Rights.allow` says more.

        Raises:
            RefusedError: with the role that is missing and who could do it instead.
        """
        await self._rights.allow(person, needed, what, policy)

    async def offer(self, action: Action, incident_id: str | None) -> Offer:
        """Store what a button or a modal stands for."""
        offer = Offer.of(action, incident_id)
        await self._store.keep_offer(offer)
        return offer

    async def offered(self, offer_id: str) -> Offer:
        """What a button or a modal stands for.

        Raises:
            RefusedError: nobody offered that.
        """
        offer = await self._store.offer(offer_id)
        if offer is None:
            raise RefusedError("This button stands for nothing the bot knows.", means="Nothing was done.")
        return offer

    async def propose(
        self,
        action: Action,
        person: str,
        reason: str,
        *,
        incident_id: str | None,
        place: str,
        proposal_id: str = "",
    ) -> Proposal:
        """Work the action out, store the Proposal and show it in full.

        Args:
            action: what is wanted.
            person: by whom.
            reason: why, for those who vote.
            incident_id: which incident it belongs to, if any.
            place: where it goes without an incident.
            proposal_id: makes proposing it twice once; a fresh one when empty.

        Raises:
            RefusedError: the person may not propose it, something it requires is not OK, or there is no way to do it.
        """
        policy = self._policy(action)
        await self.may_propose(person, action)
        known = await self._store.proposal(proposal_id) if proposal_id else None
        if known is not None:
            await self.announce(known.proposal, place)
            return known.proposal
        await self._preconditions.hold(action)
        plan = await actions.how(action).plan(action, self._writes)
        proposal = Proposal(
            id=proposal_id or secrets.token_hex(8),
            action=action,
            plan=plan,
            policy=policy,
            reason=reason.strip(),
            proposer=person,
            proposed_at=datetime.now(UTC),
            incident_id=incident_id,
        )
        kept = await self._store.keep_proposal(proposal, place)
        await self.announce(kept, place)
        if kept.id != proposal.id:
            await self._repeated(kept, person, place)
        return kept

    async def _repeated(self, kept: Proposal, person: str, place: str) -> None:
        """Two identical open Proposals are one: the second proposer is shown the first's."""
        await self._audit(person, "proposal", kept.id, {"repeats": kept.id})
        stored = await self._store.proposal(kept.id)
        where = await self._chat.permalink(stored.message) if stored and stored.message else "above"
        text = f"«{kept.action.title}» is proposed already, by <@{kept.proposer}>: {where}. Vote on that one."
        await self._chat.whisper(place, person, NoticeCard(State.OK, text))

    async def anew(self, proposal_id: str) -> None:
        """Show again, as a Proposal of its own, what turned out to be another plan than the one people saw."""
        stored = await self._store.proposal(proposal_id)
        if stored is None:
            return
        old, place = stored.proposal, stored.message.channel if stored.message else self._alerts_channel
        again = hashlib.sha256(f"anew:{old.id}".encode()).hexdigest()[:16]
        try:
            await self.propose(
                old.action, old.proposer, old.reason, incident_id=old.incident_id, place=place, proposal_id=again
            )
        except BotError as refusal:
            await self.show(proposal_id, f"What would be sent has changed. {refusal.sentences()}")

    async def withdraw(self, proposal_id: str, person: str) -> None:
        """Whoever proposed it takes it back.

        Raises:
            RefusedError: it is somebody else's, or is not open any more.
        """
        stored = await self._known(proposal_id)
        refusal = _not_to_withdraw(stored, person)
        if refusal is not None:
            await self._put_on_record(refusal, person, proposal_id, what="withdraw")
            raise refusal
        await self._store.end_proposal(proposal_id, ProposalState.WITHDRAWN)
        await self._audit(person, "withdrawn", proposal_id, {}, key=f"withdrawn:{proposal_id}")
        await self._note(stored.proposal, "withdrawn", person, f"Withdrew: {stored.proposal.action.title}")
        await self.show(proposal_id, f"<@{person}> withdrew it.")

    async def explain(self, proposal_id: str, person: str, reason: str) -> None:
        """Why this person declined: behind the vote, which waited for no words.

        Raises:
            RefusedError: they did not decline it, or said why already.
        """
        stored = await self._known(proposal_id)
        if not await self._store.explain_vote(proposal_id, person, Choice.DECLINE, reason):
            raise RefusedError("There is no decline of yours without a reason here.", means="Nothing was changed.")
        await self._audit(person, "reason", proposal_id, {"why": reason}, key=f"reason:{proposal_id}:{person}")
        await self._note(stored.proposal, f"reason:{person}", person, f"Declined because: {reason}")
        await self.show(proposal_id, f"<@{person}> declined: {reason}")

    async def _known(self, proposal_id: str) -> Stored:
        stored = await self._store.proposal(proposal_id)
        if stored is None:
            raise RefusedError("This button belongs to no proposal the bot knows.", means="Nothing was sent.")
        return stored

    async def announce(self, proposal: Proposal, place: str) -> None:
        """Everything behind a stored Proposal: record, deadline, message. The same again changes nothing."""
        action, person = proposal.action, proposal.proposer
        detail = {"action": action.dump(), "reason": proposal.reason, "digest": proposal.digest}
        await self._audit(person, "proposal", proposal.id, detail, key=f"proposal:{proposal.id}")
        await self._note(proposal, "proposed", person, f"Proposed: {action.title}. Reason: {proposal.reason or 'none'}")
        left = max(timedelta(0), proposal.expires_at - datetime.now(UTC))
        await self._durable.start_later(EXPIRE, proposal.id, left)
        await self._post(proposal, place)

    async def vote(
        self, proposal_id: str, person: str, choice: Choice, *, typed: str | None = None, code: str | None = None
    ) -> None:
        """Store one person's vote. When this returns, no crash loses it; `settle` does the rest.

        Args:
            proposal_id: what it is about.
            person: who votes.
            choice: what.
            typed: the word that some approvals take.
            code: the one-time code that some approvals take.

        Raises:
            TypeItError: what is approved wants a word or a code typed, and nothing was.
            RefusedError: no role, too late, voted before, the wrong word or code, or nothing to vote on any more.
        """
        stored = await self._known(proposal_id)
        try:
            await self._cast(stored, person, choice, typed, code)
        except TypeItError:
            raise
        except RefusedError as refusal:
            await self._put_on_record(refusal, person, proposal_id, choice=choice)
            raise
        await self._record(stored.proposal, person, choice)

    async def _record(self, proposal: Proposal, person: str, choice: Choice) -> None:
        """A stored vote, in the audit log and on the timeline; the same again changes nothing."""
        detail = {"choice": choice, "digest": proposal.digest}
        await self._audit(person, "vote", proposal.id, detail, key=f"vote:{proposal.id}:{person}:{choice}")
        await self._note(proposal, f"vote:{person}:{choice}", person, f"Voted {choice} on: {proposal.action.title}")

    async def _cast(self, stored: Stored, person: str, choice: Choice, typed: str | None, code: str | None) -> None:
        proposal, now = stored.proposal, datetime.now(UTC)
        what = f"{choice} «{proposal.action.title}»"
        await self._rights.require(person, proposal.policy.approve, what, proposal.policy)
        if stored.state is not ProposalState.OPEN:
            raise _ended(stored)
        if now >= proposal.expires_at:
            raise expired(proposal)
        proven = choice is Choice.APPROVE and await self._prove(proposal, person, typed, code, now)
        vote = Vote(
            proposal_id=proposal.id, voter=person, choice=choice, digest=proposal.digest, at=now, second_factor=proven
        )
        if not await self._store.keep_vote(vote):
            raise RefusedError("Your vote is in already.", means="It counts once, however often you press.")

    async def _prove(self, proposal: Proposal, person: str, typed: str | None, code: str | None, now: datetime) -> bool:
        """The word and the code that this approval takes; whether a code was among them."""
        word, factor = proposal.action.typed, proposal.policy.second_factor
        if (word and typed is None) or (factor and code is None):
            raise TypeItError("Approving this takes typing.", what=proposal.action.title, word=word, code=factor)
        if word and (typed or "").strip() != word:
            raise RefusedError(
                f"That is not {word}.",
                means="Your approval was not counted.",
                next_step="Look at what you approve, first.",
            )
        if factor:
            await self._factor.check(person, code or "", now)
        return factor

    async def settle(self, proposal_id: str) -> None:
        """Look at the votes of an open Proposal: start its execution, end it, or show who is still missing.

        Called after each vote, and by the sweep: a crash between a vote and this loses nothing.
        """
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state is not ProposalState.OPEN or not stored.votes:
            return
        for vote in stored.votes:
            await self._record(stored.proposal, vote.voter, vote.choice)
        standings = await self.standings(stored)
        try:
            approve(stored.proposal, stored.votes, standings, datetime.now(UTC))
        except RefusedError as refusal:
            declined = not stored.proposal.policy.unstoppable and any(v.choice is Choice.DECLINE for v in stored.votes)
            if declined:
                await self._store.end_proposal(proposal_id, ProposalState.DECLINED)
            await self.show(proposal_id, refusal.sentences())
            return
        await self._durable.start(EXECUTE, proposal_id)
        await self.show(proposal_id, "Approved. Sending now.")

    async def standings(self, stored: Stored) -> Mapping[str, Standing]:
        """What everybody who voted may do now."""
        return await self._rights.standings({vote.voter for vote in stored.votes}, stored.proposal.policy.approve)

    async def expire(self, proposal_id: str) -> None:
        """Its time is up: if it is still open, it ends, and its message says so."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state is not ProposalState.OPEN:
            return
        await self._store.end_proposal(proposal_id, ProposalState.EXPIRED)
        await self._audit("bot", "expired", proposal_id, {}, key=f"expired:{proposal_id}")
        await self.show(proposal_id, expired(stored.proposal).sentences())

    async def show(self, proposal_id: str, note: str = "") -> None:
        """Bring the Proposal's message up to date. Slack being away changes nothing about the Proposal."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.message is None:
            return
        card = ProposalCard(stored.proposal, stored.state, stored.votes, note)
        try:
            await self._chat.edit(stored.message, card)
        except UnavailableError:
            return

    async def _post(self, proposal: Proposal, place: str) -> None:
        incident = await self._store.incident(proposal.incident_id) if proposal.incident_id else None
        card = ProposalCard(proposal, ProposalState.OPEN)
        key = f"proposal:{proposal.id}"
        channel = incident.channel if incident and incident.channel else place
        try:
            message = await self._chat.post(channel, card, key=key)
        except BotError:  # such as a channel the bot isn't in: the alerts channel always serves
            message = await until_available(lambda: self._chat.post(self._alerts_channel, card, key=key))
        await self._store.proposal_posted(proposal.id, message)

    def _policy(self, action: Action) -> Policy:
        """The action's own policy, made stricter where configuration says so; looser only in the second factor."""
        policy = self._policies.get(action.policy.name, action.policy)
        if action.kind == "pause":
            policy = policy.model_copy(update={"lives": min(policy.lives, self._pause_lives)})
        return policy if self._second_factor else policy.model_copy(update={"second_factor": False})

    async def _audit(
        self, actor: str, what: str, subject: str, detail: Mapping[str, object], *, key: str | None = None
    ) -> None:
        row = AuditRow(at=datetime.now(UTC), actor=actor, what=what, subject=subject, detail=detail, key=key)
        await self._store.audit(row)

    async def _put_on_record(self, refusal: RefusedError, person: str, proposal_id: str, **detail: str) -> None:
        await self._audit(person, "refused", proposal_id, {**detail, "why": refusal.happened})
        refusal.on_record = True

    async def _note(self, proposal: Proposal, key: str, actor: str, text: str) -> None:
        if proposal.incident_id is None:
            return
        entry = TimelineEntry(
            incident_id=proposal.incident_id,
            key=f"{key}:{proposal.id}",
            at=datetime.now(UTC),
            actor=actor,
            text=text,
            evidence={"proposal": proposal.id},
        )
        await self._store.note(entry)


def _not_to_withdraw(stored: Stored, person: str) -> RefusedError | None:
    """Why this person can't take it back; None: they can."""
    if stored.proposal.proposer != person:
        return RefusedError(
            f"Only <@{stored.proposal.proposer}>, who proposed this, can withdraw it.",
            means="Nothing was changed.",
            next_step="Decline it, if you may vote on it.",
        )
    return None if stored.state is ProposalState.OPEN else _ended(stored)


def _ended(stored: Stored) -> RefusedError:
    words = {
        ProposalState.EXECUTING: "This proposal is being carried out already.",
        ProposalState.DONE: "This proposal was carried out already.",
        ProposalState.EXPIRED: "This proposal has expired.",
        ProposalState.DECLINED: "This proposal was declined.",
        ProposalState.WITHDRAWN: "This proposal was withdrawn.",
        ProposalState.REFUSED: "This proposal was refused when it was about to run.",
    }
    return RefusedError(
        words[stored.state], means="Your press changed nothing.", next_step="See its message for the end."
    )
