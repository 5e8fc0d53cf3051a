"""The practice price sources, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.drill.prices import Prices


@pytest.fixture
async def prices(tmp_path: Path) -> AsyncIterator[Prices]:
    part = Prices()
    await part.start(tmp_path)
    yield part
    await part.stop()


async def ask(prices: Prices, path: str, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as session, session.get(prices.url + path, headers=headers) as answer:
        return answer.status, await answer.json()


async def tradecraft(prices: Prices) -> float:
    _, said = await ask(prices, "/v1/ratio/CC/USDCx")
    return 1 / float(said["price_of_b_in_a"])


async def temple(prices: Prices) -> float:
    _, said = await ask(prices, "/v1/price/Amulet/USDCx", prices.temple_jwt)
    return float(said["last_price"])


async def test_healthy_sources_agree_within_a_percent(prices: Prices) -> None:
    _, said = await ask(prices, "/api/v3/simple/price?ids=canton-network&vs_currencies=usd")
    assert await tradecraft(prices) == pytest.approx(0.16, rel=0.01)
    assert await temple(prices) == pytest.approx(await tradecraft(prices), rel=0.01)
    assert said["canton-network"]["usd"] == pytest.approx(await tradecraft(prices), rel=0.01)


async def test_coingecko_leaves_out_coins_it_does_not_know(prices: Prices) -> None:
    _, said = await ask(prices, "/api/v3/simple/price?ids=usd-coin,nothing&vs_currencies=usd")
    assert list(said) == ["usd-coin"]


async def test_temple_wants_its_token(prices: Prices) -> None:
    assert await ask(prices, "/v1/price/Amulet/USDCx") == (401, {"error": "invalid or expired token"})


async def test_temple_can_stop_taking_the_token(prices: Prices) -> None:
    await prices.inflict({"fault": "temple-unauthorized"})
    status, _ = await ask(prices, "/v1/price/Amulet/USDCx", prices.temple_jwt)
    assert status == 401


async def test_tradecraft_alone_can_be_down(prices: Prices) -> None:
    await prices.inflict({"fault": "tradecraft-down"})
    status, _ = await ask(prices, "/v1/ratio/CC/USDCx")
    assert status == 503
    assert await temple(prices) == pytest.approx(0.16, rel=0.01)


async def test_temple_alone_can_be_down(prices: Prices) -> None:
    await prices.inflict({"fault": "temple-down"})
    status, _ = await ask(prices, "/v1/price/Amulet/USDCx", prices.temple_jwt)
    assert status == 503
    assert await tradecraft(prices) == pytest.approx(0.16, rel=0.01)


async def test_sources_can_disagree_by_a_percentage(prices: Prices) -> None:
    await prices.inflict({"fault": "disagree", "percent": 10})
    assert await temple(prices) / await tradecraft(prices) == pytest.approx(1.1, rel=0.005)


async def test_a_spike_reverts_by_itself(prices: Prices) -> None:
    await prices.inflict({"fault": "spike-and-revert", "percent": 60, "seconds": 60})
    assert await tradecraft(prices) == pytest.approx(0.256, rel=0.01)
    await prices.inflict({"fault": "spike-and-revert", "percent": 60, "seconds": 0})
    assert await tradecraft(prices) == pytest.approx(0.16, rel=0.01)


async def test_a_spike_can_hit_one_source(prices: Prices) -> None:
    await prices.inflict({"fault": "spike-and-revert", "percent": -50, "source": "tradecraft"})
    assert await tradecraft(prices) == pytest.approx(0.08, rel=0.01)
    assert await temple(prices) == pytest.approx(0.16, rel=0.01)


async def test_a_spike_of_an_unknown_source_is_refused(prices: Prices) -> None:
    with pytest.raises(ValueError, match="no price source 'x'"):
        await prices.inflict({"fault": "spike-and-revert", "source": "x"})


async def test_mending_brings_every_source_back(prices: Prices) -> None:
    await prices.inflict({"fault": "down"})
    await prices.mend()
    assert await tradecraft(prices) == pytest.approx(0.16, rel=0.01)
