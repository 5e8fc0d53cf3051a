"""Landing transactions: sign, store, send everywhere, and look until all are mined. Nothing is ever paid twice.

What is signed is stored before it is sent. After a crash the same bytes go out again, and the same bytes pay once.
Signing again happens in two cases only, each as a new generation that is stored first:

- What waits for two blocks, or offers less than the base fee, is signed again with the same nonces and higher fees: one
  of the two can be mined, never both. A nonce below ours that something else holds is filled.
- A nonce of ours is used up and none of our transactions has a receipt: somebody else's transaction took it. What was
  lost is signed again with fresh nonces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import stamina
from pydantic import BaseModel, ConfigDict

from bot.errors import UnavailableError
from bot.ports import Call, Look, Mined, Progress, SendingChain, SignedTransaction, SignedTransactions

GIVE_UP = timedelta(minutes=10)
"""After this long without a receipt the outcome is said to be unknown; the same bytes can still land later."""
_LOOK_AGAIN = 0.25
"""Seconds between looks for receipts."""
_SEND_AGAIN = 5.0
"""Seconds between broadcasts of the same bytes while they are not mined."""
_PATIENCE = 2
"""Blocks that a transaction may wait before it is signed again with higher fees."""
_SURE = 4
"""Looks in a row that have to find a nonce used up by somebody else before that is believed: a receipt can be late."""


@dataclass(frozen=True)
class Wanted:
    """What one execution wants mined."""

    execution_id: str
    calls: Sequence[Call]
    """One for each contract, in order."""
    names: Callable[[str], str]
    """A contract's own name by its setting's, for people."""
    undone: Callable[[Sequence[str]], Awaitable[Collection[str]]]
    """Which of these contracts, by setting name, still need their call: asked before anything is signed again."""


class Landed(BaseModel):
    """What became of a set of calls."""

    model_config = ConfigDict(frozen=True)

    sent: Mapping[str, SignedTransaction]
    """By contract: what was mined, or else what was signed last."""
    mined: Mapping[str, Mined]
    """By contract: those that have a receipt."""
    notes: tuple[str, ...]
    """What went differently than it should, in words."""
    final: int = 0
    """Blocks up to this one can't be replaced any more."""


async def sign(
    chain: SendingChain, signed: SignedTransactions, execution_id: str, calls: Sequence[Call]
) -> list[SignedTransaction]:
    """Sign and store, unless that happened before a crash: those bytes count, since they may have been sent."""
    stored = await signed.transactions(execution_id)
    if stored:
        return list(stored)
    attempts = stamina.retry_context(
        on=UnavailableError, attempts=None, timeout=GIVE_UP, wait_initial=0.2, wait_max=2.0
    )
    async for attempt in attempts:
        with attempt:
            fresh = await chain.sign(calls)
    return list(await signed.keep_transactions(execution_id, fresh)) if fresh else []


async def land(chain: SendingChain, signed: SignedTransactions, wanted: Wanted, say: Progress) -> Landed:
    """Send what an execution has signed, and look until it is mined or the time is up.

    Args:
        chain: with the key that signed.
        signed: where every generation is stored.
        wanted: what was signed, for the case that it has to be signed again.
        say: told how far it is.
    """
    flight = Flight(chain, signed, wanted)
    loop = asyncio.get_running_loop()
    end, telling = loop.time() + GIVE_UP.total_seconds(), asyncio.create_task(_tell(flight, say))
    try:
        while loop.time() < end:
            await flight.round()
            if flight.over:
                break
            await asyncio.sleep(_LOOK_AGAIN)
    finally:
        telling.cancel()
    return flight.landed()


