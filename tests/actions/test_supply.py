"""After a breach of the supply cap: always handed over, never sent, and seen once people have sent it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot import actions
from bot.actions.supply import BurnExcess, SetSupplyCap
from bot.domain.action import Action, Outcome
from bot.drill.chain import Chain
from bot.drill.chain.accounts import ADMIN, USER, address
from bot.drill.chain.artifacts import role
from bot.drill.chain.protocol import Step
from tests.world.bench import Bench
from tests.world.onchain import shell, writes_on

pytestmark = pytest.mark.asyncio(loop_scope="module")
MUSD = 10**18


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    chain = Chain()
    await chain.start(tmp_path_factory.mktemp("chain"))
    await chain.protocol.send(Step(ADMIN, "MUSD", "grantRole", (role("MINTER_ROLE"), address(ADMIN))))
    yield chain
    await chain.stop()


async def handed_and_sent(chain: Chain, folder: Path, action: Action) -> bool:
    """Hand it over, send the lines as printed; whether the bot then says that all is done."""
    async with writes_on(chain, folder) as writes:
        bench = Bench(writes)
        receipt = await bench.run(action)
        assert [step.outcome for step in receipt.steps] == [Outcome.HANDED]
        how = actions.how(action)
        assert how.handover is not None
        assert how.later is not None
        made = await how.handover(action, "p1", receipt, bench.writes)
        assert made is not None
        await shell(chain.url, folder, made.script())
        async for newer in how.later(action, "execute-p1", receipt, bench.writes):
            receipt = newer
        return receipt.complete


async def test_another_cap_is_handed_over_and_seen(chain: Chain, tmp_path: Path) -> None:
    assert await handed_and_sent(chain, tmp_path, SetSupplyCap(cap=Decimal(41_000_000)))
    assert await chain.protocol.read("MUSD", "supplyCap") == 41_000_000 * MUSD


async def test_the_excess_is_burnt_down_to_what_may_be_left(chain: Chain, tmp_path: Path) -> None:
    supply = await chain.protocol.read("MUSD", "totalSupply")
    left = Decimal(supply // MUSD - 1000)
    assert await handed_and_sent(chain, tmp_path, BurnExcess(down_to=left, holder=address(USER)))
    assert await chain.protocol.read("MUSD", "totalSupply") == int(left) * MUSD
