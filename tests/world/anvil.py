"""Fixtures of every test that needs a real chain: one anvil a file, as it was again behind each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.drill.chain import Chain
from tests.world.onchain import as_it_was


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice_chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """The practice contracts on an anvil of this file's own, behind two breakable RPCs."""
    chain = Chain()
    await chain.start(tmp_path_factory.mktemp("chain"))
    yield chain
    await chain.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def chain(practice_chain: Chain) -> AsyncIterator[Chain]:
    """That chain; what a test does to it is undone behind it."""
    async with as_it_was(practice_chain) as chain:
        yield chain
