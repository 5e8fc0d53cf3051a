"""Admin calls on Ethereum, one after the other: sent where the bot has the key for them, else handed over.

Each step is read before (done already: skipped), tried dry from the second signer (lacks the role: handed over, nothing
sent), signed, its bytes stored, sent, and read back: what counts as done is what the contract says afterwards. What was
handed over, or not seen mined, is watched until it has happened.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.actions import landing
from bot.actions.landing import Landed, Wanted
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.handover import HandedCall, Handover
from bot.domain.onchain import OnchainStep
from bot.domain.probe import State
from bot.errors import RefusedError, RevertedError, UnavailableError
from bot.ports import AdminChain, ContractViews, How, Journal, Mined, SignedTransaction, Writes

NO_SIGNER = "the bot has no second signer for this"
LACKS_ROLE = frozenset({"AccessControlUnauthorizedAccount", "OwnableUnauthorizedAccount"})
"""Errors by which OpenZeppelin's contracts refuse somebody who may not."""
_WATCH_EVERY = 3.0
"""Seconds between looks at what was handed over."""
_WATCH_FOR = timedelta(days=14)
"""A timelock takes two days, and people their time."""
_TIMELOCK_DELAY = timedelta(hours=48)
_turn = asyncio.Lock()
"""Between reading the next nonce and handing the transaction to the nodes: two runs would take the same one."""

Steps = Callable[[Action, ContractViews], Awaitable[Sequence[OnchainStep]]]
"""Works an Action out into its calls, in order, from what the chain says. Not from whether they are done already."""


class Ability(StrEnum):
    """What was found out about a step before it."""

    DONE = "done already"
    SENDS = "the bot sends it"
    HANDED = "handed over"
    REVERTS = "would revert"
    UNKNOWN = "not known"


class Look(BaseModel):
    """What was found out about a step right before it."""

    model_config = ConfigDict(frozen=True)

    ability: Ability
    text: str


class Read(BaseModel):
    """What the contract says: whether a step has happened. None where nobody answered."""

    model_config = ConfigDict(frozen=True)

    done: bool | None


@dataclass(frozen=True)
class Words:
    """What differs between kinds of admin Actions besides their steps."""

    left_open: Sequence[str] = ()
    cautions: Sequence[str] = ()
    strict: bool = False
    """Whether a step that isn't done ends the run: each later one counts on the one before it."""
    handed_always: str = ""
    """Why every step is handed over, whatever keys the bot has; empty where it may send."""


def how(kind: type[Action], steps: Steps, words: Words) -> How:
    """How to plan and run a kind of Action that consists of admin calls."""

    async def binding(action: Action, writes: Writes) -> Mapping[str, Any]:
        views = _views(writes)
        calls = [_bound(step, views) for step in await steps(action, views)]
        return {"chain_id": views.chain_id, "signer": _signer(writes), "calls": calls}

    async def plan(action: Action, writes: Writes) -> Plan:
        views = _views(writes)
        worked_out = await steps(action, views)
        looks = await asyncio.gather(*(look(step, writes, words) for step in worked_out))
        cautions = [_caution(step, one) for step, one in zip(worked_out, looks, strict=True)]
        return Plan(
            steps=tuple(planned(step, one, views) for step, one in zip(worked_out, looks, strict=True)),
            signer=_signer(writes),
            chain_id=views.chain_id,
            stays_open=tuple(words.left_open),
            cautions=(*words.cautions, *filter(None, cautions)),
            binding=await binding(action, writes),
        )

    async def run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
        action, results = approval.proposal.action, []
        worked_out = await journal.step("steps", lambda: _listed(steps, action, writes), list[OnchainStep])
        for place, step in enumerate(worked_out):
            results.append(await carried_out(f"{place}", step, writes, words, journal))
            if words.strict and results[-1].outcome not in {Outcome.DONE, Outcome.SKIPPED}:
                results += [_not_begun(left, writes, results[-1]) for left in worked_out[place + 1 :]]
                break
        finished = await journal.step("finish", _now, datetime)
        return Receipt(steps=tuple(results), finished_at=finished)

    async def later(action: Action, _: str, receipt: Receipt, writes: Writes) -> AsyncIterator[Receipt]:
        async for newer in _later(await steps(action, _views(writes)), receipt, _views(writes)):
            yield newer

    async def handover(action: Action, made_for: str, receipt: Receipt, writes: Writes) -> Handover | None:
        worked_out = await steps(action, _views(writes))
        left = [step for step, one in zip(worked_out, receipt.steps, strict=True) if one.outcome is Outcome.HANDED]
        why = words.handed_always or "The bot's key may not send this."
        return await handed_over(action.title, why, left, _views(writes), made_for=made_for) if left else None

    return How(kind=kind, binding=binding, plan=plan, run=run, later=later, handover=handover)


