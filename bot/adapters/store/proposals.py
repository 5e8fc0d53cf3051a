"""Offers, Proposals and Votes in the database. The state of a Proposal only ever moves the ways `_FROM` allows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.adapters.store.database import Database, insert_new, take_turns
from bot.adapters.store.models import fields, offers, proposals, votes
from bot.domain.action import Offer, Outcome, Receipt, load
from bot.domain.approval import Approval, Choice, Proposal, ProposalState, Vote
from bot.ports import MessageRef, RotationRun, Stored

_FROM = {
    ProposalState.DONE: (ProposalState.EXECUTING,),
    ProposalState.REFUSED: (ProposalState.OPEN, ProposalState.EXECUTING),
    ProposalState.DECLINED: (ProposalState.OPEN,),
    ProposalState.WITHDRAWN: (ProposalState.OPEN,),
    ProposalState.EXPIRED: (ProposalState.OPEN,),
}
"""Each end, and where it can be reached from: a deadline that fires late can't end what is being executed."""


class ProposalRows(Database):
    """The part of the store that people press buttons on."""

    async def keep_offer(self, offer: Offer) -> None:
        """Store what a button stands for; the same id again changes nothing."""
        row = {"id": offer.id, "action": offer.action.dump(), "incident_id": offer.incident_id}
        async with self.writing() as connection:
            await insert_new(connection, offers, [row])

    async def offer(self, offer_id: str) -> Offer | None:
        """What a button stands for."""
        async with self.reading() as connection:
            row = (await connection.execute(select(offers).where(offers.c.id == offer_id))).one_or_none()
        return None if row is None else Offer(row.id, load(row.action), row.incident_id)

    async def keep_proposal(self, proposal: Proposal, place: str = "") -> Proposal:
        """Store a new Proposal, open, unless one just like it is open: then that one. The same id changes nothing.

        An unstoppable one without an incident is another one in another place: a guardian who proposes a pause is never
        sent to a channel that they may not be in.
        """
        body = proposal.model_dump(mode="json") | {"action": proposal.action.dump()}
        row = {
            "id": proposal.id,
            "state": ProposalState.OPEN,
            "proposed_at": proposal.proposed_at,
            "incident_id": proposal.incident_id,
            "body": body,
        }
        ours = func.coalesce(proposals.c.incident_id, "") == (proposal.incident_id or "")
        others = select(proposals.c.body).where(ours, proposals.c.state == ProposalState.OPEN)
        if proposal.policy.unstoppable and proposal.incident_id is None:
            others = others.where(proposals.c.channel == place)
        async with self.writing() as connection:
            await take_turns(connection, proposals)
            for other in await connection.scalars(others.order_by(proposals.c.proposed_at)):
                if _identical(other, body):
                    found = Proposal.model_validate(other)
                    if found.proposed_at <= proposal.proposed_at < found.expires_at:
                        return found
            await insert_new(connection, proposals, [row])
            return proposal

    async def proposal(self, proposal_id: str) -> Stored | None:
        """One with its votes."""
        async with self.reading() as connection:
            row = (await connection.execute(select(proposals).where(proposals.c.id == proposal_id))).one_or_none()
            return None if row is None else await _stored(connection, row)

    async def proposals(self, state: ProposalState) -> Sequence[Stored]:
        """All in a state, oldest first."""
        query = select(proposals).where(proposals.c.state == state).order_by(proposals.c.proposed_at, proposals.c.id)
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
            return [await _stored(connection, row) for row in rows]

    async def incident_proposals(self, incident_id: str) -> Sequence[Stored]:
        """All of an incident, oldest first."""
        query = select(proposals).where(proposals.c.incident_id == incident_id)
        async with self.reading() as connection:
            rows = (await connection.execute(query.order_by(proposals.c.proposed_at, proposals.c.id))).all()
            return [await _stored(connection, row) for row in rows]

    async def rotations(self) -> Sequence[RotationRun]:
        """Every rotation of a key that changed something, complete or not, in the order in which they ended."""
        kind = proposals.c.body["action"]["kind"].as_string()
        query = select(proposals).where(proposals.c.state == ProposalState.DONE, kind.startswith("rotate-"))
        async with self.reading() as connection:
            rows = (await connection.execute(query)).all()
            runs = [_run(await _stored(connection, row)) for row in rows]
        return sorted((run for run in runs if run is not None), key=lambda run: run.ended_at)

    async def proposal_posted(self, proposal_id: str, message: MessageRef) -> None:
        """Where its message is."""
        change = update(proposals).where(proposals.c.id == proposal_id)
        async with self.writing() as connection:
            await connection.execute(change.values(channel=message.channel, ts=message.ts))

    async def keep_vote(self, vote: Vote) -> bool:
        """Store a vote on an open Proposal. False, and nothing stored, if it isn't open or this person has voted so."""
        is_open = (proposals.c.id == vote.proposal_id) & (proposals.c.state == ProposalState.OPEN)
        async with self.writing() as connection:
            # The row's lock: votes on one Proposal come one after the other, and none after it was consumed.
            if await connection.scalar(select(proposals.c.id).where(is_open).with_for_update()) is None:
                return False
            return await insert_new(connection, votes, [vote.model_dump()]) == 1

    async def explain_vote(self, proposal_id: str, person: str, choice: Choice, reason: str) -> bool:
        """Say why, of a vote that has no reason yet. False: there is none."""
        mine = (votes.c.proposal_id == proposal_id) & (votes.c.voter == person) & (votes.c.choice == choice)
        change = update(votes).where(mine, votes.c.reason == "")
        async with self.writing() as connection:
            return (await connection.execute(change.values(reason=reason))).rowcount == 1

    async def consume(self, approval: Approval, execution_id: str) -> bool:
        """OPEN → EXECUTING in one update, for one execution. True also when that same execution asks again."""
        free = proposals.c.state == ProposalState.OPEN
        ours = and_(proposals.c.state == ProposalState.EXECUTING, proposals.c.execution_id == execution_id)
        change = update(proposals).where(proposals.c.id == approval.proposal.id, or_(free, ours))
        async with self.writing() as connection:
            done = await connection.execute(change.values(state=ProposalState.EXECUTING, execution_id=execution_id))
            return done.rowcount == 1

    async def end_proposal(self, proposal_id: str, state: ProposalState, receipt: Receipt | None = None) -> None:
        """Set its end and its Receipt, where it can still end so; a Receipt can be replaced by a later one."""
        change = update(proposals).where(proposals.c.id == proposal_id, proposals.c.state.in_((*_FROM[state], state)))
        values: dict[str, Any] = {"state": state}
        if receipt is not None:
            values["receipt"] = receipt.model_dump(mode="json")
        async with self.writing() as connection:
            await connection.execute(change.values(values))


