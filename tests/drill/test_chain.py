"""The practice chain, over JSON-RPC, against the real anvil."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout
from eth_account import Account

from bot.drill.chain import Chain
from bot.drill.chain.accounts import ADMIN, BREACHER, PAUSER, UNPAUSER, address
from bot.drill.chain.artifacts import ARTIFACTS, Artifact, role, topic
from bot.drill.chain.health import ratio
from bot.drill.chain.protocol import KINDS, PAUSE_LIST
from bot.drill.chain.rpc import Rpc, RpcError
from bot.drill.part import UnknownFaultError

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[Chain]:
    part = Chain()
    await part.start(tmp_path)
    yield part
    await part.stop()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=5)) as opened:
        yield opened


async def sign_and_send(chain: Chain, name: str, contract: str, function: str, *arguments: Any) -> str:
    """Send as the bot would: a raw transaction signed with the key of one of its accounts."""
    keystore = chain.keystore if name == PAUSER else chain.unpause_keystore
    password = chain.password_file if name == PAUSER else chain.unpause_password_file
    key = Account.decrypt(json.loads(keystore.read_text()), password.read_text())
    transaction = {
        "chainId": chain.chain_id,
        "nonce": await chain.rpc.number("eth_getTransactionCount", address(name), "pending"),
        "to": chain.contracts[contract],
        "data": Artifact(KINDS[contract]).call(function, *arguments),
        "gas": 120_000,
        "maxFeePerGas": 10 * 10**9,
        "maxPriorityFeePerGas": 10**9,
    }
    signed = Account.sign_transaction(transaction, key)
    sent: str = await chain.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
    return sent


async def succeeded(chain: Chain, sent: str) -> bool:
    for _ in range(50):
        receipt = await chain.rpc("eth_getTransactionReceipt", sent)
        if receipt is not None:
            return bool(receipt["status"] == "0x1")
        await asyncio.sleep(0.01)
    raise AssertionError("not mined")


async def revert_of(chain: Chain, who: str, contract: str, function: str, *arguments: Any) -> str:
    call = {"from": address(who), "to": chain.contracts[contract]}
    with pytest.raises(RpcError) as caught:
        await chain.rpc("eth_call", call | {"data": Artifact(KINDS[contract]).call(function, *arguments)}, "latest")
    return caught.value.data[:10]


async def price(chain: Chain) -> int:
    found: int = await chain.protocol.read("PRICE_ORACLE", "getLatestPrice", chain.collateral_token)
    return found


async def share_price(chain: Chain) -> int:
    share = 10 ** await chain.protocol.read("SMUSD", "decimals")
    found: int = await chain.protocol.read("SMUSD", "convertToAssets", share)
    return found


def selector(error: str) -> str:
    return topic(error)[:10]


async def test_a_new_chain_has_code_at_every_address_the_bot_is_given(chain: Chain) -> None:
    codes = [await chain.rpc("eth_getCode", at, "latest") for at in chain.contracts.values()]
    assert [len(code) > 2 for code in codes] == [True] * len(chain.contracts)


async def test_addresses_are_the_same_on_every_first_start(chain: Chain, tmp_path: Path) -> None:
    other = Chain()
    await other.start(tmp_path / "other")
    try:
        assert other.contracts == chain.contracts
    finally:
        await other.stop()


async def test_the_pausing_key_can_pause_all_four(chain: Chain) -> None:
    outcomes = [await succeeded(chain, await sign_and_send(chain, PAUSER, one, "pause")) for one in PAUSE_LIST]
    assert outcomes == [True] * 4
    assert [await chain.protocol.read(one, "paused") for one in PAUSE_LIST] == [True] * 4


async def test_the_pausing_key_can_do_nothing_else(chain: Chain) -> None:
    unauthorized = selector("AccessControlUnauthorizedAccount(address,bytes32)")
    for contract in PAUSE_LIST:
        grant = (role("PAUSER_ROLE"), address(PAUSER))
        assert await revert_of(chain, PAUSER, contract, "grantRole", *grant) == unauthorized == "0xe2517d3f"
    for contract in ("BORROW_MODULE", "SMUSD", "DIRECT_MINT"):
        assert await revert_of(chain, PAUSER, contract, "unpause") == unauthorized


async def test_pausing_what_is_paused_reverts_with_the_selector_of_openzeppelin(chain: Chain) -> None:
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    assert await revert_of(chain, PAUSER, "SMUSD", "pause") == "0xd93c0665"


async def test_the_second_signer_unpauses_the_three_that_have_an_unpause(chain: Chain) -> None:
    for contract in ("BORROW_MODULE", "SMUSD", "DIRECT_MINT"):
        await succeeded(chain, await sign_and_send(chain, PAUSER, contract, "pause"))
        assert await succeeded(chain, await sign_and_send(chain, UNPAUSER, contract, "unpause"))
        assert await chain.protocol.read(contract, "paused") is False


async def test_the_bridge_unpauses_a_day_after_the_request_and_not_sooner(chain: Chain) -> None:
    await succeeded(chain, await sign_and_send(chain, PAUSER, "BLE_BRIDGE", "pause"))
    assert await revert_of(chain, UNPAUSER, "BLE_BRIDGE", "unpause") == selector("UseRequestUnpause()")
    await succeeded(chain, await sign_and_send(chain, UNPAUSER, "BLE_BRIDGE", "requestUnpause"))
    assert await revert_of(chain, PAUSER, "BLE_BRIDGE", "pause") == "0xd93c0665"
    assert await revert_of(chain, UNPAUSER, "BLE_BRIDGE", "executeUnpause") == selector("UnpauseTooEarly(uint256)")
    await chain.rpc("evm_increaseTime", 86_400)
    await chain.mine()
    assert await succeeded(chain, await sign_and_send(chain, UNPAUSER, "BLE_BRIDGE", "executeUnpause"))
    assert await chain.protocol.read("BLE_BRIDGE", "paused") is False


async def test_four_transactions_land_in_one_block_in_order_when_automine_is_off(chain: Chain) -> None:
    await chain.inflict({"fault": "automine-off"})
    sent = [await sign_and_send(chain, PAUSER, one, "pause") for one in PAUSE_LIST]
    await chain.mine()
    head, _ = await chain.rpc.head()
    assert (await chain.block(head))["transactions"] == sent


async def test_relayer_and_validators_can_be_replaced_by_the_second_signer(chain: Chain) -> None:
    fresh = address(BREACHER)
    await succeeded(chain, await sign_and_send(chain, UNPAUSER, "BLE_BRIDGE", "updateRelayer", fresh))
    await succeeded(chain, await sign_and_send(chain, UNPAUSER, "BLE_BRIDGE", "updateValidator", 1, fresh))
    assert await chain.protocol.read("BLE_BRIDGE", "relayer") == fresh.lower()
    assert await chain.protocol.read("BLE_BRIDGE", "hasRole", role("VALIDATOR_ROLE"), fresh) is True


async def test_a_healthy_protocol_is_backed_and_below_its_cap(chain: Chain) -> None:
    assert 100 <= await ratio(chain.protocol) <= 105
    assert await chain.protocol.read("MUSD", "totalSupply") < await chain.protocol.read("DIRECT_MINT", "supplyCap")


async def test_a_whole_share_has_21_decimals_and_is_worth_a_little_more_than_a_dollar(chain: Chain) -> None:
    assert await chain.protocol.read("SMUSD", "decimals") == 21
    assert await share_price(chain) // 10**15 == 1050


async def test_the_new_chain_has_a_day_behind_it(chain: Chain) -> None:
    head, now = await chain.rpc.head()
    opening = await chain.block(1)
    assert now - int(opening["timestamp"], 16) > 24 * 3600
    assert await chain.protocol.read("SMUSD", "totalAssets", block=hex(head - 40)) > 0
    assert abs(now - time.time()) < 5


@pytest.mark.parametrize("percent", ["97.3", "94.1", "89.9", "12.5"])
async def test_the_reserve_ratio_becomes_exactly_what_is_asked(chain: Chain, percent: str) -> None:
    await chain.inflict({"fault": "reserve-ratio", "percent": percent})
    assert round(await ratio(chain.protocol), 4) == Decimal(percent)


@pytest.mark.parametrize(
    ("path", "event"),
    [
        ("direct", "Minted(address,uint256,uint256,uint256)"),
        ("lending", "Borrowed(address,uint256,uint256)"),
        ("bridge", "BridgeMinted(bytes32,address,uint256)"),
    ],
)
async def test_a_supply_breach_can_be_traced_to_its_path(chain: Chain, path: str, event: str) -> None:
    await chain.inflict({"fault": "supply-breach", "path": path})
    supply, cap = await chain.protocol.read("MUSD", "totalSupply"), await chain.protocol.read("MUSD", "supplyCap")
    assert supply > cap
    head, _ = await chain.rpc.head()
    logs = await chain.rpc("eth_getLogs", {"fromBlock": hex(head), "toBlock": hex(head)})
    assert [log["topics"][0] for log in logs if log["topics"][0] != topic("Transfer(address,address,uint256)")] == [
        topic(event)
    ]


async def test_minting_past_the_cap_reverts_while_the_cap_is_heeded(chain: Chain) -> None:
    at = chain.protocol.addresses
    call = Artifact("MUSD").call("mint", address(BREACHER), 20_000_000 * 10**18)
    with pytest.raises(RpcError) as caught:
        await chain.rpc("eth_call", {"from": at["DIRECT_MINT"], "to": at["MUSD"], "data": call}, "latest")
    assert caught.value.data[:10] == selector("ExceedsSupplyCap(uint256,uint256)")


@pytest.mark.parametrize("kind", ["loss", "donation"])
async def test_the_share_price_drops_by_the_percentage(chain: Chain, kind: str) -> None:
    before = await share_price(chain)
    await chain.inflict({"fault": "share-price-drop", "percent": 7, "kind": kind})
    assert (await share_price(chain)) / before == pytest.approx(0.93, abs=1e-6)


async def test_a_reported_loss_above_ten_percent_is_refused_by_the_vault(chain: Chain) -> None:
    with pytest.raises(ValueError, match=r"share-price-drop: SMUSD\.reportLoss as strategist reverted"):
        await chain.inflict({"fault": "share-price-drop", "percent": 11})


async def test_a_stale_price_reverts_and_stays_stale(chain: Chain) -> None:
    await chain.inflict({"fault": "oracle-stale"})
    with pytest.raises(RpcError) as caught:
        await price(chain)
    assert caught.value.data[:10] == selector("StalePrice(address,uint256,uint256)")
    assert chain.feeding is False


async def test_the_circuit_breaker_stops_the_price_but_not_the_unsafe_one(chain: Chain) -> None:
    await chain.inflict({"fault": "oracle-breaker"})
    with pytest.raises(RpcError) as caught:
        await price(chain)
    assert caught.value.data[:10] == selector("CircuitBreakerActive(address)")
    assert await chain.protocol.read("PRICE_ORACLE", "getPriceUnsafe", chain.collateral_token) > 0


async def test_the_oracle_moves_by_the_percentage(chain: Chain) -> None:
    await chain.inflict({"fault": "oracle-move", "percent": -60})
    assert await price(chain) / 10**18 == pytest.approx(0.064, rel=0.01)


async def test_liquidations_go_on_while_the_price_is_stale_and_lending_is_paused(chain: Chain) -> None:
    await chain.inflict({"fault": "oracle-stale"})
    await chain.inflict({"fault": "contract-paused", "contract": "BORROW_MODULE"})
    before, _ = await chain.rpc.head()
    await chain.inflict({"fault": "liquidation-surge", "count": 12})
    wanted = {"fromBlock": hex(before), "topics": [topic("Liquidation(address,address,uint256,uint256)")]}
    assert len(await chain.rpc("eth_getLogs", wanted)) == 12


async def test_a_missing_role_and_an_empty_purse_are_the_pausing_keys(chain: Chain) -> None:
    await chain.inflict({"fault": "role-missing", "contract": "SMUSD"})
    await chain.inflict({"fault": "no-balance"})
    assert await revert_of(chain, PAUSER, "SMUSD", "pause") == "0xe2517d3f"
    assert await chain.rpc.number("eth_getBalance", address(PAUSER), "latest") == 0


async def test_a_foreign_transaction_waits_on_the_pausing_key(chain: Chain) -> None:
    await chain.inflict({"fault": "foreign-nonce"})
    latest = await chain.rpc.number("eth_getTransactionCount", address(PAUSER), "latest")
    assert await chain.rpc.number("eth_getTransactionCount", address(PAUSER), "pending") == latest + 1


async def test_the_base_fee_is_multiplied(chain: Chain) -> None:
    await chain.inflict({"fault": "base-fee", "factor": 10})
    head, _ = await chain.rpc.head()
    assert int((await chain.block(head))["baseFeePerGas"], 16) == 10 * 10**9


async def test_a_reorg_takes_a_pause_back(chain: Chain) -> None:
    sent = await sign_and_send(chain, PAUSER, "SMUSD", "pause")
    assert await succeeded(chain, sent)
    await chain.inflict({"fault": "reorg", "depth": 1})
    assert await chain.protocol.read("SMUSD", "paused") is False
    assert await chain.rpc("eth_getTransactionReceipt", sent) is None


async def test_one_rpc_down_leaves_the_other(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-down", "which": "A"})
    with pytest.raises(ClientError):
        await Rpc(session, chain.rpc_urls[0])("eth_chainId")
    assert await Rpc(session, chain.rpc_urls[1])("eth_chainId") == "0x7a69"


async def test_a_hanging_rpc_answers_after_its_time(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-hang", "which": "B", "seconds": 0.3})
    began = time.monotonic()
    assert await Rpc(session, chain.rpc_urls[1])("eth_chainId") == "0x7a69"
    assert time.monotonic() - began >= 0.3


async def test_a_hanging_rpc_lets_go_when_mended(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-hang", "which": "A"})
    asked = asyncio.create_task(Rpc(session, chain.rpc_urls[0])("eth_chainId"))
    await asyncio.sleep(0.1)
    assert not asked.done()
    await chain.mend()
    assert await asked == "0x7a69"


async def test_a_stale_rpc_knows_nothing_of_the_newest_blocks(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-stale", "which": "A", "blocks": 0})
    stale = Rpc(session, chain.rpc_urls[0])
    head, _ = await chain.rpc.head()
    sent = await sign_and_send(chain, PAUSER, "SMUSD", "pause")
    assert await succeeded(chain, sent)
    call = {"to": chain.contracts["SMUSD"], "data": Artifact("SMUSD").call("paused")}
    assert await stale.number("eth_blockNumber") == head
    assert await stale("eth_getTransactionReceipt", sent) is None
    assert int(await stale("eth_call", call), 16) == 0
    assert int(await chain.rpc("eth_call", call, "latest"), 16) == 1


async def test_a_lying_rpc_says_the_opposite_of_paused_in_a_batch_too(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-lying-paused", "which": "A"})
    call = {"to": chain.contracts["SMUSD"], "input": Artifact("SMUSD").call("paused")}
    batch = [{"jsonrpc": "2.0", "id": 7, "method": "eth_call", "params": [call, "latest"]}]
    async with session.post(chain.rpc_urls[0], json=batch) as response:
        answer = await response.json()
    assert [(one["id"], int(one["result"], 16)) for one in answer] == [(7, 1)]


async def test_an_rpc_can_say_it_is_another_chain(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "rpc-wrong-chain", "which": "B"})
    assert await Rpc(session, chain.rpc_urls[1]).number("eth_chainId") == 11_155_111


async def test_a_frozen_head_is_old_by_both_rpcs(chain: Chain, session: ClientSession) -> None:
    await chain.inflict({"fault": "head-frozen", "seconds": 7200})
    ages = [time.time() - (await Rpc(session, url).head())[1] for url in chain.rpc_urls]
    assert [age >= 7200 for age in ages] == [True, True]


async def test_mending_brings_back_a_healthy_protocol_after_everything(chain: Chain) -> None:
    before = await share_price(chain)
    for request in (
        {"fault": "role-missing", "contract": "BLE_BRIDGE"},
        {"fault": "supply-breach", "path": "bridge"},
        {"fault": "share-price-drop", "percent": 9, "kind": "donation"},
        {"fault": "share-price-drop", "percent": 9, "kind": "loss"},
        {"fault": "strategy-broken"},
        {"fault": "oracle-disabled"},
        {"fault": "reserve-ratio", "percent": 20},
        {"fault": "foreign-nonce"},
        {"fault": "base-fee", "factor": 50},
        {"fault": "no-balance"},
        {"fault": "head-frozen"},
    ):
        await chain.inflict(request)
    await chain.mend()
    assert 100 <= await ratio(chain.protocol) <= 105
    assert await share_price(chain) / before == pytest.approx(1, abs=1e-3)
    assert await price(chain) > 0
    assert await chain.protocol.read("MUSD", "totalSupply") < await chain.protocol.read("MUSD", "localCap")
    assert await succeeded(chain, await sign_and_send(chain, PAUSER, "BLE_BRIDGE", "pause"))


async def test_mending_opens_what_a_fault_paused_and_not_what_people_paused(chain: Chain) -> None:
    await chain.inflict({"fault": "contract-paused", "contract": "DIRECT_MINT"})
    await succeeded(chain, await sign_and_send(chain, PAUSER, "BLE_BRIDGE", "pause"))
    await chain.mend()
    assert await chain.protocol.read("DIRECT_MINT", "paused") is False
    assert await chain.protocol.read("BLE_BRIDGE", "paused") is True


async def test_an_unknown_fault_is_refused_with_those_there_are(chain: Chain) -> None:
    with pytest.raises(UnknownFaultError, match="the chain knows no fault 'flood'; it knows oracle-stale"):
        await chain.inflict({"fault": "flood"})


async def test_an_argument_that_makes_no_sense_is_refused(chain: Chain) -> None:
    with pytest.raises(ValueError, match="contract must be one of BORROW_MODULE, SMUSD, DIRECT_MINT, BLE_BRIDGE"):
        await chain.inflict({"fault": "role-missing", "contract": "BANK"})


async def test_with_a_block_time_blocks_come_by_themselves_and_faults_still_work(tmp_path: Path) -> None:
    chain = Chain(block_time=0.2)
    await chain.start(tmp_path)
    try:
        first, _ = await chain.rpc.head()
        await asyncio.sleep(0.7)
        assert (await chain.rpc.head())[0] - first in {2, 3, 4}
        await chain.inflict({"fault": "role-missing", "contract": "SMUSD"})
        assert await revert_of(chain, PAUSER, "SMUSD", "pause") == "0xe2517d3f"
        await chain.inflict({"fault": "automine-off"})
        held, _ = await chain.rpc.head()
        await asyncio.sleep(0.5)
        assert (await chain.rpc.head())[0] == held
    finally:
        await chain.stop()


async def test_the_next_day_the_chain_goes_on_where_it_was_with_a_fresh_price(tmp_path: Path) -> None:
    first = Chain()
    await first.start(tmp_path)
    await succeeded(first, await sign_and_send(first, PAUSER, "SMUSD", "pause"))
    await first.rpc("evm_increaseTime", 90_000)
    await first.mine()
    head, then = await first.rpc.head()
    await first.stop()
    again = Chain()
    await again.start(tmp_path)
    try:
        assert again.contracts == first.contracts
        assert await again.protocol.read("SMUSD", "paused") is True
        number, now = await again.rpc.head()
        assert number > head
        assert now > then
        assert await price(again) > 0
        assert await again.protocol.read("MUSD", "totalSupply", block=hex(head)) > 0
    finally:
        await again.stop()


async def ends(pid: int) -> bool:
    """Whether that process is gone within two seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.02)
    return False


