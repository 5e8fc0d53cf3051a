"""The pause from a terminal: by the leader where one runs, else here; with the store away, from key and RPC alone.

The same Action, plan, vote and Approval as in Slack; a person confirms here who is configured for it, with their code.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from bot import actions
from bot.actions.pause import EmergencyPause
from bot.domain.action import Receipt
from bot.domain.approval import Choice, Proposal, ProposalState, Vote, approve
from bot.domain.policy import Role, Standing
from bot.engine.proposals import EXECUTE
from bot.errors import RefusedError
from bot.ports import Audited, AuditRow, Progress, Roster, Store, Writes

T = TypeVar("T")
_TAKEN_WITHIN = 10.0
"""Seconds that a leader gets to begin: it looks at the store every second."""
_LOOK_EVERY = 0.25


class Here:
    """A journal in memory: if this process dies, what it signed is stored, and whoever leads next goes on from it."""

    def __init__(self, execution_id: str) -> None:
        self.id = execution_id

    async def step(self, _: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
        """Run it."""
        del returns
        return await work()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def may(roster: Roster, person: str) -> Mapping[str, Standing]:
    """What this person may do, by the configuration.

    Raises:
        RefusedError: they are no guardian by their id in the configuration.
    """
    standing = await roster.standing(person, Role.GUARDIAN)
    if standing.local is None or standing.local < Role.GUARDIAN:
        raise RefusedError(
            f"{person} is no guardian by the configuration.",
            means="Nothing was sent.",
            next_step="Name somebody in MUSD_GUARDIANS or MUSD_ADMINS with --as.",
        )
    return {person: standing}


async def propose(action: EmergencyPause, person: str, reason: str, writes: Writes) -> Proposal:
    """Worked out and tried dry; stored nowhere yet."""
    return Proposal(
        id=secrets.token_hex(8),
        action=action,
        plan=await actions.how(action).plan(action, writes),
        policy=action.policy,
        reason=reason.strip(),
        proposer=person,
        proposed_at=datetime.now(UTC),
    )


def confirmation(proposal: Proposal, *, second_factor: bool) -> Vote:
    """The proposer's own, cast at the terminal."""
    return Vote(
        proposal_id=proposal.id,
        voter=proposal.proposer,
        choice=Choice.APPROVE,
        digest=proposal.digest,
        at=datetime.now(UTC),
        reason="in a terminal",
        second_factor=second_factor,
    )


async def by_leader(store: Store, proposal: Proposal, vote: Vote, say: Progress) -> Receipt:
    """Store Proposal and Vote for the process that leads, and watch it carry them out.

    Raises:
        RefusedError: it refused, or has not begun in time.
    """
    await _begin(store, proposal, vote)
    await say("Handed to the running bot.")
    end = asyncio.get_running_loop().time() + _TAKEN_WITHIN
    while True:
        stored = await store.proposal(proposal.id)
        if stored is not None and stored.state is ProposalState.DONE and stored.receipt is not None:
            return stored.receipt
        if stored is not None and stored.state not in {ProposalState.OPEN, ProposalState.EXECUTING}:
            raise RefusedError(
                f"The running bot did not carry it out: it is {stored.state}.", means="Nothing was sent."
            )
        waits = stored is None or stored.state is ProposalState.OPEN
        if waits and asyncio.get_running_loop().time() > end:
            raise RefusedError(
                f"The running bot has not begun within {_TAKEN_WITHIN:g} s.",
                means="It is stored: if the bot wakes up within ten minutes, it is still sent.",
                next_step="Run it again with --alone: then it is sent from here, from the key and the RPCs alone.",
            )
        await asyncio.sleep(_LOOK_EVERY)


async def here(
    store: Store, proposal: Proposal, vote: Vote, standings: Mapping[str, Standing], writes: Writes
) -> Receipt:
    """Carry it out in this process, which holds the leader's lock; everything is stored as the leader would."""
    await _begin(store, proposal, vote)
    approval = approve(proposal, [vote], standings, datetime.now(UTC))
    execution = f"{EXECUTE}-{proposal.id}"
    await store.consume(approval, execution)
    receipt = await actions.how(proposal.action).run(approval, writes, Here(execution))
    await store.end_proposal(proposal.id, ProposalState.DONE, receipt)
    await _audit_receipt(store, proposal, receipt)
    return receipt


async def alone(
    record: Audited, proposal: Proposal, vote: Vote, standings: Mapping[str, Standing], writes: Writes
) -> Receipt:
    """Carry it out without the store: what was done and signed goes into the record of this terminal."""
    await _audit_begin(record, proposal, vote)
    approval = approve(proposal, [vote], standings, datetime.now(UTC))
    receipt = await actions.how(proposal.action).run(approval, writes, Here(f"{EXECUTE}-{proposal.id}"))
    await _audit_receipt(record, proposal, receipt)
    return receipt


def telling(writes: Writes, say: Progress) -> Writes:
    """The same, with its progress told here."""
    return replace(writes, progress=say)


async def _begin(store: Store, proposal: Proposal, vote: Vote) -> None:
    await store.keep_proposal(proposal)
    await _audit_begin(store, proposal, vote)
    await store.keep_vote(vote)


async def _audit_begin(record: Audited, proposal: Proposal, vote: Vote) -> None:
    detail = {"action": proposal.action.dump(), "reason": proposal.reason, "digest": proposal.digest, "by": "terminal"}
    await _audit(record, proposal, "proposal", detail, f"proposal:{proposal.id}")
    cast = {"choice": vote.choice, "digest": vote.digest, "second_factor": vote.second_factor, "by": "terminal"}
    await _audit(record, proposal, "vote", cast, f"vote:{proposal.id}:{vote.voter}:{vote.choice}")


async def _audit_receipt(record: Audited, proposal: Proposal, receipt: Receipt) -> None:
    for number, step in enumerate(receipt.steps):
        await _audit(record, proposal, "step", step.model_dump(mode="json"), f"step:{proposal.id}:{number}")


async def _audit(record: Audited, proposal: Proposal, what: str, detail: Mapping[str, object], key: str) -> None:
    actor = "bot" if what == "step" else proposal.proposer
    row = AuditRow(at=datetime.now(UTC), actor=actor, what=what, subject=proposal.id, detail=detail, key=key)
    await record.audit(row)