def _identical(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two are the same Action, with the same plan under the same policy. By text: kinds need not be known."""
    return bool(
        one["action"] == other["action"]
        and one["policy"] == other["policy"]
        and one["plan"]["binding"] == other["plan"]["binding"]
    )


def _run(stored: Stored) -> RotationRun | None:
    """None where it ended before it had changed anything."""
    action, receipt = stored.proposal.action, stored.receipt
    if not action.rotates or receipt is None:
        return None
    changed = any(step.outcome in {Outcome.DONE, Outcome.UNKNOWN} for step in receipt.steps)
    if not (changed or receipt.complete):
        return None
    left = (step.name for step in receipt.steps if step.outcome not in {Outcome.DONE, Outcome.SKIPPED})
    return RotationRun(
        key=action.rotates,
        ended_at=receipt.finished_at,
        proposer=stored.proposal.proposer,
        approvers=tuple(vote.voter for vote in stored.votes if vote.choice is Choice.APPROVE),
        back=bool(action.model_dump().get("back")),
        stopped_at=next(left, ""),
        value_by=next((str(step.evidence["by"]) for step in receipt.steps if "by" in step.evidence), ""),
    )


async def _stored(connection: AsyncConnection, row: Row[Any]) -> Stored:
    cast = await connection.execute(select(votes).where(votes.c.proposal_id == row.id).order_by(votes.c.position))
    return Stored(
        proposal=Proposal.model_validate(row.body),
        state=ProposalState(row.state),
        message=None if row.ts is None else MessageRef(row.channel, row.ts),
        votes=tuple(Vote.model_validate(fields(vote)) for vote in cast),
        receipt=None if row.receipt is None else Receipt.model_validate(row.receipt),
    )
