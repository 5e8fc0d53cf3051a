"""What becomes known after a Receipt: an unknown outcome is settled, a block becomes final or is taken back.

The Receipt is stored and its message edited each time; the action itself says what is to be seen, and when it is over.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from bot import actions
from bot.actions.pause import EmergencyPause
from bot.actions.unpause import Unpause
from bot.domain.action import Receipt
from bot.domain.approval import Choice, Proposal, ProposalState
from bot.domain.cards import Button, ReceiptCard
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.engine.proposals import EXECUTE, Proposals
from bot.ports import AuditRow, Chat, Journal, Store, Writes

SETTLE = "settle"
"""The workflow about a proposal that was carried out."""
REST_LABEL = "Pause the rest…"
GO_ON_LABEL = "Go on…"
ROLL_BACK_LABEL = "Roll back…"
UNPAUSE_LABEL = "Unpause…"

log = structlog.get_logger()


class Settling:
    """Keeps a Receipt true after it was posted."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        durable: Durable,
        writes: Writes,
        proposals: Proposals,
        changed: Callable[[str], Awaitable[None]],
    ) -> None:
        """`changed`: told the id of a Proposal whose Receipt has changed."""
        self._store = store
        self._chat = chat
        self._durable = durable
        self._writes = writes
        self._proposals = proposals
        self._changed = changed

    async def begin(self, proposal: Proposal) -> None:
        """Start looking, where something can still become known."""
        if actions.how(proposal.action).later is not None:
            await self._durable.start(SETTLE, proposal.id)

    async def card(self, proposal: Proposal, receipt: Receipt, approved_by: tuple[str, ...]) -> ReceiptCard:
        """The Receipt, with the way to finish what it left open."""
        finish = actions.how(proposal.action).rest
        rest = finish(proposal.action, receipt) if finish is not None else None
        buttons: list[Button] = []
        if rest is not None:
            offer = await self._proposals.offer(rest, proposal.incident_id)
            pause = isinstance(rest, EmergencyPause)
            buttons.append(Button(REST_LABEL if pause else GO_ON_LABEL, offer.id, danger=pause))
        elif isinstance(proposal.action, EmergencyPause):
            back = Unpause(contracts=tuple(reversed(proposal.action.contracts)))
            buttons.append(Button(UNPAUSE_LABEL, (await self._proposals.offer(back, proposal.incident_id)).id))
        undo = actions.how(proposal.action).back
        undone = undo(proposal.action, receipt) if undo is not None else None
        if undone is not None:
            buttons.append(Button(ROLL_BACK_LABEL, (await self._proposals.offer(undone, proposal.incident_id)).id))
        return ReceiptCard(proposal.action.title, receipt, approved_by, tuple(buttons))

    async def run(self, journal: Journal, proposal_id: str) -> None:
        """Look until nothing can change any more. After a crash it looks again: everything is on the chain."""
        await journal.step("watch", lambda: self._watch(proposal_id), type(None))

    async def _watch(self, proposal_id: str) -> None:
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.receipt is None:
            return
        proposal = stored.proposal
        later = actions.how(proposal.action).later
        if later is None:
            return
        approved_by = tuple(dict.fromkeys(vote.voter for vote in stored.votes if vote.choice is Choice.APPROVE))
        async for newer in later(proposal.action, f"{EXECUTE}-{proposal_id}", stored.receipt, self._writes):
            await self._bring_up_to_date(proposal, newer, approved_by)

    async def _bring_up_to_date(self, proposal: Proposal, newer: Receipt, approved_by: tuple[str, ...]) -> None:
        await self._store.end_proposal(proposal.id, ProposalState.DONE, newer)
        detail = newer.model_dump(mode="json")
        row = AuditRow(at=datetime.now(UTC), actor="bot", what="settled", subject=proposal.id, detail=detail)
        await self._store.audit(row)
        message = await self._store.posted(f"receipt:{proposal.id}")
        if message is None:
            log.error("a receipt that changed has no message", proposal=proposal.id)
            return
        card = await self.card(proposal, newer, approved_by)
        await until_available(lambda: self._chat.edit(message, card))
        await self._proposals.show(proposal.id, outcome(newer))
        await self._changed(proposal.id)


def outcome(receipt: Receipt) -> str:
    """A Receipt in one sentence, for the Proposal's message."""
    return "Everything is as planned." if receipt.complete else "NOT everything is as planned: see the receipt."
