"""A new price for one of Canton's feeds: by which way, and what sources outside say about it.

(Oracle Price Feed Stale, resolution steps 3 and 4.)
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from bot.actions.canton.motions import PutMotion
from bot.domain.canton import LARGEST_MOVE, Motion, Purpose
from bot.errors import BotError, RefusedError
from bot.ports import Quote, Reads

_COLLATERAL = "CTN"
"""The feed that the outside sources quote."""
_SOURCE = "musd-bot, by hand"


class Pricing:
    """Works a new price out into a motion."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def update(self, symbol: str, price: Decimal) -> PutMotion:
        """The motion that sets it: `ParameterUpdate`, or the override where it moves by more than half.

        Raises:
            RefusedError: there is no such feed.
            UnavailableError: Canton does not answer.
        """
        feeds = {one.symbol: one for one in await self._reads.ledger.prices()}
        feed = feeds.get(symbol)
        if feed is None:
            raise RefusedError(
                f"Canton has no price feed {symbol[:20]!r}.",
                means="Nothing was proposed.",
                next_step=f"There are: {', '.join(feeds) or 'none'}.",
            )
        far = not feed.usd or abs(price - feed.usd) / feed.usd > LARGEST_MOVE
        purpose = Purpose.EMERGENCY_PRICE if far else Purpose.PRICE
        motion = Motion(purpose=purpose, symbol=symbol, price=price, source=_SOURCE)
        return PutMotion(motion=motion, sources=await self._sources(symbol, price))

    async def _sources(self, symbol: str, price: Decimal) -> tuple[str, ...]:
        """Tradecraft and Temple, each with how far the new price is from it."""
        if symbol != _COLLATERAL:
            return (f"No source outside quotes {symbol}: nothing here checks the new price.",)
        asked = (("Tradecraft", self._reads.prices.tradecraft), ("Temple", self._reads.prices.temple))
        return tuple(await asyncio.gather(*(_quoted(name, ask, price) for name, ask in asked)))


async def _quoted(name: str, ask: Callable[[], Awaitable[Quote]], price: Decimal) -> str:
    try:
        quote = await ask()
    except BotError as error:
        return f"{name}: UNKNOWN, {error.happened}"
    if not quote.usd:
        return f"{name}: UNKNOWN, it quotes zero"
    return f"{name}: {quote.usd.normalize():f} USD; the new price is {(price - quote.usd) / quote.usd:+.1%} from it."
