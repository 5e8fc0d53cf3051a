"""Reading Ethereum: blocks, prices, and whether contracts are paused. It can't send anything."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from web3.eth import AsyncEth

from bot.adapters import reverts, rpc
from bot.adapters.rpc import Rpcs
from bot.domain.amounts import Amount
from bot.errors import RevertedError, UnavailableError
from bot.ports import Block, Price

PRICE_CALLS = ("getLatestPrice(address)", "getPrice(address)")
"""The runbook's name first, then what deployments have. 18 decimals. "Oracle Price Feed Stale", Diagnosis."""
UPDATED_CALLS = ("lastUpdate(address)",)
"""Views that tell when a price was set, in seconds since 1970."""
PRICE_DECIMALS = 18


class EthereumReads:
    """Fulfils `ports.ChainReads`: the first RPC that answers is asked, the next one when it doesn't."""

    def __init__(
        self,
        rpcs: Rpcs,
        contracts: Mapping[str, str],
        *,
        collateral: str = "",
        price_calls: Sequence[str] = PRICE_CALLS,
        updated_calls: Sequence[str] = UPDATED_CALLS,
    ) -> None:
        """Read these contracts.

        Args:
            rpcs: shared with whatever else speaks to the chain.
            contracts: address by setting name, such as ``BORROW_MODULE``.
            collateral: the token whose price is read.
            price_calls: signatures to try, in this order.
            updated_calls: signatures to try, in this order.
        """
        self._rpcs = rpcs
        self._contracts = contracts
        self._collateral = collateral
        self._price_calls = price_calls
        self._updated_calls = updated_calls

    async def head(self) -> Block:
        """The newest block any configured RPC knows."""
        return max(await self._rpcs.each(_latest), key=lambda block: block.number)

    async def paused(self, contract: str) -> bool:
        """The contract's `paused()`, from the first RPC that answers.

        Raises:
            RevertedError: there is no `paused()` at its address.
        """
        return bool(await self.number(contract, "paused()"))

    async def price(self) -> Price:
        """The collateral's oracle price.

        Raises:
            RevertedError: the oracle refuses, as when the price is stale; `error` says which way.
        """
        if not self._collateral:
            raise UnavailableError("COLLATERAL_TOKEN is not configured, so there is no price to ask for.")
        value, read = await self._candidate("PRICE_ORACLE", self._price_calls, self._collateral)
        try:
            seconds, _ = await self._candidate("PRICE_ORACLE", self._updated_calls, self._collateral)
            updated_at = datetime.fromtimestamp(seconds, UTC) if seconds else None
        except (UnavailableError, ValueError, OverflowError, OSError):
            updated_at = None
        return Price(price=Amount(value, PRICE_DECIMALS), updated_at=updated_at, read=read)

    async def number(self, contract: str, signature: str, *arguments: Any) -> int:
        """The one number that a view answers.

        Raises:
            RevertedError: with `reverts.MISSING` where the contract has no such view.
            UnavailableError: nobody answered.
        """
        address = self._contracts.get(contract)
        if not address:
            raise UnavailableError(f"{contract} is not configured: it has no address.")

        async def question(eth: AsyncEth) -> int:
            return rpc.number(await rpc.call(address, rpc.calldata(signature, *arguments))(eth))

        try:
            return await self._rpcs.first(question)
        except RevertedError as error:
            if error.error == reverts.MISSING:
                text = f"{contract} ({address}) has no {signature}, or there is no contract at that address."
            else:
                text = f"{contract} refused {signature}: {error.happened}."
            raise RevertedError(text, error=error.error) from None

    async def _candidate(self, contract: str, signatures: Sequence[str], *arguments: Any) -> tuple[int, str]:
        for signature in signatures:
            try:
                return await self.number(contract, signature, *arguments), signature
            except RevertedError as error:
                if error.error != reverts.MISSING:
                    raise
        raise UnavailableError(
            f"{contract} ({self._contracts[contract]}) has none of {', '.join(signatures)}.",
            next_step=f"Check {contract}'s address, and which view this deployment has.",
        )


async def _latest(eth: AsyncEth) -> Block:
    block = await eth.get_block("latest")
    at = datetime.fromtimestamp(block["timestamp"], UTC)
    return Block(number=block["number"], at=at, hash="0x" + bytes(block["hash"]).hex())
