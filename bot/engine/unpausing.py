"""Behind an unpause: the bridge's 24 hours by the chain's clock, the Proposal that ends them, the hour of watching.

(Unpause Procedure, steps 3 and 4.) The wait is a stored deadline with a workflow; what it waits for is read from the
chain each time, so that neither a restart nor the bot's own clock changes when it is over.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.actions.pause import contract_name
from bot.actions.unpause import BRIDGE, DELAY, ExecuteUnpause, Unpause, executable_from
from bot.domain.action import Outcome
from bot.domain.approval import Proposal, ProposalState
from bot.domain.cards import Button, NoticeCard, UrgentCard
from bot.domain.deadline import Deadline, DeadlineKind, DeadlineState
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.engine.deadlines import UNPAUSE, Deadlines
from bot.engine.durable import Durable
from bot.engine.persistence import until_available
from bot.engine.proposals import Proposals
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import Chat, ContractViews, Journal, Roster, Store, Stored, Writes

EXECUTE_LABEL = "Execute the unpause…"
_LOOK_EVERY = 5.0
"""Seconds between looks at the chain's clock."""
_ASK_EVERY = 10.0
"""Seconds between two tries to propose the execution, while a probe it requires is not OK."""
_NAME = contract_name(BRIDGE)
_READY, _RUNS = "ready", "runs"


