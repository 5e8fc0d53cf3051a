"""Handing over: what the bot may not send itself goes into the Proposal's thread as files that people's tools take."""

import json
from datetime import UTC, datetime

from bot import actions
from bot.domain.approval import Proposal
from bot.engine.persistence import until_available
from bot.ports import Chat, MessageRef, Store, Writes


class Handing:
    """Uploads a Receipt's hand-over, once."""

    def __init__(self, store: Store, chat: Chat, writes: Writes) -> None:
        self._store = store
        self._chat = chat
        self._writes = writes

    async def over(self, proposal_id: str) -> None:
        """The files of what this Proposal's Receipt handed over; nothing where it handed over nothing."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.receipt is None or stored.message is None:
            return
        proposal, make = stored.proposal, actions.how(stored.proposal.action).handover
        made = await make(proposal.action, proposal.id, stored.receipt, self._writes) if make else None
        if made is None:
            return
        batch = made.safe_batch(datetime.now(UTC))
        texts = {"cast.sh": made.script(), "safe.json": json.dumps(batch, indent=2) + "\n", "all.json": made.document()}
        for name, text in texts.items():
            await self._upload(proposal, stored.message, name, text, made.hashes)

    async def _upload(
        self, proposal: Proposal, message: MessageRef, name: str, text: str, known: frozenset[str]
    ) -> None:
        key = f"handover:{proposal.id}:{name}"
        file = f"{proposal.action.kind}-{proposal.id}-{name}"
        await until_available(
            lambda: self._chat.upload(message.channel, file, text, key=key, thread=message.ts, known=known)
        )