KILLED = """
import asyncio, sys
from pathlib import Path
from bot.drill.chain import Chain
async def main():
    chain = Chain()
    await chain.start(Path(sys.argv[1]))
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    await asyncio.sleep(2.5)
    print(chain.url, chain._anvil._child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_killed_drill_leaves_no_anvil_and_a_chain_to_continue(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    _, anvil = (await process.stdout.readline()).split()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await ends(int(anvil))
    again = Chain()
    await again.start(tmp_path)
    try:
        assert await again.protocol.read("SMUSD", "paused") is True
    finally:
        await again.stop()


async def test_without_anvil_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSD_ANVIL", str(tmp_path / "nowhere"))
    with pytest.raises(RuntimeError, match=r"MUSD_ANVIL says .*nowhere, and there is no such file"):
        await Chain().start(tmp_path)


async def test_the_practice_admin_is_neither_of_the_bots_keys(chain: Chain) -> None:
    assert len({chain.pauser, chain.unpauser, address(ADMIN)}) == 3


@pytest.mark.skipif(
    shutil.which("node") is None or not (ROOT / "node_modules" / "solc").exists(), reason="needs node and solc"
)
def test_the_committed_artifacts_are_what_the_sources_compile_to() -> None:
    compiled = subprocess.run(
        ["node", "scripts/compile-contracts.mjs", "-"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert json.loads(compiled.stdout) == json.loads(ARTIFACTS.read_text())
