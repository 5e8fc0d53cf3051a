"""A Chainlink price feed on Ethereum: AggregatorV3Interface, read only."""

from datetime import UTC, datetime, timedelta

from eth_abi.abi import decode

from bot.adapters import rpc
from bot.adapters.rpc import Rpcs
from bot.domain.amounts import Amount
from bot.errors import RevertedError, UnavailableError
from bot.ports import Quote

_ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
_OLDEST = timedelta(hours=25)
"""Chainlink writes at least once a day, its heartbeat; an older answer is none."""


class ChainlinkFeed:
    """One feed."""

    def __init__(self, rpcs: Rpcs, address: str) -> None:
        """`address`: of the feed; empty where none is configured."""
        self._rpcs = rpcs
        self._address = address

    async def quote(self) -> Quote:
        """The newest round's answer.

        Raises:
            UnavailableError: nobody answers, or the answer is too old or no price.
        """
        if not self._address:
            raise UnavailableError("No Chainlink feed is configured.", next_step="Set CHAINLINK_FEED to its address.")
        try:
            raw = await self._rpcs.first(rpc.call(self._address, rpc.calldata("latestRoundData()")))
            decimals = rpc.number(await self._rpcs.first(rpc.call(self._address, rpc.calldata("decimals()"))))
        except RevertedError as error:
            raise UnavailableError(f"Chainlink's feed refuses: {error.happened}") from None
        try:
            _, answer, _, updated, _ = decode(_ROUND, raw)
        except Exception:  # noqa: BLE001 - another contract's answer: eth_abi has many ways to say so
            raise UnavailableError(f"{self._address} does not answer as a Chainlink feed does.") from None
        age = datetime.now(UTC) - datetime.fromtimestamp(updated, UTC)
        if answer <= 0 or age > _OLDEST:
            raise UnavailableError(f"Chainlink's last answer, {answer}, is no price of today.")
        return Quote("Chainlink", Amount(answer, decimals).exact)
