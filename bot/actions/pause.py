"""Emergency Pause: stop the contracts on Ethereum, in the runbook's order, with one key that can only pause."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bot.actions import landing, truth
from bot.actions.canton import beside
from bot.actions.landing import Landed, Wanted
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt
from bot.domain.approval import Approval
from bot.domain.canton import Motion, Purpose
from bot.domain.policy import PAUSE, Policy
from bot.domain.probe import State
from bot.errors import RefusedError
from bot.ports import Call, How, Journal, PauseChain, Readings, SignedTransaction, Simulation, Writes

STOPS: Mapping[str, tuple[str, str]] = {
    "BORROW_MODULE": ("BorrowModule", "borrowing and withdrawing stop, and repaying stops too"),
    "SMUSD": ("SMUSD", "staking and unstaking stop"),
    "DIRECT_MINT": ("DirectMintV2", "minting and redeeming against USDC stop"),
    "BLE_BRIDGE": ("BLEBridgeV9", "bridging to and from Canton stops"),
}
"""By setting name: the contract's own name, and what its users can no longer do."""

_LEFT_OPEN: Mapping[str, str] = {
    "BORROW_MODULE": "Lending stays open: mUSD can still be minted by borrowing.",
    "SMUSD": "Staking stays open.",
    "DIRECT_MINT": "Direct minting stays open: mUSD can still be minted against USDC.",
    "BLE_BRIDGE": "The bridge stays open: mUSD can still be minted by attestations from Canton.",
}
_CANTON = "Canton's services stay as they are: this pauses Ethereum only."
_CANTON_LATER = "Canton's services run until its guardians have voted on the ledger and the execution is approved here."
_GRACE = 0.3
"""Seconds that slower RPCs get to say whether a contract is paused already, once one has said so."""


class EmergencyPause(Action):
    """Pause these contracts, in this order (Emergency Pause, step 1)."""

    kind: ClassVar[str] = "pause"
    policy: ClassVar[Policy] = PAUSE

    contracts: tuple[str, ...] = Field(min_length=1)
    """Setting names, such as ``BORROW_MODULE``."""
    services: tuple[str, ...] = ()
    """The services on Canton that go with them, as Module:Template (Emergency Pause, step 2)."""
    canton_by: Literal["proposal", "trigger"] = "proposal"
    """How Canton's guardians are asked: by a governance proposal, or by votes on `EmergencyPauseState`."""

    @property
    def motion(self) -> Motion | None:
        """What Canton's guardians are asked for beside it; None where nothing on Canton goes with it."""
        return Motion(purpose=Purpose.PAUSE, services=self.services) if self.services else None

    @property
    def title(self) -> str:
        """``Pause BorrowModule, SMUSD, …``."""
        return "Pause " + ", ".join(contract_name(contract) for contract in self.contracts)


def contract_name(setting: str) -> str:
    """A contract's own name by its setting's: ``DIRECT_MINT`` is DirectMintV2."""
    return STOPS.get(setting, (setting, ""))[0]


PAUSE_ALL = EmergencyPause(contracts=tuple(STOPS))
"""The whole emergency pause; where another list of contracts is configured, that one."""
PAUSE_MINTS = EmergencyPause(contracts=("DIRECT_MINT",))
"""New mints alone (Reserve Ratio Below Threshold, resolution step 2)."""
PAUSE_STAKING = EmergencyPause(contracts=("SMUSD",))
"""Staking alone (smUSD Share Price Anomaly, resolution step 2)."""


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    """Chain, targets, calls, order and signer: nothing slow, and nothing that a bad source could change."""
    pause, chain = _pause(action), _chain(writes)
    calls = [chain.call(contract).model_dump() for contract in pause.contracts]
    bound: dict[str, Any] = {"chain_id": chain.chain_id, "signer": chain.signer, "calls": calls}
    return bound | ({"canton": list(pause.services), "canton_by": pause.canton_by} if pause.services else {})


async def _plan(action: Action, writes: Writes) -> Plan:
    pause, chain = _pause(action), _chain(writes)
    calls = [chain.call(contract) for contract in pause.contracts]
    simulations, canton = await asyncio.gather(chain.simulate(calls), beside.planned(pause.motion, writes.ledger))
    steps = tuple(_planned(call, simulation) for call, simulation in zip(calls, simulations, strict=True))
    left = [text for contract, text in _LEFT_OPEN.items() if contract not in pause.contracts]
    return Plan(
        steps=(*steps, *canton),
        signer=chain.signer,
        chain_id=chain.chain_id,
        stays_open=(*left, _canton_open(pause)),
        cautions=tuple(_caution(step) for step in steps if step.simulation is not State.OK),
        binding=await _binding(action, writes),
    )