async def look(step: OnchainStep, writes: Writes, words: Words) -> Look:
    """Is it done already, and could the bot send it? Never raises."""
    views = _views(writes)
    if (await proven(step, views)).done:
        return Look(ability=Ability.DONE, text="It is so already.")
    if words.handed_always or writes.admin is None:
        return Look(ability=Ability.HANDED, text=f"Handed over: {words.handed_always or NO_SIGNER}.")
    try:
        await views.dry_run(views.encoded(step.contract, step.signature, *step.arguments), writes.admin.signer)
    except RevertedError as error:
        if error.error in LACKS_ROLE:
            return Look(ability=Ability.HANDED, text=f"Handed over: {error.happened}.")
        return Look(ability=Ability.REVERTS, text=f"It would revert: {error.happened}.")
    except UnavailableError as error:
        return Look(ability=Ability.UNKNOWN, text=error.happened)
    return Look(ability=Ability.SENDS, text=f"{step.name}.{step.spelt} succeeds in a dry run.")


async def proven(step: OnchainStep, views: ContractViews) -> Read:
    """Whether the chain says that the step has happened."""
    try:
        answer = await views.number(step.contract, step.proof.signature, *step.proof.arguments)
    except UnavailableError:
        return Read(done=None)
    return Read(done=step.proof.holds(answer))


async def carried_out(place: str, step: OnchainStep, writes: Writes, words: Words, journal: Journal) -> StepResult:
    """One call: skipped where it is so already, handed over where the bot may not, else sent and read back."""
    looked = await journal.step(f"{place} look", lambda: look(step, writes, words), Look)
    if looked.ability is Ability.DONE:
        return _result(step, writes, Outcome.SKIPPED, "was so already; nothing sent")
    if looked.ability is Ability.HANDED:
        return _result(step, writes, Outcome.HANDED, looked.text)
    if looked.ability is Ability.REVERTS:
        return _result(step, writes, Outcome.FAILED, f"{looked.text} Nothing was sent.")
    wanted = _wanted(step, writes, f"{journal.id}:{place}")
    await journal.step(f"{place} send", lambda: _send(wanted, writes), list[SignedTransaction])
    landed = await journal.step(f"{place} land", lambda: _land(wanted, writes), Landed)
    read = await journal.step(f"{place} read back", lambda: proven(step, _views(writes)), Read)
    sent, mined = landed.sent.get(step.contract), landed.mined.get(step.contract)
    outcome, text = _judge(mined, read.done)
    evidence = {"transaction": sent.hash, "nonce": sent.nonce} if sent else {}
    return _result(step, writes, outcome, text, **evidence, **({"block": mined.block} if mined else {}))


def _wanted(step: OnchainStep, writes: Writes, execution_id: str) -> Wanted:
    views = _views(writes)

    async def undone(contracts: Sequence[str]) -> Sequence[str]:
        return [] if (await proven(step, views)).done else contracts

    call = views.encoded(step.contract, step.signature, *step.arguments)
    return Wanted(execution_id=execution_id, calls=[call], names=lambda _: step.name, undone=undone)


async def _send(wanted: Wanted, writes: Writes) -> list[SignedTransaction]:
    """Bytes signed before a crash are the ones that count: they can be sent twice and pay once."""
    async with _turn:
        signed = await landing.sign(_admin(writes), writes.signed, wanted.execution_id, wanted.calls)
        with suppress(UnavailableError):  # the bytes are stored: `_land` sends them again
            await _admin(writes).broadcast(signed)
    return signed


async def _land(wanted: Wanted, writes: Writes) -> Landed:
    return await landing.land(_admin(writes), writes.signed, wanted, writes.progress)


def _judge(mined: Mined | None, done: bool | None) -> tuple[Outcome, str]:
    if done:
        return Outcome.DONE, "done, and read back"
    if mined is not None and not mined.succeeded:
        return Outcome.FAILED, f"reverted: {mined.reason or 'no reason given'}"
    if mined is None:
        return Outcome.UNKNOWN, "sent, but not seen mined; the bot keeps looking and brings this receipt up to date"
    if done is None:
        return Outcome.UNKNOWN, "mined, but no RPC answered what the contract says now: read it before you rely on it"
    return Outcome.FAILED, "mined, yet the contract says otherwise: somebody may have undone it, or the RPC lags"


def _result(step: OnchainStep, writes: Writes, outcome: Outcome, text: str, **evidence: Any) -> StepResult:
    shown = {"address": _views(writes).address(step.contract), "call": step.spelt, **evidence}
    return StepResult(name=step.name, outcome=outcome, text=text, evidence=shown)


