"""Unpause Procedure, step 3: the contracts in the reverse of the pausing order, the bridge by request and 24 hours.

BLEBridgeV9's `unpause()` always reverts: `requestUnpause()` takes its place in the order and the others do not wait for
it; `executeUnpause()`, a day of the chain's time later, is an Action of its own, with votes of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from pydantic import Field

from bot.actions import onchain
from bot.actions.onchain import Words
from bot.actions.pause import contract_name
from bot.domain.action import Action
from bot.domain.onchain import Check, OnchainStep
from bot.domain.policy import UNPAUSE, Policy
from bot.errors import UnavailableError
from bot.ports import ContractViews

BRIDGE = "BLE_BRIDGE"
"""The contract that unpauses by request."""
REQUEST, EXECUTE = "requestUnpause()", "executeUnpause()"
DELAY = timedelta(hours=24)
"""Between the two, by the contract's own clock (protocol facts, Pausing)."""
_REQUESTED_AT = "unpauseRequestTime()"
RUNS_AGAIN: Mapping[str, str] = {
    "BORROW_MODULE": "borrowing, repaying and withdrawing work again",
    "SMUSD": "staking and unstaking work again",
    "DIRECT_MINT": "minting and redeeming against USDC work again",
    "BLE_BRIDGE": "bridging to and from Canton works again",
}
CANTON_FIRST = (
    "Canton comes first in the runbook (Unpause Procedure, step 2): `/musd canton unpause`. Where a participant is "
    "configured, nothing is sent here while one of its services is paused."
)


class Unpause(Action):
    """Unpause these contracts, in this order."""

    kind: ClassVar[str] = "unpause"
    policy: ClassVar[Policy] = UNPAUSE

    contracts: tuple[str, ...] = Field(min_length=1)
    """Setting names, in the order of unpausing."""
    cause: str = ""
    """What was wrong, as the proposer wrote it down. Without it and the fix nothing is proposed."""
    fix: str = ""
    """What was done about it."""

    @property
    def title(self) -> str:
        """``Unpause BLEBridgeV9, DirectMintV2, …``."""
        return "Unpause " + ", ".join(contract_name(contract) for contract in self.contracts)


class ExecuteUnpause(Action):
    """The second half of the bridge's unpause, once its 24 hours are over."""

    kind: ClassVar[str] = "execute-unpause"
    policy: ClassVar[Policy] = UNPAUSE

    cause: str = ""
    fix: str = ""

    @property
    def title(self) -> str:
        """``Execute the unpause of BLEBridgeV9``."""
        return f"Execute the unpause of {contract_name(BRIDGE)}"


def call_of(contract: str) -> str:
    """What begins a contract's unpause."""
    return REQUEST if contract == BRIDGE else "unpause()"


def in_order(contracts: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    """Those chosen, in the reverse of the order in which they are paused."""
    return tuple(contract for contract in reversed(contracts) if contract in chosen)


async def executable_from(views: ContractViews) -> datetime | None:
    """From when on the bridge's unpause can be executed, on the chain's clock; None where nobody has asked for it."""
    requested = await views.number(BRIDGE, _REQUESTED_AT)
    return datetime.fromtimestamp(requested, UTC) + DELAY if requested else None


async def _steps(action: Action, views: ContractViews) -> Sequence[OnchainStep]:
    if not isinstance(action, Unpause):
        raise TypeError(f"{type(action).__name__} is no unpause")
    return [await _step(contract, views) for contract in action.contracts]


async def _step(contract: str, views: ContractViews) -> OnchainStep:
    name, again = contract_name(contract), RUNS_AGAIN.get(contract, "it works again")
    if contract == BRIDGE:
        return OnchainStep(
            contract=contract,
            name=name,
            signature=call_of(contract),
            does=f"nothing yet: {again} 24 h later, once its execution is approved too",
            proof=Check(signature=_REQUESTED_AT, wanted=None),
        )
    return OnchainStep(
        contract=contract,
        name=name,
        signature=call_of(contract),
        does=again,
        proof=Check(signature="paused()", wanted=0),
        behind_timelock=await _timelocked(contract, views),
    )


async def _timelocked(contract: str, views: ContractViews) -> bool:
    """Whether the protocol's timelock may unpause it. Where nobody answers, it is not offered."""
    timelock = views.address("TIMELOCK")
    if not timelock:
        return False
    try:
        role = await views.number(contract, "TIMELOCK_ROLE()")
        return bool(await views.number(contract, "hasRole(bytes32,address)", f"0x{role:064x}", timelock))
    except UnavailableError:
        return False


async def _execution(action: Action, views: ContractViews) -> Sequence[OnchainStep]:
    del action, views
    return [
        OnchainStep(
            contract=BRIDGE,
            name=contract_name(BRIDGE),
            signature=EXECUTE,
            does=RUNS_AGAIN[BRIDGE],
            proof=Check(signature="paused()", wanted=0),
        )
    ]


HOWS = (
    onchain.how(Unpause, _steps, Words(cautions=(CANTON_FIRST,))),
    onchain.how(ExecuteUnpause, _execution, Words()),
)
