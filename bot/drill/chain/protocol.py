"""The practice protocol on a running node: its contracts, and sending and reading as the practice side does."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from eth_utils.address import to_checksum_address

from bot.drill.chain.accounts import ADMIN, address
from bot.drill.chain.artifacts import Artifact
from bot.drill.chain.rpc import Rpc, RpcError

GAS = 8_000_000
MAX_FEE = 10**14
"""What the practice side offers per gas, in wei: above any base fee a fault sets."""

KINDS = {
    "BORROW_MODULE": "BorrowModule",
    "SMUSD": "SMUSD",
    "DIRECT_MINT": "DirectMintV2",
    "BLE_BRIDGE": "BLEBridgeV9",
    "MUSD": "MUSD",
    "TREASURY": "Treasury",
    "PRICE_ORACLE": "PriceOracle",
    "CHAINLINK": "ChainlinkFeed",
    "TIMELOCK": "Timelock",
    "USDC": "PracticeToken",
    "COLLATERAL": "PracticeToken",
    "STRATEGY_1": "Strategy",
    "STRATEGY_2": "Strategy",
}
"""Every contract there is and what it is compiled from."""

NAMED_IN_RUNBOOKS = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE", "MUSD", "TREASURY", "PRICE_ORACLE")

PAUSE_LIST = {
    "BORROW_MODULE": "PAUSER_ROLE",
    "SMUSD": "PAUSER_ROLE",
    "DIRECT_MINT": "PAUSER_ROLE",
    "BLE_BRIDGE": "EMERGENCY_ROLE",
}
"""The contracts people pause, in order, and the role that takes."""


class PracticeError(RuntimeError):
    """Something the practice side wanted to put on the chain didn't get there; the text says why."""


@dataclass(frozen=True)
class Step:
    """One call the practice side sends: by whom, to which contract, which function with what."""

    sender: str
    contract: str
    function: str
    arguments: tuple[Any, ...] = ()


@dataclass
class Protocol:
    """The contracts' addresses, and one lock so that the practice side sends one thing at a time."""

    rpc: Rpc
    addresses: dict[str, str]
    mine_after_sending: bool = False
    """Whether to make a block for what is sent, where nothing else makes one soon."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, contract: str, function: str, *arguments: Any, block: str = "latest") -> Any:
        """A view function's answer."""
        artifact = Artifact(KINDS[contract])
        call = {"to": self.addresses[contract], "data": artifact.call(function, *arguments)}
        return artifact.result(function, await self.rpc("eth_call", call, block))

    async def send(self, *steps: Step) -> None:
        """Put the calls on the chain in order. Raises `PracticeError` when one reverts or nothing is mined."""
        async with self._lock:
            for step in steps:
                to = self.addresses[step.contract]
                data = Artifact(KINDS[step.contract]).call(step.function, *step.arguments)
                await self._transact(f"{step.contract}.{step.function}", step.sender, data, to)

    async def deploy(self, contract: str, *arguments: Any) -> None:
        """Create one of `KINDS` as the practice admin and note its address."""
        async with self._lock:
            data = Artifact(KINDS[contract]).creation(*arguments)
            receipt = await self._transact(contract, ADMIN, data)
            self.addresses[contract] = str(to_checksum_address(receipt["contractAddress"]))

    async def _transact(self, what: str, sender: str, data: str, to: str | None = None) -> dict[str, Any]:
        transaction = {
            "from": address(sender),
            "data": data,
            "gas": hex(GAS),
            "maxFeePerGas": hex(MAX_FEE),
            "maxPriorityFeePerGas": hex(10**9),
        }
        if to is not None:
            transaction["to"] = to
        try:
            sent = await self.rpc("eth_sendTransaction", transaction)
        except RpcError as refusal:
            raise PracticeError(f"{what} as {sender}: {refusal}") from refusal
        if self.mine_after_sending:
            await self.rpc("evm_mine")
        receipt = await self._receipt(sent)
        if receipt is None:
            await self.rpc("anvil_dropTransaction", sent)
            raise PracticeError(f"{what} as {sender} was not mined: automine is off; clear the faults or mine first")
        if receipt["status"] != "0x1":
            raise PracticeError(f"{what} as {sender} reverted: {await self._reason(transaction)}")
        return receipt

    async def _receipt(self, sent: str) -> dict[str, Any] | None:
        """The receipt, with a moment's patience: anvil mines just after it has answered."""
        for attempt in range(20):
            receipt: dict[str, Any] | None = await self.rpc("eth_getTransactionReceipt", sent)
            if receipt is not None:
                return receipt
            await asyncio.sleep(0.002 * attempt)
        return None

    async def _reason(self, transaction: dict[str, Any]) -> str:
        try:
            await self.rpc("eth_call", transaction, "latest")
        except RpcError as revert:
            return str(revert)
        return "for a reason that has passed"