class Flight:
    """The transactions of one execution between signing and the chain."""

    def __init__(self, chain: SendingChain, signed: SignedTransactions, wanted: Wanted) -> None:
        self._chain = chain
        self._signed = signed
        self._id = wanted.execution_id
        self._calls = {call.contract: call for call in wanted.calls}
        self._names = wanted.names
        self._undone = wanted.undone
        self._sent: Sequence[SignedTransaction] = ()
        self._look: Look | None = None
        self._notes: dict[str, None] = {}
        self._since: int | None = None
        """The block at which was last sent something new."""
        self._lost = 0
        self._send_at = 0.0
        self._taken = False
        """Whether an RPC has taken what was sent last."""

    @property
    def over(self) -> bool:
        """Whether every call has its receipt."""
        return self._look is not None and not any(one.contract for one in self.waiting)

    @property
    def waiting(self) -> list[SignedTransaction]:
        """The newest transaction of each contract without a receipt, and of each nonce we filled; by nonce."""
        newest = {one.contract or f"nonce {one.nonce}": one for one in self._sent}
        mined, used = (self._look.mined, self._look.used) if self._look else ({}, 0)
        done = {one.contract for one in self._sent if one.contract and one.hash in mined}
        open_ = [one for one in newest.values() if (one.contract or one.nonce >= used) and one.contract not in done]
        return sorted(open_, key=lambda one: one.nonce)

    async def round(self) -> None:
        """One look, and whatever follows from it. An RPC that is away costs a round, nothing else."""
        now = asyncio.get_running_loop().time()
        try:
            if not self._sent:
                self._sent = await self._signed.transactions(self._id)
            if now >= self._send_at:
                self._send_at = now + _SEND_AGAIN
                await self._send(self.waiting)
            self._look = await self._chain.look(self._sent)
            await self._act(self._look)
        except UnavailableError as error:
            # The bytes are stored: the next round sends them again.
            self._note(error.happened)
            self._send_at = min(self._send_at, now + 1)

    def landed(self) -> Landed:
        """What is known now."""
        look = self._look
        receipts = look.mined if look else {}
        sent: dict[str, SignedTransaction] = {}
        for one in self._sent:
            before = sent.get(one.contract)
            if one.contract and (before is None or before.hash not in receipts):
                sent[one.contract] = one
        mined = {name: receipts[one.hash] for name, one in sent.items() if one.hash in receipts}
        notes = dict.fromkeys([*self._notes, *(look.silent if look else ())])
        return Landed(sent=sent, mined=mined, notes=tuple(notes), final=look.final if look else 0)

    def words(self) -> str:
        """How far it is, for people."""
        look, landed = self._look, self.landed()
        if not landed.sent:
            return ""
        count, nonces = len(landed.sent), sorted(one.nonce for one in landed.sent.values())
        done = "sent" if self._taken else "signed, taken by no RPC yet"
        first = f"{count} transaction{'' if count == 1 else 's'} {done}, nonce{'' if count == 1 else 's'} "
        first += f"{nonces[0]}" if count == 1 else f"{nonces[0]} to {nonces[-1]}"
        waits = ", waiting for the next block" + (f" after {look.block:,}" if look else "")
        each = [
            f"{self._names(name)} `{one.hash[:12]}…{one.hash[-8:]}`"
            + (f" mined in block {landed.mined[name].block:,}" if name in landed.mined else "")
            for name, one in landed.sent.items()
        ]
        return f"{first}{'' if len(landed.mined) == count else waits}.\n" + "\n".join([*each, *landed.notes])

    async def _act(self, look: Look) -> None:
        waiting = self.waiting
        if not any(one.contract for one in waiting):
            return
        if self._since is None:
            self._since = look.block
        lost = [one for one in waiting if one.contract and one.nonce < look.used]
        self._lost = self._lost + 1 if lost else 0
        if lost and self._lost >= _SURE:
            await self._sign_again(lost)
        elif not lost and self._stuck(waiting, look):
            self._since = look.block
            await self._replace(waiting, look)

    def _stuck(self, waiting: Sequence[SignedTransaction], look: Look) -> bool:
        blocks = look.block - (self._since or 0)
        return blocks >= _PATIENCE or (blocks >= 1 and any(one.hash in look.priced_out for one in waiting))

    async def _replace(self, waiting: Sequence[SignedTransaction], look: Look) -> None:
        ours = {one.nonce for one in waiting}
        between = [nonce for nonce in range(look.used, min(ours)) if nonce not in ours]
        if between:
            self._note(
                f"Before ours, nonce {_numbers(between)} of the same key held everything up (somebody else's "
                "transaction, or a gap): filled with an empty transaction of ours. Find out who else has this key."
            )
        fresh = await self._chain.replace(waiting, look.used)
        if fresh:
            nonces = [one.nonce for one in fresh if one.contract]
            self._note(f"Not mined in time: signed again with higher fees, same nonces ({_numbers(nonces)}).")
            await self._keep(fresh)
        if len([one for one in fresh if one.contract]) < len([one for one in waiting if one.contract]):
            gwei = look.base_fee / 10**9
            self._note(
                f"The base fee is {gwei:,.1f} gwei and our fees can't rise further under the cap: "
                "raise MUSD_MAX_FEE_GWEI, or send it by hand with a higher fee."
            )

    async def _sign_again(self, lost: Sequence[SignedTransaction]) -> None:
        self._lost = 0
        undone = await self._undone([one.contract for one in lost])
        open_ = [one for one in lost if one.contract in undone]
        names = ", ".join(self._names(one.contract) for one in lost)
        self._note(
            f"Somebody else's transaction of the same key took nonce {_numbers([one.nonce for one in lost])}, so ours "
            f"for {names} can't be mined: signed again with a fresh nonce. Find out who else has this key."
        )
        if open_:
            await self._keep(await self._chain.sign([self._calls[one.contract] for one in open_]))

    async def _keep(self, fresh: Sequence[SignedTransaction]) -> None:
        """Stored before it is sent, like the first generation."""
        generation = max(one.generation for one in self._sent) + 1
        kept = [one.model_copy(update={"generation": generation}) for one in fresh]
        self._sent = [*self._sent, *await self._signed.keep_transactions(self._id, kept)]
        await self._send(self.waiting)

    async def _send(self, transactions: Sequence[SignedTransaction]) -> None:
        if transactions:
            self._note(*await self._chain.broadcast(transactions))
            self._taken = True

    def _note(self, *texts: str) -> None:
        self._notes |= dict.fromkeys(texts)


async def _tell(flight: Flight, say: Progress) -> None:
    """Say how far it is when that has changed; never holds the flight up."""
    told = ""
    while True:
        if (words := flight.words()) != told:
            told = words
            await say(words)
        await asyncio.sleep(_LOOK_AGAIN)


def _numbers(nonces: Sequence[int]) -> str:
    return ", ".join(map(str, nonces))
