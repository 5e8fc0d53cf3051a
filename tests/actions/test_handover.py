"""A hand-over's lines, batch and calldata, executed as they are printed: they do what they say, and the bot notices."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot import actions
from bot.actions.unpause import Unpause
from bot.domain.action import Outcome, Receipt
from bot.domain.handover import Handover
from bot.drill.chain import Chain
from bot.drill.chain.accounts import ADMIN, address
from tests.world.bench import Bench
from tests.world.onchain import as_it_was, paused, send, shell, writes_on

pytestmark = pytest.mark.asyncio(loop_scope="module")
ACTION = Unpause(contracts=("DIRECT_MINT", "SMUSD", "BORROW_MODULE"), cause="a bug", fix="mended")
SENDER = {"from": address(ADMIN)}
TWO_DAYS = 48 * 3600


@pytest_asyncio.fixture(loop_scope="module")
async def chain(practice_chain: Chain) -> AsyncIterator[Chain]:
    async with as_it_was(practice_chain) as chain:
        for contract in ACTION.contracts:
            await chain.inflict({"fault": "contract-paused", "contract": contract})
        yield chain


@pytest_asyncio.fixture(loop_scope="module")
async def bench(chain: Chain, tmp_path: Path) -> AsyncIterator[Bench]:
    async with writes_on(chain, tmp_path, admin=False) as writes:
        yield Bench(writes)


async def handed(bench: Bench) -> tuple[Receipt, Handover]:
    receipt = await bench.run(ACTION)
    make = actions.how(ACTION).handover
    assert make is not None
    made = await make(ACTION, "p1", receipt, bench.writes)
    assert made is not None
    return receipt, made


async def last(bench: Bench, receipt: Receipt) -> Receipt:
    later = actions.how(ACTION).later
    assert later is not None
    async for newer in later(ACTION, "execute-p1", receipt, bench.writes):
        receipt = newer
    return receipt


async def test_without_the_role_nothing_is_sent_and_everything_is_handed_over(chain: Chain, bench: Bench) -> None:
    receipt, made = await handed(bench)
    assert [step.outcome for step in receipt.steps] == [Outcome.HANDED] * 3
    assert [step.text for step in receipt.steps] == ["Handed over: the bot has no second signer for this."] * 3
    assert [call.name for call in made.calls] == ["DirectMintV2", "SMUSD", "BorrowModule"]
    assert await paused(chain) == [True, True, True, False]


async def test_the_cast_lines_unpause_as_they_stand_and_the_receipt_says_so(
    chain: Chain, bench: Bench, tmp_path: Path
) -> None:
    receipt, made = await handed(bench)
    await shell(chain.url, tmp_path, made.script())
    assert await paused(chain) == [False] * 4
    newer = await last(bench, receipt)
    assert newer.complete
    assert {step.text for step in newer.steps} == {"done: the contract says so, somebody has sent it"}


async def test_the_safe_batch_unpauses_as_the_safe_executes_it(chain: Chain, bench: Bench) -> None:
    _, made = await handed(bench)
    batch = json.loads(json.dumps(made.safe_batch(datetime.now(UTC))))
    assert (batch["version"], batch["chainId"]) == ("1.0", str(chain.chain_id))
    for one in batch["transactions"]:
        await send(chain, **SENDER, to=one["to"], value=hex(int(one["value"])), data=one["data"])
    assert await paused(chain) == [False] * 4


async def test_the_timelocks_two_lines_unpause_with_48_hours_between_them(
    chain: Chain, bench: Bench, tmp_path: Path
) -> None:
    _, made = await handed(bench)
    timelock = json.loads(made.document())["timelock"]
    assert [one["for"] for one in timelock] == ["DirectMintV2.unpause()", "BorrowModule.unpause()"]
    await shell(chain.url, tmp_path / "schedule", "\n".join(["set -e", *(one["schedule"]["cast"] for one in timelock)]))
    assert await paused(chain) == [True, True, True, False]
    await chain.rpc("evm_increaseTime", TWO_DAYS)
    await chain.mine()
    await shell(chain.url, tmp_path / "execute", "\n".join(["set -e", *(one["execute"]["cast"] for one in timelock)]))
    assert await paused(chain) == [False, True, False, False]


async def test_the_timelocks_calldata_is_what_its_lines_send(chain: Chain, bench: Bench) -> None:
    _, made = await handed(bench)
    for one in json.loads(made.document())["timelock"]:
        await send(chain, **SENDER, to=one["schedule"]["to"], data=one["schedule"]["calldata"])
    await chain.rpc("evm_increaseTime", TWO_DAYS)
    await chain.mine()
    for one in json.loads(made.document())["timelock"]:
        await chain.rpc(
            "eth_call",
            {"from": address(ADMIN), "to": one["execute"]["to"], "data": one["execute"]["calldata"]},
            "latest",
        )
