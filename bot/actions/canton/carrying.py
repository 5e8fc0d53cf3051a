"""Carrying out what Canton's guardians approved: execute the proposal, use its proof for its one purpose, use it up.

"Paused" is what every active service contract says of itself afterwards, never the success of a command.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from bot.actions.canton import commands, effects
from bot.actions.canton.motions import ledger_of, price_cautions
from bot.actions.canton.sending import Seen, Step, send
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.canton import Ballot, Motion, Proof, short
from bot.domain.policy import CANTON, Policy
from bot.domain.probe import State
from bot.errors import RefusedError, UnavailableError
from bot.ports import How, Journal, LedgerWrites, Writes

_WATCH_EVERY = 3.0
"""Seconds between looks at what was handed over, or not seen."""
_WATCH_FOR = timedelta(days=14)
_DONE = frozenset({Outcome.DONE, Outcome.SKIPPED})


class CarryMotion(Action):
    """Carry out on Canton what its guardians approved there."""

    kind: ClassVar[str] = "canton-carry"
    policy: ClassVar[Policy] = CANTON

    motion: Motion
    key: str
    """`proposalId` of the ledger's proposal; of a pause by `EmergencyPauseState`, a name for it."""
    by_state: bool = False
    """Whether the guardians voted on `EmergencyPauseState`, which leaves no proof."""

    @property
    def title(self) -> str:
        """``Execute on Canton: …``."""
        return f"Execute on Canton: {self.motion.title}"


class _Proven(BaseModel):
    """The first step: the guardians' yes, in hand."""

    model_config = ConfigDict(frozen=True)

    step: StepResult
    proof: Proof | None = None


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    """What is carried out, by the hash that the guardians voted on."""
    del writes
    carry = _carry(action)
    bound = {"motion": carry.motion.model_dump(mode="json"), "key": carry.key, "by_state": carry.by_state}
    return bound | {"payload_hash": carry.motion.payload_hash(carry.key)}


async def _plan(action: Action, writes: Writes) -> Plan:
    carry, ledger = _carry(action), ledger_of(writes)
    motion = carry.motion
    yes = await _yes(carry, ledger)
    first = PlanStep(
        name="The guardians' approval",
        target=carry.key,
        call="EmergencyPauseState" if carry.by_state else "Proposal_Execute",
        stops="nothing yet: it makes the proof, good for this one purpose",
        simulation=State.BAD if yes.blocked else State.OK,
        simulated=yes.blocked or yes.done or "approved, and its timelock is over",
        already=bool(yes.done),
    )
    cautions = await price_cautions(ledger, motion) if motion.price is not None else ()
    by = "" if ledger.acts_as_operator else "The bot may not act as Canton's operator: each step of it is handed over."
    return Plan(
        steps=(first, *await effects.planned(motion, ledger)),
        cautions=(*filter(None, [by]), *cautions),
        binding=await _binding(action, writes),
    )


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    carry, ledger = _carry(approval.proposal.action), ledger_of(writes)
    motion = carry.motion
    proven = await journal.step("prove", lambda: _prove(carry, ledger), _Proven)
    steps = [proven.step]
    if proven.step.outcome in _DONE:
        for place, effect in enumerate(effects.of(motion)):
            work = effect(motion, ledger, carry.key, proven.proof)
            steps.append(await journal.step(f"effect {place}", lambda work=work: work(), StepResult))  # type: ignore[misc]  # mypy can't infer a lambda with a default
        if proven.proof is not None and motion.purpose in effects.USED_UP:
            proof, done = proven.proof, all(step.outcome in _DONE for step in steps)
            steps.append(await journal.step("use up", lambda: _use_up(ledger, proof, done=done), StepResult))
    finished = await journal.step("finish", _now, datetime)
    return Receipt(steps=tuple(steps), finished_at=finished)


async def _prove(carry: CarryMotion, ledger: LedgerWrites) -> _Proven:
    step = Step(name="The guardians' approval", id=f"execute:{carry.key}", look=lambda: _yes(carry, ledger))
    result = await send(ledger, step)
    if carry.by_state or result.outcome not in _DONE:
        return _Proven(step=result)
    return _Proven(step=result, proof=await _proof(carry, ledger))


