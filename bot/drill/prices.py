"""Where prices come from outside the protocol: Tradecraft, Temple, and something like CoinGecko, on one port."""

import math
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.drill.listening import Json, StandIn, down, now, slow, stamp
from bot.drill.part import Fault

USD = {"canton-network": 0.16, "usd-coin": 1.0, "ethereum": 3000.0, "bitcoin": 90000.0}
"""What the practice world's coins cost in US dollars, by CoinGecko's names."""
SWAY = 0.002
"""How far prices breathe around that, as a fraction; the practice chain breathes with them."""
SPREAD = {"tradecraft": 0.0, "temple": 0.0008, "coingecko": -0.0005}
"""How far a healthy source is off the middle, as a fraction."""
SOURCES = tuple(SPREAD)


def usd(coin: str, at: datetime) -> float:
    """The middle price of a coin at that time, in US dollars. Raises `KeyError` for an unknown coin."""
    wander = 0.0 if coin == "usd-coin" else SWAY * math.sin(at.timestamp() / 1800)
    return USD[coin] * (1 + wander)


class Prices(StandIn):
    """The three sources. Tradecraft and CoinGecko want no credentials, Temple a bearer token."""

    name = "prices"
    faults = (
        down("prices"),
        slow("prices"),
        Fault("prices", "tradecraft-down", "Tradecraft answers 503"),
        Fault("prices", "temple-down", "Temple answers 503"),
        Fault("prices", "temple-unauthorized", "Temple no longer takes the token"),
        Fault("prices", "disagree", "Temple is off the others", {"percent": "how far, 8 unless said"}),
        Fault(
            "prices",
            "spike-and-revert",
            "prices jump, and come back by themselves",
            {
                "percent": "how far, 60 unless said; negative for a fall",
                "seconds": "how long, 60 unless said",
                "source": f"only this one: {', '.join(SOURCES)}",
            },
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self.temple_jwt = "practice-temple-jwt"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Each source has its own path."""
        yield web.get("/v1/ratio/{a}/{b}", self._tradecraft)
        yield web.get("/v1/price/{base}/{quote}", self._temple)
        yield web.get("/api/v3/simple/price", self._coingecko)

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `ValueError` for a source there is not."""
        if request.get("source", SOURCES[0]) not in SOURCES:
            raise ValueError(f"there is no price source {request['source']!r}; there are {', '.join(SOURCES)}")
        await super().inflict(request)
        self.broken[request["fault"]]["since"] = time.monotonic()

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """The same few words from each."""
        return web.json_response({"error": "service unavailable", "path": request.path}, status=status)

    def price(self, source: str, coin: str) -> float:
        """What that source says a coin costs now, in US dollars, faults included."""
        factor = 1 + SPREAD[source]
        if source == "temple" and "disagree" in self.broken:
            factor *= 1 + float(self.broken["disagree"].get("percent", 8)) / 100
        return usd(coin, now()) * factor * self._spike(source)

    def _spike(self, source: str) -> float:
        spike = self.broken.get("spike-and-revert")
        if spike is None or spike.get("source", source) != source:
            return 1.0
        if time.monotonic() - spike["since"] > float(spike.get("seconds", 60)):
            return 1.0
        return 1 + float(spike.get("percent", 60)) / 100

    async def _tradecraft(self, request: web.Request) -> web.Response:
        if "tradecraft-down" in self.broken:
            return self.refuse(503, request)
        if (request.match_info["a"], request.match_info["b"]) != ("CC", "USDCx"):
            return web.json_response({"error": "pool not found"}, status=404)
        # The pool's ratio is what one USDCx costs in CC: the dollar price is its inverse.
        return web.json_response({"price_of_b_in_a": round(1 / self.price("tradecraft", "canton-network"), 10)})

    async def _temple(self, request: web.Request) -> web.Response:
        if "temple-down" in self.broken:
            return self.refuse(503, request)
        known = request.headers.get("Authorization") == f"Bearer {self.temple_jwt}"
        if not known or "temple-unauthorized" in self.broken:
            return web.json_response({"error": "invalid or expired token"}, status=401)
        if (request.match_info["base"], request.match_info["quote"]) != ("Amulet", "USDCx"):
            return web.json_response({"error": "unknown symbol"}, status=404)
        price = round(self.price("temple", "canton-network"), 10)
        return web.json_response({"symbol": "Amulet/USDCx", "last_price": price, "last_trade_ts": stamp(now())})

    async def _coingecko(self, request: web.Request) -> web.Response:
        currencies = request.query.get("vs_currencies", "").split(",")
        if "usd" not in currencies:
            return web.json_response({"error": "Missing parameter vs_currencies"}, status=422)
        answer: dict[str, Json] = {}
        # Coins it does not know are left out, as there.
        for coin in set(request.query.get("ids", "").split(",")) & set(USD):
            answer[coin] = {"usd": round(self.price("coingecko", coin), 8)}
            if request.query.get("include_last_updated_at") == "true":
                answer[coin]["last_updated_at"] = int(now().timestamp())
        return web.json_response(answer)
