"""Execution: consume the Approval, run the Action's durable steps, post the Receipt.

The order matters. Roles and the plan's digest are read again first; then the Approval is consumed, in one atomic
update; only then comes the Action's first step. After a crash the workflow resumes behind the last finished step, with
the Approval it consumed: nobody is asked twice, and nothing is sent twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict

from bot import actions
from bot.domain.action import Plan, Receipt, StepResult
from bot.domain.approval import Approval, Proposal, ProposalState, approve
from bot.domain.incident import TimelineEntry
from bot.domain.policy import Standing
from bot.engine.handing import Handing
from bot.engine.persistence import until_available
from bot.engine.preconditions import Preconditions
from bot.engine.proposals import Proposals
from bot.engine.settling import Settling, outcome
from bot.errors import RefusedError, UnavailableError
from bot.ports import AuditRow, Chat, Journal, Store, Stored, Writes

EXECUTIONS = Counter("musd_executions", "Actions carried out, by how that ended", ["action", "outcome"])

log = structlog.get_logger()

_CHANGED = (
    "What would be sent now is not what you approved. Nothing was sent. The new proposal below shows what it is now; "
    "it takes fresh votes."
)


class _Asked(BaseModel):
    """What was read right before the Approval is made: remembered, so that resuming makes the same one."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    standings: Mapping[str, Standing]
    digest: str


class Execution:
    """The workflow that carries out what was approved."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        writes: Writes,
        proposals: Proposals,
        preconditions: Preconditions,
        settling: Settling,
        handing: Handing,
        beside: Callable[[Proposal], None],
    ) -> None:
        """`beside`: begins what goes along with an execution, and must neither wait nor raise."""
        self._preconditions = preconditions
        self._handing = handing
        self._beside = beside
        self._store = store
        self._chat = chat
        self._writes = writes
        self._proposals = proposals
        self._settling = settling

    async def run(self, journal: Journal, proposal_id: str) -> None:
        """Carry out a Proposal that has its votes, or say why not."""
        stored = await self._stored(proposal_id)
        try:
            asked = await journal.step("ask", lambda: self._ask(stored), _Asked)
            if asked.digest != stored.proposal.digest:
                await journal.step("refuse", lambda: self._refuse(proposal_id, _CHANGED), type(None))
                await journal.step("anew", lambda: self._proposals.anew(proposal_id), type(None))
                return
            approval = approve(stored.proposal, stored.votes, asked.standings, asked.at)
        except (RefusedError, UnavailableError) as refusal:
            why = refusal.sentences()
            await journal.step("refuse", lambda: self._refuse(proposal_id, why), type(None))
            return
        if not await journal.step("consume", lambda: self._store.consume(approval, journal.id), bool):
            return  # another execution has it
        self._beside(stored.proposal)
        await journal.step("begin", lambda: self._begin(approval), type(None))
        receipt = await self._execute(approval, journal)
        await journal.step("end", lambda: self._end(approval, receipt), type(None))
        await journal.step("show", lambda: self._show(approval, receipt), type(None))
        await journal.step("hand over", lambda: self._handing.over(proposal_id), type(None))
        await journal.step("settle", lambda: self._settling.begin(approval.proposal), type(None))

    async def _ask(self, stored: Stored) -> _Asked:
        """Roles and plan, as they are now, and whether what it requires still holds."""
        proposal = stored.proposal
        await self._preconditions.hold(proposal.action)
        standings = await self._proposals.standings(stored)
        binding = await actions.how(proposal.action).binding(proposal.action, self._writes)
        digest = Plan(steps=(), binding=binding).digest(proposal.policy)
        return _Asked(at=datetime.now(UTC), standings=standings, digest=digest)

    async def _execute(self, approval: Approval, journal: Journal) -> Receipt:
        """Run what was approved. The Action comes out of the Approval and from nowhere else."""

        async def progress(text: str) -> None:
            await self._proposals.show(approval.proposal.id, text)

        writes = replace(self._writes, progress=progress)
        return await actions.how(approval.proposal.action).run(approval, writes, journal)

    async def _refuse(self, proposal_id: str, why: str) -> None:
        await self._store.end_proposal(proposal_id, ProposalState.REFUSED)
        await self._audit("refused", proposal_id, {"why": why}, key=f"refused:{proposal_id}")
        await self._proposals.show(proposal_id, why)

    async def _begin(self, approval: Approval) -> None:
        proposal = approval.proposal
        detail = {"approved_by": list(approval.approved_by), "digest": proposal.digest}
        await self._audit("execution", proposal.id, detail, key=f"execution:{proposal.id}")
        names = ", ".join(f"<@{person}>" for person in approval.approved_by)
        await self._note(proposal, "begun", f"Executing: {proposal.action.title}. Approved by {names}", {})

    async def _end(self, approval: Approval, receipt: Receipt) -> None:
        proposal = approval.proposal
        await self._store.end_proposal(proposal.id, ProposalState.DONE, receipt)
        EXECUTIONS.labels(proposal.action.kind, "complete" if receipt.complete else "not complete").inc()
        for number, step in enumerate(receipt.steps):
            await self._audit("step", proposal.id, step.model_dump(mode="json"), key=f"step:{proposal.id}:{number}")
        said = "; ".join(_said(step) for step in receipt.steps)
        hashes = {step.name: dict(step.evidence) for step in receipt.steps}
        await self._note(proposal, "receipt", f"{proposal.action.title}: {said}", hashes)

    async def _show(self, approval: Approval, receipt: Receipt) -> None:
        """The Receipt, in the Proposal's thread; the Proposal's message then needs no buttons any more."""
        stored = await self._stored(approval.proposal.id)
        if stored.message is None:  # from a terminal: what was carried out is announced now
            await self._proposals.announce(stored.proposal, self._proposals.alerts_channel)
            stored = await self._stored(approval.proposal.id)
        await self._proposals.show(approval.proposal.id, outcome(receipt))
        message = stored.message
        if message is None:
            log.error("a receipt has no message to go under", proposal=approval.proposal.id)
            return
        card = await self._settling.card(approval.proposal, receipt, approval.approved_by)
        key = f"receipt:{approval.proposal.id}"
        await until_available(lambda: self._chat.post(message.channel, card, key=key, thread=message.ts))

    async def _stored(self, proposal_id: str) -> Stored:
        stored = await self._store.proposal(proposal_id)
        if stored is None:
            raise LookupError(f"no proposal {proposal_id}")
        return stored

    async def _audit(self, what: str, subject: str, detail: Mapping[str, object], *, key: str) -> None:
        row = AuditRow(at=datetime.now(UTC), actor="bot", what=what, subject=subject, detail=detail, key=key)
        await self._store.audit(row)

    async def _note(self, proposal: Proposal, key: str, text: str, evidence: Mapping[str, object]) -> None:
        if proposal.incident_id is None:
            return
        entry = TimelineEntry(
            incident_id=proposal.incident_id,
            key=f"{key}:{proposal.id}",
            at=datetime.now(UTC),
            actor="bot",
            text=text,
            evidence=evidence,
        )
        await self._store.note(entry)


def _said(step: StepResult) -> str:
    return f"{step.name} {step.text}"