async def _yes(carry: CarryMotion, ledger: LedgerWrites) -> Seen:
    """Whether the guardians' yes is there, can be fetched now, or why not."""
    if carry.by_state:
        return await _state_says(ledger)
    if await _proof(carry, ledger) is not None:
        return Seen(done="executed, and its proof is on the ledger")
    ballot = next((one for one in await ledger.ballots() if one.key == carry.key), None)
    if why := _not_yet(carry, ballot) or await effects.premature(carry.motion, ledger):
        return Seen(blocked=f"NOT DONE: {why}")
    if ballot is None:
        raise RefusedError("The proposal is not on the ledger.")
    return Seen(command=commands.execute(ballot, await ledger.guardian()))


async def _state_says(ledger: LedgerWrites) -> Seen:
    state = await ledger.pause_state()
    if state is None:
        return Seen(blocked="NOT DONE: there is no EmergencyPauseState on the ledger")
    if state.paused:
        return Seen(done="EmergencyPauseState says paused, which by itself stops nothing")
    return Seen(blocked=f"NOT DONE: EmergencyPauseState has {len(state.votes)} of {state.threshold} votes")


def _not_yet(carry: CarryMotion, ballot: Ballot | None) -> str:
    if ballot is None:
        return "neither the proposal nor its proof is on the ledger: it was executed and used, or cancelled"
    if ballot.payload_hash != carry.motion.payload_hash(carry.key):
        return "the proposal on the ledger says something else than this"
    if ballot.status != "Approved":
        return f"the proposal is {ballot.status.lower()}, with {len(ballot.approvals)} of {ballot.required} approvals"
    ends = ballot.timelock_ends_at
    if ends is not None and ends > datetime.now(UTC):
        return f"its timelock ends at {ends:%Y-%m-%d %H:%M:%S} UTC"
    return ""


async def _proof(carry: CarryMotion, ledger: LedgerWrites) -> Proof | None:
    return next((one for one in await ledger.proofs() if one.proves(carry.motion, carry.key)), None)


async def _use_up(ledger: LedgerWrites, proof: Proof, *, done: bool) -> StepResult:
    """End the proof once its purpose is served; kept for another try where it is not."""
    name = "The proof, used once"
    if not done:
        text = "kept: not everything it is for is done. Propose the execution again; it serves nothing else"
        return StepResult(name=name, outcome=Outcome.SKIPPED, text=text)

    async def gone() -> Seen:
        there = any(one.contract_id == proof.contract_id for one in await ledger.proofs())
        return Seen(command=commands.use_up(proof)) if there else Seen(done="used up: it serves nothing else")

    return await send(ledger, Step(name=name, id=f"use:{proof.key}", look=gone))


async def _later(action: Action, _: str, receipt: Receipt, writes: Writes) -> AsyncIterator[Receipt]:
    """Newer Receipts as services that were handed over, or not seen, turn out to agree."""
    carry, ledger, shown = _carry(action), ledger_of(writes), receipt
    end = asyncio.get_running_loop().time() + _WATCH_FOR.total_seconds()
    while _open(carry.motion, shown) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(_WATCH_EVERY)
        with suppress(UnavailableError):
            newer = [await effects.settled(carry.motion, one, ledger) for one in shown.steps]
            if tuple(newer) != shown.steps:
                shown = shown.model_copy(update={"steps": tuple(newer)})
                yield shown


def _open(motion: Motion, receipt: Receipt) -> bool:
    services = {short(one) for one in motion.services}
    return any(step.name in services and step.outcome not in _DONE for step in receipt.steps)


async def _now() -> datetime:
    return datetime.now(UTC)


def _carry(action: Action) -> CarryMotion:
    if not isinstance(action, CarryMotion):
        raise TypeError(f"{type(action).__name__} carries no motion out")
    return action


HOW = How(kind=CarryMotion, binding=_binding, plan=_plan, run=_run, later=_later)