class Unpausing:
    """What follows an unpause's Receipt."""

    def __init__(
        self,
        *,
        store: Store,
        chat: Chat,
        roster: Roster,
        durable: Durable,
        writes: Writes,
        proposals: Proposals,
        deadlines: Deadlines,
    ) -> None:
        self._store = store
        self._chat = chat
        self._roster = roster
        self._durable = durable
        self._writes = writes
        self._proposals = proposals
        self._deadlines = deadlines

    async def paused(self, contracts: Sequence[str]) -> tuple[str, ...]:
        """Those of these that are paused, or about which nobody answers."""
        views = self._views()

        async def stopped(contract: str) -> bool:
            try:
                return bool(await views.number(contract, "paused()"))
            except UnavailableError:
                return True

        states = await asyncio.gather(*(stopped(contract) for contract in contracts))
        return tuple(one for one, stops in zip(contracts, states, strict=True) if stops)

    async def ended(self, proposal_id: str) -> None:
        """A Proposal was carried out, or its Receipt has changed: begin what follows. Twice is once."""
        stored = await self._store.proposal(proposal_id)
        if stored is None or stored.state is not ProposalState.DONE or stored.receipt is None or not stored.message:
            return
        proposal, channel = stored.proposal, stored.message.channel
        if isinstance(proposal.action, Unpause) and BRIDGE in proposal.action.contracts:
            if _requested(stored):
                await self._begin(proposal, channel)
        elif isinstance(proposal.action, Unpause | ExecuteUnpause) and stored.receipt.complete:
            await self._deadlines.watch(proposal.incident_id, channel, key=f"unpause:{proposal.id}")

    async def _begin(self, proposal: Proposal, channel: str) -> None:
        now = datetime.now(UTC)
        deadline = Deadline(
            id=f"unpause:{proposal.id}",
            kind=DeadlineKind.UNPAUSE,
            due_at=now + DELAY,
            text=f"the unpause of {_NAME} can be executed, by the chain's clock",
            incident_id=proposal.incident_id,
            channel=channel,
            began_at=now,
        )
        await self._store.keep_deadline(deadline)
        await self._durable.start(UNPAUSE, deadline.id)

    async def wait(self, journal: Journal, deadline_id: str) -> None:
        """Wait for the 24 hours, then propose the execution, or say why not."""
        deadline = await self._store.deadline(deadline_id)
        if deadline is None or deadline.state is not DeadlineState.WAITING:
            return
        await journal.step("told", lambda: self._tell(deadline), type(None))
        found = await journal.step("wait", self._until_over, str)
        if found == _RUNS:
            text = f"{_NAME} runs again: somebody has executed its unpause."
            await journal.step("runs", lambda: self._say(deadline, State.OK, text, "runs"), type(None))
        else:
            await journal.step("offer", lambda: self._offer(deadline), type(None))
            await journal.step("propose", lambda: self._propose(deadline), type(None))
        state = DeadlineState.CLEARED if found == _RUNS else DeadlineState.PASSED
        await journal.step("end", lambda: self._store.end_deadline(deadline_id, state, found), type(None))

    async def _tell(self, deadline: Deadline) -> None:
        """When it will be, once the request is on the chain."""
        while True:
            try:
                at = await executable_from(self._views())
            except UnavailableError:
                at = None
            if at is not None:
                break
            if await self._runs():
                return
            await asyncio.sleep(_LOOK_EVERY)
        text = (
            f"The unpause of {_NAME} is requested. It can be executed from {at:%Y-%m-%d %H:%M:%S} UTC on, by the "
            "chain's clock. The bot proposes it then: it takes fresh votes, and the probes have to be OK again."
        )
        await self._say(deadline, State.OK, text, "requested")

    async def _until_over(self) -> str:
        """Look at the chain until its clock says so. Nothing is remembered: after a crash it looks again."""
        while True:
            try:
                at = await executable_from(self._views())
                if at is not None and await self._views().now() >= at:
                    return _READY
                if at is None and await self._runs():
                    return _RUNS
            except UnavailableError:
                pass  # nobody answers now: the next look asks again
            await asyncio.sleep(_LOOK_EVERY)

    async def _runs(self) -> bool:
        try:
            return not await self._views().number(BRIDGE, "paused()")
        except UnavailableError:
            return False

    async def _offer(self, deadline: Deadline) -> None:
        """Loud, and with a button that stays: the Proposal the bot makes lives half an hour only."""
        stored = await self._origin(deadline)
        offer = await self._proposals.offer(_execution(stored.proposal), deadline.incident_id)
        card = UrgentCard(
            f"{_NAME} can be unpaused now",
            "Its 24 hours are over by the chain's clock. The execution is a proposal of its own, with fresh votes and "
            f"probes. Where the one below has ended, *{EXECUTE_LABEL}* makes a new one.",
            tuple(self._roster.holders(Role.GUARDIAN))[:_CALLED],
            (Button(EXECUTE_LABEL, offer.id),),
        )
        channel = deadline.channel or ""
        await until_available(lambda: self._chat.post(channel, card, key=f"{deadline.id}:over"))

    async def _propose(self, deadline: Deadline) -> None:
        """In the name of whoever proposed the unpause, as soon as what it requires is OK."""
        while True:
            try:
                await self._propose_once(deadline)
            except BotError as error:
                text = f"It is not proposed yet; the bot tries again until it can. {error.sentences()}"
                await self._say(deadline, State.BAD, text, "refused")
            else:
                return
            await asyncio.sleep(_ASK_EVERY)
            if await self._runs():
                return

    async def _propose_once(self, deadline: Deadline) -> None:
        """One that is open already is enough."""
        origin = (await self._origin(deadline)).proposal
        place = deadline.channel or ""
        for stored in await self._store.proposals(ProposalState.OPEN):
            if isinstance(stored.proposal.action, ExecuteUnpause):
                await self._proposals.announce(stored.proposal, place)
                return
        action = _execution(origin)
        await self._proposals.propose(
            action, origin.proposer, reason(action), incident_id=origin.incident_id, place=place
        )

    async def _say(self, deadline: Deadline, state: State, text: str, what: str) -> None:
        channel = deadline.channel or ""
        await until_available(lambda: self._chat.post(channel, NoticeCard(state, text), key=f"{deadline.id}:{what}"))

    async def _origin(self, deadline: Deadline) -> Stored:
        stored = await self._store.proposal(deadline.id.removeprefix("unpause:"))
        if stored is None:
            raise LookupError(f"no proposal behind {deadline.id}")
        return stored

    def _views(self) -> ContractViews:
        if self._writes.views is None:
            raise RefusedError("This bot has no Ethereum RPC to look at contracts with.")
        return self._writes.views


_CALLED = 20
"""Mentions in one message at most."""


def reason(action: Unpause | ExecuteUnpause) -> str:
    """What the Proposal says, from the modal's two fields."""
    return f"Cause: {action.cause}\nFix: {action.fix}"


def _execution(origin: Proposal) -> ExecuteUnpause:
    if not isinstance(origin.action, Unpause):
        raise TypeError(f"{origin.id} is no unpause")
    return ExecuteUnpause(cause=origin.action.cause, fix=origin.action.fix)


def _requested(stored: Stored) -> bool:
    """Whether the bridge's request was sent, handed over, or is there already."""
    steps = stored.receipt.steps if stored.receipt else ()
    return any(step.name == _NAME and step.outcome not in {Outcome.FAILED, Outcome.NOT_BEGUN} for step in steps)
