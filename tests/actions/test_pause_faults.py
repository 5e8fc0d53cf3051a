"""The emergency pause against every fault of the chain: what becomes of it, and the exact words a person sees."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import actions
from bot.actions.pause import EmergencyPause, contract_name
from bot.domain.action import Plan, Receipt
from bot.domain.approval import Proposal
from bot.domain.cards import ReceiptCard
from bot.drill.chain import Chain
from bot.drill.chain.accounts import ADMIN, PAUSER, account, address
from bot.drill.chain.artifacts import Artifact, role
from tests.world.bench import Bench, Remembered, approved, proposed
from tests.world.onchain import FOUR, paused, seen, writes_on

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = EmergencyPause(contracts=FOUR)
NAMES = [contract_name(contract) for contract in FOUR]
BY_TWO = "paused, by 2 RPCs"
ALREADY = "was paused already; nothing sent"
NOT_FINAL = "Not final yet: a reorg could still replace the block. This receipt is brought up to date when it is."
SUBSETS = [subset for size in range(1, 5) for subset in itertools.combinations(FOUR, size)]


@dataclass
class Running:
    """A pause under way, or over."""

    chain: Chain
    bench: Bench
    proposal: Proposal
    task: "asyncio.Task[Receipt]"

    async def until(self, *words: str) -> str:
        """What people are told of its progress, once these words are in it."""
        async with asyncio.timeout(60):
            while not any(all(word in text for word in words) for text in self.bench.told):  # noqa: ASYNC110 - it polls
                await asyncio.sleep(0.02)
        return named(self.chain, self.bench.told[-1])

    async def over(self, *, mining: bool = False) -> Receipt:
        """Its Receipt; `mining`: a block every half second until then."""
        async with asyncio.timeout(60):
            while mining and not self.task.done():
                await self.chain.mine()
                await asyncio.sleep(0.5)
            return await self.task

    async def later(self, receipt: Receipt, enough: Callable[[Receipt], bool]) -> Receipt:
        """The first newer Receipt that is enough, with a block every half second."""
        later = actions.how(ALL).later
        assert later is not None
        blocks = asyncio.create_task(_blocks(self.chain))
        try:
            async with asyncio.timeout(60):
                async for newer in later(ALL, f"execute-{self.proposal.id}", receipt, self.bench.writes):
                    if enough(newer):
                        return newer
        finally:
            blocks.cancel()
        raise AssertionError("nothing newer became known")


async def _blocks(chain: Chain) -> None:
    while True:
        await asyncio.sleep(0.5)
        await chain.mine()


@asynccontextmanager
async def pausing(chain: Chain, folder: Path, **more: Any) -> AsyncIterator[Running]:
    """Proposed, confirmed and begun."""
    async with writes_on(chain, folder, **more) as writes:
        bench = Bench(writes)
        proposal = await proposed(ALL, bench.writes)
        run = actions.how(ALL).run(approved(proposal), bench.writes, Remembered(proposal.id))
        task = asyncio.ensure_future(run)
        try:
            yield Running(chain, bench, proposal, task)
        finally:
            task.cancel()


async def outcome(chain: Chain, folder: Path, during: Callable[[Running], Awaitable[object]] | None = None) -> Receipt:
    """A pause from proposal to Receipt."""
    async with pausing(chain, folder) as running:
        if during is not None:
            await during(running)
        return await running.over()


def texts(chain: Chain, receipt: Receipt) -> list[str]:
    return [named(chain, step.text) for step in receipt.steps]


def notes(chain: Chain, receipt: Receipt) -> list[str]:
    return [named(chain, text) for text in receipt.notes]


def named(chain: Chain, text: str) -> str:
    """RPCs by their letter alone: the ports are other ones each time."""
    for letter, url in zip("AB", chain.rpc_urls, strict=True):
        text = text.replace(f"RPC {letter} ({url.removeprefix('http://')})", f"RPC {letter}")
    return text


# --- What stands already ---------------------------------------------------------------------------------------------


async def test_without_a_fault_two_rpcs_say_paused(chain: Chain, tmp_path: Path) -> None:
    receipt = await outcome(chain, tmp_path)
    assert texts(chain, receipt) == [BY_TWO] * 4
    assert notes(chain, receipt) == [NOT_FINAL]
    assert "🟢 COMPLETE: every step is as it was meant to be" in seen(ReceiptCard(ALL.title, receipt, ("G",)))


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
async def test_what_is_paused_already_is_skipped_and_only_the_rest_is_paid_for(
    chain: Chain, tmp_path: Path, subset: tuple[str, ...]
) -> None:
    for contract in subset:
        await chain.inflict({"fault": "contract-paused", "contract": contract})
    receipt = await outcome(chain, tmp_path)
    assert texts(chain, receipt) == [ALREADY if contract in subset else BY_TWO for contract in FOUR]
    assert await chain.rpc.number("eth_getTransactionCount", chain.pauser, "latest") == 4 - len(subset)
    assert await paused(chain) == [True] * 4


@pytest.mark.parametrize("contract", FOUR)
async def test_a_missing_role_is_said_before_and_after_and_stops_no_other(
    chain: Chain, tmp_path: Path, contract: str
) -> None:
    await chain.inflict({"fault": "role-missing", "contract": contract})
    name, takes = contract_name(contract), "EMERGENCY_ROLE" if contract == "BLE_BRIDGE" else "PAUSER_ROLE"
    why = f"AccessControlUnauthorizedAccount: {chain.pauser} lacks {takes}"
    async with pausing(chain, tmp_path) as running:
        plan: Plan = running.proposal.plan
        said = f"{name}: the dry run failed ({contract}.pause() would revert: {why}.)."
        assert plan.cautions == (f"{said} It is sent all the same and stops no other.",)
        receipt = await running.over()
    assert texts(chain, receipt) == [f"NOT PAUSED, reverted: {why}" if one == contract else BY_TWO for one in FOUR]
    assert await paused(chain) == [one != contract for one in FOUR]
    card = seen(ReceiptCard(ALL.title, receipt, ("G",)))
    assert "🔴 NOT COMPLETE: 1 step FAILED" in card
    assert f"{name}: not done. Mend the reason above and propose it again, or do it by hand." in card
    rest = actions.how(ALL).rest
    assert rest is not None
    assert rest(ALL, receipt) == EmergencyPause(contracts=(contract,))


# --- The key ---------------------------------------------------------------------------------------------------------


async def test_without_ether_it_says_so_goes_on_trying_and_lands_once_there_is_some(
    chain: Chain, tmp_path: Path
) -> None:
    await chain.inflict({"fault": "no-balance"})
    refused = 'it answered "Insufficient funds for gas * price + value"'
    note = f"No Ethereum RPC took the transactions. RPC A: {refused}; RPC B: {refused}."
    async with pausing(chain, tmp_path) as running:
        said = await running.until("Insufficient funds")
        assert said.startswith("4 transactions signed, taken by no RPC yet, nonces 0 to 3, waiting for the next block")
        assert said.endswith(note)
        await chain.mend()
        receipt = await running.over()
    assert texts(chain, receipt) == [BY_TWO] * 4
    assert note in notes(chain, receipt)


async def test_somebody_elses_waiting_transaction_is_gone_around(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "foreign-nonce"})
    receipt = await outcome(chain, tmp_path)
    assert texts(chain, receipt) == [BY_TWO] * 4
    assert [step.evidence["nonce"] for step in receipt.steps] == [1, 2, 3, 4]


async def test_a_nonce_that_somebody_else_took_is_signed_again_and_said(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path) as running:
        await running.until("4 transactions sent, nonces 0 to 3")
        await foreign(chain, nonce=0)
        receipt = await running.over(mining=True)
    assert texts(chain, receipt) == [BY_TWO] * 4
    assert [step.evidence["nonce"] for step in receipt.steps] == [4, 1, 2, 3]
    assert notes(chain, receipt)[1] == (
        "Somebody else's transaction of the same key took nonce 0, so ours for BorrowModule can't be mined: signed "
        "again with a fresh nonce. Find out who else has this key."
    )


async def test_a_nonce_before_ours_that_nothing_fills_is_filled_and_said(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    dropped = await foreign(chain, nonce=0)
    async with pausing(chain, tmp_path) as running:
        await running.until("4 transactions sent, nonces 1 to 4")
        await chain.rpc("anvil_dropTransaction", dropped)
        receipt = await running.over(mining=True)
    assert texts(chain, receipt) == [BY_TWO] * 4
    filled = (
        "Before ours, nonce 0 of the same key held everything up (somebody else's transaction, or a gap): filled with "
        "an empty transaction of ours. Find out who else has this key."
    )
    assert notes(chain, receipt)[1:] == [
        filled,
        "Not mined in time: signed again with higher fees, same nonces (1, 2, 3, 4).",
    ]


# --- Fees ------------------------------------------------------------------------------------------------------------


async def test_a_base_fee_ten_times_as_high_is_followed_with_the_same_nonces(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path) as running:
        await running.until("4 transactions sent, nonces 0 to 3")
        await chain.inflict({"fault": "base-fee", "factor": 10})
        receipt = await running.over(mining=True)
        signed = await running.bench.writes.signed.transactions(f"execute-{running.proposal.id}")
    assert texts(chain, receipt) == [BY_TWO] * 4
    assert "Not mined in time: signed again with higher fees, same nonces (0, 1, 2, 3)." in notes(chain, receipt)
    assert [one.nonce for one in signed if one.generation == 1] == [0, 1, 2, 3]
    assert await chain.rpc.number("eth_getTransactionCount", chain.pauser, "latest") == 4


async def test_fees_that_may_not_rise_further_are_said_with_the_way_out(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path, max_fee_gwei=5) as running:
        await running.until("4 transactions sent")
        await chain.inflict({"fault": "base-fee", "factor": 10})
        said = await running.until("can't rise further")
    assert said.splitlines()[-1] == (
        "The base fee is 10.0 gwei and our fees can't rise further under the cap: raise MUSD_MAX_FEE_GWEI, or send it "
        "by hand with a higher fee."
    )


# --- RPCs ------------------------------------------------------------------------------------------------------------

ALONE = "mined and paused by RPC B alone: no second RPC confirms it yet"
DISAGREE = "mined, but the RPCs disagree: RPC B says paused, RPC A says not paused"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("rpc-down", ALONE),
        ("rpc-hang", ALONE),
        ("rpc-wrong-chain", ALONE),
        ("rpc-stale", DISAGREE),
        ("rpc-lying-paused", DISAGREE),
    ],
)
async def test_one_bad_rpc_holds_no_send_back_and_is_not_believed(
    chain: Chain, tmp_path: Path, fault: str, text: str
) -> None:
    await chain.inflict({"fault": fault, "which": "A"})
    async with pausing(chain, tmp_path) as running:
        receipt = await running.over()
        assert texts(chain, receipt) == [text] * 4
        assert await paused(chain) == [True] * 4
        assert "⚪ NOT COMPLETE: 4 steps with OUTCOME UNKNOWN" in seen(ReceiptCard(ALL.title, receipt, ("G",)))
        await chain.mend()
        newer = await running.later(receipt, lambda one: one.complete)
    assert texts(chain, newer) == [BY_TWO] * 4


async def test_an_rpc_that_lies_that_all_is_paused_holds_no_pause_back(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "rpc-lying-paused", "which": "B"})
    await outcome(chain, tmp_path)
    assert await paused(chain) == [True] * 4


# --- Blocks ----------------------------------------------------------------------------------------------------------


async def test_a_reorg_behind_the_receipt_is_sent_again_said_and_final_in_the_end(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path) as running:
        await running.until("4 transactions sent")
        await chain.mine()
        receipt = await running.over()
        await chain.inflict({"fault": "reorg", "depth": 1})
        assert await paused(chain) == [False] * 4
        newer = await running.later(receipt, lambda one: one.complete and "Final" in one.notes[0])
    assert await paused(chain) == [True] * 4
    assert notes(chain, newer)[:2] == [
        "Final: none of these blocks can be replaced any more.",
        "A reorg took the block of BorrowModule, SMUSD, DirectMintV2, BLEBridgeV9: the same bytes were sent again.",
    ]
    assert await chain.rpc.number("eth_getTransactionCount", chain.pauser, "latest") == 4


async def test_a_revert_at_execution_is_said_though_the_dry_run_was_fine(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path) as running:
        assert running.proposal.plan.cautions == ()
        await running.until("4 transactions sent")
        await first(chain, "SMUSD", "revokeRole", role("PAUSER_ROLE"), address(PAUSER))
        receipt = await running.over()
    why = f"NOT PAUSED, reverted: AccessControlUnauthorizedAccount: {chain.pauser} lacks PAUSER_ROLE"
    assert texts(chain, receipt) == [BY_TWO, why, BY_TWO, BY_TWO]


async def test_one_that_somebody_else_paused_first_counts_as_paused(chain: Chain, tmp_path: Path) -> None:
    await chain.inflict({"fault": "automine-off"})
    async with pausing(chain, tmp_path) as running:
        await running.until("4 transactions sent")
        await first(chain, "SMUSD", "pause")
        receipt = await running.over()
    text = "is paused; our transaction reverted: EnforcedPause: it is paused already"
    assert texts(chain, receipt) == [BY_TWO, text, BY_TWO, BY_TWO]
    assert receipt.complete


async def first(chain: Chain, contract: str, function: str, *arguments: Any) -> None:
    """Somebody else's transaction, mined before everything that waits, and in the same block."""
    call = {"from": address(ADMIN), "to": chain.contracts[contract], "gas": hex(200_000)}
    call |= {"data": Artifact(contract_name(contract)).call(function, *arguments)}
    await chain.rpc("eth_sendTransaction", call | {"maxFeePerGas": hex(10**13), "maxPriorityFeePerGas": hex(10**12)})
    await chain.mine()


async def foreign(chain: Chain, *, nonce: int) -> str:
    """Somebody else's transaction with the pausing key, offering more than ours."""
    transaction: dict[str, Any] = {
        "chainId": chain.chain_id,
        "nonce": nonce,
        "to": chain.pauser,
        "value": 0,
        "gas": 21_000,
        "maxFeePerGas": 10**12,
        "maxPriorityFeePerGas": 10**11,
    }
    signed = account(PAUSER).sign_transaction(transaction)
    return str(await chain.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex()))
