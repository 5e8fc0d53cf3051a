"""Price sources outside the protocol: Tradecraft, Temple, and CoinGecko."""

from decimal import Decimal, InvalidOperation
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.adapters.chainlink import ChainlinkFeed
from bot.adapters.trouble import reason
from bot.errors import UnavailableError
from bot.ports import Quote

_ERROR = 400
_UNAUTHORIZED = (401, 403)
_BODY_AT_MOST = 64 * 1024


TIMEOUT = 3.0
"""Seconds that one request may take."""


class PriceSources:
    """Fulfils `ports.PriceReads`. A price that is missing, not a number or not above zero is no answer."""

    def __init__(
        self,
        *,
        tradecraft: str,
        temple: str,
        coingecko: str,
        chainlink: ChainlinkFeed,
        temple_jwt: SecretStr,
        coin: str,
        timeout: float = TIMEOUT,
    ) -> None:
        """Ask these.

        Args:
            tradecraft: the whole URL of its pool's ratio.
            temple: the whole URL of its price.
            coingecko: the base URL of its API.
            chainlink: its feed on Ethereum.
            temple_jwt: Temple's bearer token.
            coin: the collateral by CoinGecko's name.
            timeout: seconds for one request.
        """
        self._urls = {"Tradecraft": tradecraft, "Temple": temple, "CoinGecko": coingecko}
        self._chainlink = chainlink
        self._jwt = temple_jwt
        self._coin = coin
        self._timeout = timeout

    async def tradecraft(self) -> Quote:
        """The pool's ratio is what one USDCx costs in CC, so the price in dollars is its inverse."""
        told = await self._get("Tradecraft", self._urls["Tradecraft"])
        return Quote("Tradecraft", 1 / _number("Tradecraft", told, "price_of_b_in_a"))

    async def temple(self) -> Quote:
        """Its last trade's price."""
        token = self._jwt.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Quote(
            "Temple", _number("Temple", await self._get("Temple", self._urls["Temple"], headers), "last_price")
        )

    async def chainlink(self) -> Quote:
        """The newest answer of its feed."""
        return await self._chainlink.quote()

    async def coingecko(self) -> Quote:
        """The price most exchanges agree on."""
        url = f"{self._urls['CoinGecko'].rstrip('/')}/api/v3/simple/price?ids={self._coin}&vs_currencies=usd"
        told = await self._get("CoinGecko", url)
        return Quote("CoinGecko", _number("CoinGecko", told.get(self._coin), "usd"))

    async def _get(self, source: str, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=self._timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(url, headers=headers, allow_redirects=False) as response,
            ):
                if response.status in _UNAUTHORIZED:
                    raise UnavailableError(
                        f"{source} refuses our credentials (HTTP {response.status}).", next_step="Renew its token."
                    )
                if response.status >= _ERROR:
                    raise UnavailableError(f"{source} answers HTTP {response.status}.")
                if (response.content_length or 0) > _BODY_AT_MOST:
                    raise UnavailableError(f"{source}'s answer is too long to be a price.")
                told = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnavailableError(f"No answer from {source}: {reason(error, timeout=self._timeout)}.") from None
        if not isinstance(told, dict):
            raise UnavailableError(f"{source}'s answer is not a price.")
        return told


def _number(source: str, told: Any, field: str) -> Decimal:
    try:
        value = Decimal(str(told[field]))
    except (KeyError, TypeError, InvalidOperation):
        raise UnavailableError(f"{source}'s answer has no {field}.") from None
    if not value.is_finite() or value <= 0:
        raise UnavailableError(f"{source} says {value}, which is no price.")
    return value
