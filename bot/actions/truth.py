"""What is true of the contracts of a pause: a receipt on chain, and `paused()` from two RPCs where there are two."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from bot.actions.landing import Flight, Landed, Wanted
from bot.domain.action import Outcome, Receipt, StepResult
from bot.errors import UnavailableError
from bot.ports import Call, Mined, Readings, SendingChain, SignedTransaction, SignedTransactions

Names = Callable[[str], str]
"""A contract's own name by its setting's."""

_PATIENCE = 3.0
"""Seconds that RPCs get to agree that a contract is paused, once its transaction is mined."""
_LOOK_AGAIN = 0.25
_WATCH_EVERY = 2.0
"""Seconds between looks after the Receipt, until every block is final."""
_WATCH_FOR = timedelta(hours=24)
FINAL = "Final: none of these blocks can be replaced any more."
NOT_FINAL = "Not final yet: a reorg could still replace the block. This receipt is brought up to date when it is."


async def read_back(chain: SendingChain, contracts: Sequence[str], landed: Landed) -> dict[str, Readings]:
    """Each contract's `paused()` by every RPC; a short while is given to those that lag behind the block."""
    reverted = {contract for contract, mined in landed.mined.items() if not mined.succeeded}
    end = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        readings = dict(await chain.readings(contracts))
        if (
            all(one.confirmed for name, one in readings.items() if name not in reverted)
            or asyncio.get_running_loop().time() > end
        ):
            return readings
        await asyncio.sleep(_LOOK_AGAIN)


def receipt(
    calls: Sequence[Call], landed: Landed, readings: dict[str, Readings], names: Names, at: datetime
) -> Receipt:
    """One line a contract, always; and under them what is awaited and what went differently."""
    steps = tuple(
        _step(call, landed.sent.get(call.contract), landed.mined.get(call.contract), readings[call.contract], names)
        for call in calls
    )
    blocks = [one.block for one in landed.mined.values()]
    finality = () if not blocks else (FINAL if landed.final >= max(blocks) else NOT_FINAL,)
    return Receipt(steps=steps, finished_at=at, notes=(*finality, *landed.notes))


async def later(
    chain: SendingChain, signed: SignedTransactions, wanted: Wanted, first: Receipt
) -> AsyncIterator[Receipt]:
    """Newer Receipts as the truth changes: settled, taken back by a reorg and sent again, final at last."""
    flight, shown = Flight(chain, signed, wanted), first
    end = asyncio.get_running_loop().time() + _WATCH_FOR.total_seconds()
    while asyncio.get_running_loop().time() < end:
        await flight.round()
        landed = flight.landed()
        if not landed.sent and first.complete:
            return
        readings = dict(await chain.readings([call.contract for call in wanted.calls]))
        newer = receipt(wanted.calls, landed, readings, wanted.names, first.finished_at)
        newer = newer.model_copy(update={"notes": _with_the_first(newer, first, shown)})
        if (newer.steps, newer.notes) != (shown.steps, shown.notes):
            shown = newer
            yield newer
        if newer.complete and FINAL in newer.notes:
            return
        with suppress(UnavailableError):
            await asyncio.sleep(_WATCH_EVERY)


def _with_the_first(newer: Receipt, first: Receipt, shown: Receipt) -> tuple[str, ...]:
    """The present notes and what the first Receipt told of the sending; a reorg, once seen, is never forgotten."""
    told = [text for text in (*shown.notes, *first.notes) if text not in {FINAL, NOT_FINAL}]
    taken_back = [step.name for step in shown.steps if "block" in step.evidence]
    gone = [step.name for step in newer.steps if step.name in taken_back and "block" not in step.evidence]
    reorg = [f"A reorg took the block of {', '.join(gone)}: the same bytes were sent again."] if gone else []
    return tuple(dict.fromkeys([*newer.notes, *reorg, *told]))


def _step(
    call: Call, sent: SignedTransaction | None, mined: Mined | None, readings: Readings, names: Names
) -> StepResult:
    """One line of the Receipt, with the evidence for it."""
    outcome, text = _judge(sent, mined, readings)
    evidence: dict[str, Any] = {"address": call.address, "paused": _told(readings)}
    if sent:
        evidence |= {"transaction": sent.hash, "nonce": sent.nonce}
    if mined:
        evidence["block"] = mined.block
    return StepResult(name=names(call.contract), outcome=outcome, text=text, evidence=evidence)


def _told(readings: Readings) -> str:
    """Who says what, such as ``yes: RPC A (host), RPC B (host)``."""
    parts = {"yes": readings.paused, "no": readings.running, "no answer": readings.silent}
    return "; ".join(f"{word}: {', '.join(who)}" for word, who in parts.items() if who) or "nobody was asked"


def _judge(sent: SignedTransaction | None, mined: Mined | None, readings: Readings) -> tuple[Outcome, str]:
    """What is true of one contract now. "Paused" is what the contract says, not what was sent."""
    reverted = f"reverted: {mined.reason or 'no reason given'}" if mined and not mined.succeeded else ""
    if sent is None:
        return _without_sending(readings)
    if readings.confirmed and mined is not None:
        by = f"paused, by {len(readings.paused)} RPC{'s' if len(readings.paused) > 1 else ''}"
        return (Outcome.SKIPPED, f"is paused; our transaction {reverted}") if reverted else (Outcome.DONE, by)
    if mined is None:
        seen = "is paused, but our transaction is not seen mined: somebody else may have paused it"
        looking = "sent, but not seen mined; the bot keeps looking and brings this receipt up to date"
        return Outcome.UNKNOWN, seen if readings.confirmed else looking
    if reverted and not readings.paused:
        return Outcome.FAILED, f"NOT PAUSED, {reverted}"
    return _unconfirmed(reverted, readings)


def _without_sending(readings: Readings) -> tuple[Outcome, str]:
    if readings.confirmed:
        return Outcome.SKIPPED, "was paused already; nothing sent"
    if readings.paused and not readings.running:
        return Outcome.SKIPPED, f"was paused already, by {readings.paused[0]} alone; nothing sent"
    return (
        Outcome.FAILED,
        "NOT PAUSED now, though it was a moment ago; nothing sent: somebody unpaused it, or an RPC lies",
    )


def _unconfirmed(reverted: str, readings: Readings) -> tuple[Outcome, str]:
    """Mined, but not as many RPCs as it takes say that the contract is paused."""
    mined = f"mined ({reverted})" if reverted else "mined"
    if readings.paused and readings.running:
        says, denies = ", ".join(readings.paused), ", ".join(readings.running)
        return Outcome.UNKNOWN, f"{mined}, but the RPCs disagree: {says} says paused, {denies} says not paused"
    if readings.paused:
        return Outcome.UNKNOWN, f"{mined} and paused by {readings.paused[0]} alone: no second RPC confirms it yet"
    if readings.running:
        return Outcome.FAILED, f"{mined}, yet paused() says no: somebody may have unpaused it, or the RPC lags"
    return Outcome.UNKNOWN, f"{mined}, but no RPC answered paused(): read it again before you rely on it"