def _not_begun(step: OnchainStep, writes: Writes, before: StepResult) -> StepResult:
    """Whoever sends the step that was handed over has to send what follows it, too."""
    if before.outcome is Outcome.HANDED:
        return _result(step, writes, Outcome.HANDED, "handed over with the step before it, to be sent after it")
    return _result(step, writes, Outcome.NOT_BEGUN, "the step before it is not done")


# --- What people have to send ----------------------------------------------------------------------------------------


async def _later(steps: Sequence[OnchainStep], first: Receipt, views: ContractViews) -> AsyncIterator[Receipt]:
    """Newer Receipts as what was handed over, or not seen mined, turns out to have happened."""
    shown, end = first, asyncio.get_running_loop().time() + _WATCH_FOR.total_seconds()
    while any(one.outcome in _OPEN for one in shown.steps) and asyncio.get_running_loop().time() < end:
        newer = [await _settled(step, one, views) for step, one in zip(steps, shown.steps, strict=True)]
        if tuple(newer) != shown.steps:
            shown = shown.model_copy(update={"steps": tuple(newer)})
            yield shown
        await asyncio.sleep(_WATCH_EVERY)


async def _settled(step: OnchainStep, result: StepResult, views: ContractViews) -> StepResult:
    if result.outcome not in _OPEN or not (await proven(step, views)).done:
        return result
    text = "done: the contract says so" + (", somebody has sent it" if result.outcome is Outcome.HANDED else "")
    return result.model_copy(update={"outcome": Outcome.DONE, "text": text})


_OPEN = frozenset({Outcome.HANDED, Outcome.UNKNOWN})


async def handed_over(
    title: str, why: str, steps: Sequence[OnchainStep], views: ContractViews, *, made_for: str
) -> Handover:
    """These calls for people to send."""
    return Handover(
        title=title,
        why=why,
        chain_id=views.chain_id,
        calls=tuple(_handed(step, views) for step in steps),
        timelock=views.address("TIMELOCK"),
        delay=await _delay(views),
        made_for=made_for,
    )


async def _delay(views: ContractViews) -> timedelta:
    """The timelock's own, or the protocol's 48 hours where it does not tell."""
    try:
        return timedelta(seconds=await views.number("TIMELOCK", "getMinDelay()"))
    except UnavailableError:
        return _TIMELOCK_DELAY


def _handed(step: OnchainStep, views: ContractViews) -> HandedCall:
    call = views.encoded(step.contract, step.signature, *step.arguments)
    return HandedCall(
        name=step.name,
        address=call.address,
        signature=call.signature,
        arguments=tuple(map(str, step.arguments)),
        calldata=call.calldata,
        behind_timelock=step.behind_timelock,
    )


# --- The plan --------------------------------------------------------------------------------------------------------


def _bound(step: OnchainStep, views: ContractViews) -> Mapping[str, Any]:
    call = views.encoded(step.contract, step.signature, *step.arguments)
    return call.model_dump() | {"arguments": [str(one) for one in step.arguments]}


def planned(step: OnchainStep, looked: Look, views: ContractViews) -> PlanStep:
    """One call in a plan, with its dry run."""
    return PlanStep(
        name=step.name,
        target=views.address(step.contract),
        call=step.spelt,
        stops=step.does,
        simulation=_STATES[looked.ability],
        simulated=looked.text,
        already=looked.ability is Ability.DONE,
    )


_STATES = {
    Ability.DONE: State.OK,
    Ability.SENDS: State.OK,
    Ability.HANDED: State.UNKNOWN,
    Ability.REVERTS: State.BAD,
    Ability.UNKNOWN: State.UNKNOWN,
}
_CAUTIONS = {
    Ability.HANDED: "it is handed over once this is approved, and watched until it has happened.",
    Ability.REVERTS: "the dry run fails. If it still does then, nothing is sent for this one.",
    Ability.UNKNOWN: "the dry run gave no answer.",
}


def _caution(step: OnchainStep, looked: Look) -> str:
    text = _CAUTIONS.get(looked.ability, "")
    return f"{step.name}: {text} ({looked.text})" if text else ""


async def _listed(steps: Steps, action: Action, writes: Writes) -> list[OnchainStep]:
    return list(await steps(action, _views(writes)))


def _signer(writes: Writes) -> str:
    return writes.admin.signer if writes.admin else ""


def _admin(writes: Writes) -> AdminChain:
    if writes.admin is None:
        raise RefusedError(f"Nothing was sent: {NO_SIGNER}.")
    return writes.admin


def _views(writes: Writes) -> ContractViews:
    if writes.views is None:
        raise RefusedError("This bot has no Ethereum RPC to look at contracts with.", means="Nothing was sent.")
    return writes.views


async def _now() -> datetime:
    return datetime.now(UTC)