def _canton_open(pause: EmergencyPause) -> str:
    return _CANTON_LATER if pause.services else _CANTON


def _planned(call: Call, simulation: Simulation) -> PlanStep:
    name, stops = STOPS.get(call.contract, (call.contract, "its users' calls stop"))
    return PlanStep(
        name=name,
        target=call.address,
        call=call.signature,
        stops=stops,
        simulation=simulation.state,
        simulated=simulation.text,
        already=simulation.paused is True,
    )


def _caution(step: PlanStep) -> str:
    said = "failed" if step.simulation is State.BAD else "gave no answer"
    return f"{step.name}: the dry run {said} ({step.simulated}). It is sent all the same and stops no other."


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    return await carry_out(_pause(approval.proposal.action), writes, journal)


async def carry_out(pause: EmergencyPause, writes: Writes, journal: Journal) -> Receipt:
    """Pause what an Approval says: by itself, or as the first step of something that takes a paused bridge."""
    chain = _chain(writes)
    wanted = _wanted(pause, chain, journal.id)

    async def sign() -> list[SignedTransaction]:
        return await landing.sign(chain, writes.signed, journal.id, await _still_open(chain, wanted.calls))

    async def land() -> Landed:
        return await landing.land(chain, writes.signed, wanted, writes.progress)

    signed = await journal.step("sign", sign, list[SignedTransaction])
    landed = await journal.step("land", land, Landed) if signed else Landed(sent={}, mined={}, notes=())
    readings = await journal.step(
        "read back", lambda: truth.read_back(chain, pause.contracts, landed), dict[str, Readings]
    )
    finished = await journal.step("finish", _now, datetime)
    return truth.receipt(wanted.calls, landed, readings, contract_name, finished)


def _wanted(pause: EmergencyPause, chain: PauseChain, execution_id: str) -> Wanted:
    async def undone(contracts: Sequence[str]) -> list[str]:
        readings = await chain.readings(contracts, within=1.0)
        return [contract for contract in contracts if not readings[contract].confirmed]

    calls = [chain.call(contract) for contract in pause.contracts]
    return Wanted(execution_id=execution_id, calls=calls, names=contract_name, undone=undone)


async def _still_open(chain: PauseChain, calls: Sequence[Call]) -> list[Call]:
    """Those not known to be paused. One RPC that says "not paused" is enough to send, and so is no answer at all.

    Pausing twice reverts and harms nothing; believing a single RPC that lies would leave a contract open.
    """
    readings = await chain.readings([call.contract for call in calls], within=_GRACE)
    return [call for call in calls if readings[call.contract].running or not readings[call.contract].paused]


async def _later(action: Action, execution_id: str, receipt: Receipt, writes: Writes) -> AsyncIterator[Receipt]:
    """What the chain says from then on, until every block is final: an outcome that was unknown is settled here."""
    pause, chain = _pause(action), _chain(writes)
    async for newer in truth.later(chain, writes.signed, _wanted(pause, chain, execution_id), receipt):
        yield newer


def _rest(action: Action, receipt: Receipt) -> Action | None:
    """A pause of just those contracts that are not seen to be paused."""
    done = {Outcome.DONE, Outcome.SKIPPED}
    ended = zip(_pause(action).contracts, receipt.steps, strict=True)
    left = tuple(contract for contract, step in ended if step.outcome not in done)
    return EmergencyPause(contracts=left) if left else None


async def _now() -> datetime:
    return datetime.now(UTC)


def _pause(action: Action) -> EmergencyPause:
    if not isinstance(action, EmergencyPause):
        raise TypeError(f"{type(action).__name__} is no emergency pause")
    return action


def _chain(writes: Writes) -> PauseChain:
    if writes.pause is None:
        raise RefusedError(
            "This bot has no pausing key.",
            means="It can't send the pause itself.",
            next_step='Run the four `cast send … "pause()"` lines of the runbook, or set MUSD_KEYSTORE.',
        )
    return writes.pause


HOW = How(kind=EmergencyPause, binding=_binding, plan=_plan, run=_run, later=_later, rest=_rest)
