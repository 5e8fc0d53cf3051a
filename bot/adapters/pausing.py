"""The protocol's contracts with a key of the bot's: the calls it may make, and their dry runs."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters import rpc
from bot.adapters.ethereum import EthereumReads
from bot.adapters.rpc import Rpcs
from bot.adapters.sending import GAS, Sender
from bot.adapters.signers import Signer
from bot.domain.probe import State
from bot.errors import ConfigurationError, RevertedError, UnavailableError
from bot.ports import Call, Readings, Simulation

_WORD = 2 + 64
"""Characters of one word of the EVM, in hex."""


class _Contracts(Sender):
    """The configured contracts, and what a call of one of them would do."""

    def __init__(self, rpcs: Rpcs, contracts: Mapping[str, str], signer: Signer, *, max_fee_gwei: int) -> None:
        """Call these contracts with this key.

        Args:
            rpcs: every one of them is sent to.
            contracts: address by setting name, such as ``BORROW_MODULE``.
            signer: holds the key.
            max_fee_gwei: no transaction offers more than this per gas.
        """
        super().__init__(rpcs, signer, max_fee_gwei=max_fee_gwei)
        self._reads = EthereumReads(rpcs, contracts)
        self._contracts = contracts

    async def paused(self, contract: str) -> bool:
        """The contract's `paused()` now."""
        return await self._reads.paused(contract)

    async def readings(self, contracts: Sequence[str], within: float | None = None) -> Mapping[str, Readings]:
        """Each contract's `paused()` from every RPC, in one request to each. Never raises.

        Args:
            contracts: by setting name.
            within: seconds that the others get once one RPC has answered; as long as they take when None.
        """
        known = [name for name in contracts if name in self._contracts]
        asked = [
            ("eth_call", [{"to": self._contracts[name], "data": rpc.calldata("paused()")}, "latest"]) for name in known
        ]
        answers = await self._rpcs.gather(lambda node: node.batch(asked), grace=within)
        found: dict[str, dict[str, list[str]]] = {
            name: {"paused": [], "running": [], "silent": []} for name in contracts
        }
        for node, answer in zip(self._rpcs.all, answers, strict=True):
            for name in contracts:
                said = answer if isinstance(answer, UnavailableError) else _said(answer, known, name)
                word = said if isinstance(said, str) else "silent"
                found[name][word].append(node.name if isinstance(said, str) else said.happened)
        return {name: Readings(*map(tuple, words.values())) for name, words in found.items()}

    def _call(self, contract: str, signature: str, *arguments: Any) -> Call:
        address = self._contracts.get(contract)
        if not address:
            raise ConfigurationError(f"{contract} is not configured: it has no address.")
        data = rpc.calldata(signature, *arguments)
        return Call(contract=contract, address=address, signature=signature, calldata=data)

    async def _dry_run(self, call: Call) -> tuple[State, str]:
        try:
            await self._rpcs.first(rpc.call(call.address, call.calldata, sender=self.signer, gas=GAS))
        except RevertedError as error:
            return State.BAD, f"{call.contract}.{call.signature} would revert: {error.happened}."
        except UnavailableError as error:
            return State.UNKNOWN, error.happened
        return State.OK, f"{call.contract}.{call.signature} succeeds in a dry run."

    async def _paused(self, contract: str) -> bool | UnavailableError:
        try:
            return await self._reads.paused(contract)
        except UnavailableError as error:
            return error


class PausingChain(_Contracts):
    """Fulfils `ports.PauseChain`."""

    def __init__(
        self,
        rpcs: Rpcs,
        contracts: Mapping[str, str],
        signer: Signer,
        *,
        max_fee_gwei: int,
        calls: Mapping[str, str] | None = None,
    ) -> None:
        """Pause these contracts with this key. `calls`: by setting name, where it isn't ``pause()``."""
        super().__init__(rpcs, contracts, signer, max_fee_gwei=max_fee_gwei)
        self._calls = calls or {}

    def call(self, contract: str) -> Call:
        """The configured pause call of a contract.

        Raises:
            ConfigurationError: the contract has no address.
        """
        return self._call(contract, self._calls.get(contract, "pause()"))

    async def check(self) -> None:
        """Whether the key could sign now.

        Raises:
            UnavailableError: it is disabled, or where it is kept does not answer.
        """
        await self._signer.check()

    async def simulate(self, calls: Sequence[Call]) -> Sequence[Simulation]:
        """Dry-run each call by itself, side by side. Never raises: no answer is UNKNOWN."""
        return await asyncio.gather(*(self._simulated(call) for call in calls))

    async def paused(self, contract: str) -> bool:
        """The contract's `paused()` now."""
        return await self._reads.paused(contract)

    async def _simulated(self, call: Call) -> Simulation:
        dry_run, paused = await asyncio.gather(self._dry_run(call), self._paused(call.contract))
        if isinstance(paused, RevertedError):
            return Simulation(State.BAD, paused.happened, None)
        if paused is True:
            return Simulation(State.OK, "It is paused already: it is skipped.", paused=True)
        state, text = dry_run
        if isinstance(paused, UnavailableError):
            if state is State.UNKNOWN:
                return Simulation(state, text, None)
            return Simulation(state, f"{text} Whether it is paused is not known: {paused.happened}", None)
        return Simulation(state, text, paused=False)


class ContractsAdmin(_Contracts):
    """Fulfils `ports.AdminChain`: the second signer, for unpausing and roles."""

    def call(self, contract: str, signature: str, *arguments: Any) -> Call:
        """Any call of a configured contract.

        Raises:
            ConfigurationError: the contract has no address.
        """
        return self._call(contract, signature, *arguments)

    async def simulate(self, calls: Sequence[Call]) -> Sequence[Simulation]:
        """Dry-run each call by itself, side by side. Never raises: no answer is UNKNOWN."""
        return await asyncio.gather(*(self._simulated(call) for call in calls))

    async def _simulated(self, call: Call) -> Simulation:
        (state, text), paused = await asyncio.gather(self._dry_run(call), self._paused(call.contract))
        return Simulation(state, text, paused if isinstance(paused, bool) else None)


def _said(answers: Sequence[Any], known: Sequence[str], contract: str) -> str | UnavailableError:
    """One RPC's word on one contract: ``paused``, ``running``, or why it has none."""
    answer = answers[known.index(contract)] if contract in known else None
    if not isinstance(answer, str) or len(answer) != _WORD:
        return UnavailableError(f"no paused() of {contract} was answered")
    return "paused" if int(answer, 16) else "running"
