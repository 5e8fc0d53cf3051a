"""Looking at contracts and encoding calls of theirs: what unpausing, roles and hand-overs need beside a key."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.adapters import rpc
from bot.adapters.ethereum import EthereumReads
from bot.adapters.rpc import Rpcs
from bot.errors import ConfigurationError
from bot.ports import Call


class Contracts:
    """Fulfils `ports.ContractViews`."""

    def __init__(self, rpcs: Rpcs, contracts: Mapping[str, str]) -> None:
        """`contracts`: address by setting name, the timelock's among them where there is one."""
        self._rpcs = rpcs
        self._contracts = contracts
        self._reads = EthereumReads(rpcs, contracts)

    @property
    def chain_id(self) -> int:
        """Pinned by configuration."""
        return self._rpcs.chain_id

    def address(self, contract: str) -> str:
        """A contract's configured address; empty where it has none."""
        return self._contracts.get(contract, "")

    def encoded(self, contract: str, signature: str, *arguments: Any) -> Call:
        """A call of a configured contract; 32 bytes may be given as 0x-prefixed hex.

        Raises:
            ConfigurationError: the contract has no address.
        """
        address = self.address(contract)
        if not address:
            raise ConfigurationError(
                f"{contract} is not configured: it has no address.", next_step=f"Set {contract} to it."
            )
        calldata = rpc.calldata(signature, *_typed(signature, arguments))
        return Call(contract=contract, address=address, signature=signature, calldata=calldata)

    async def number(self, contract: str, signature: str, *arguments: Any) -> int:
        """The one number that a view answers.

        Raises:
            RevertedError: the contract has no such view, or refuses.
            UnavailableError: nobody answered, or the contract has no address.
        """
        return await self._reads.number(contract, signature, *_typed(signature, arguments))

    async def dry_run(self, call: Call, sender: str) -> None:
        """Try a call from an address.

        Raises:
            RevertedError: it would revert; `error` is the decoded error's name.
            UnavailableError: nobody answered.
        """
        await self._rpcs.first(rpc.call(call.address, call.calldata, sender=sender))

    async def now(self) -> datetime:
        """The chain's own clock: its newest block's.

        Raises:
            UnavailableError: nobody answered.
        """
        return (await self._reads.head()).at.astimezone(UTC)


def _typed(signature: str, arguments: tuple[Any, ...]) -> list[Any]:
    """As the encoder wants them: its bytes are bytes."""
    types = signature[signature.index("(") + 1 : -1].split(",")
    return [
        bytes.fromhex(argument.removeprefix("0x"))
        if kind.startswith("bytes") and isinstance(argument, str)
        else argument
        for kind, argument in zip(types, arguments, strict=False)
    ]
