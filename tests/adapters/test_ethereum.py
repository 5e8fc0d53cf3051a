"""Ethereum over real connections: anvil with the practice contracts, behind two breakable RPCs."""

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from bot.adapters.ethereum import EthereumReads
from bot.adapters.pausing import PausingChain
from bot.adapters.rpc import Rpcs
from bot.adapters.sending import GAS, GWEI
from bot.adapters.signers import KeystoreSigner
from bot.domain.probe import State
from bot.drill.chain import Chain
from bot.drill.chain.accounts import RELAYER, address
from bot.drill.chain.proxy import WRONG_CHAIN_ID
from bot.errors import ConfigurationError, RevertedError, UnavailableError
from bot.ports import ChainReads, Mined, PauseChain, SignedTransaction, Simulation

pytestmark = pytest.mark.asyncio(loop_scope="module")
FOUR = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE")
TIMEOUT = 0.4


@pytest_asyncio.fixture(loop_scope="module")
async def rpcs(chain: Chain) -> AsyncIterator[Rpcs]:
    rpcs = Rpcs(chain.rpc_urls, chain.chain_id, timeout=TIMEOUT)
    yield rpcs
    await rpcs.close()


@pytest.fixture
def reads(chain: Chain, rpcs: Rpcs) -> EthereumReads:
    return EthereumReads(rpcs, chain.contracts, collateral=chain.collateral_token)


@pytest_asyncio.fixture(loop_scope="module")
async def pausing(chain: Chain, rpcs: Rpcs) -> PausingChain:
    signer = await KeystoreSigner.unlock(chain.keystore, chain.password_file)
    return PausingChain(rpcs, chain.contracts, signer, max_fee_gwei=500)


async def both_down(chain: Chain) -> None:
    for which in ("A", "B"):
        await chain.inflict({"fault": "rpc-down", "which": which})


async def pause_all(pausing: PausingChain) -> list[SignedTransaction]:
    transactions = list(await pausing.sign([pausing.call(name) for name in FOUR]))
    await pausing.broadcast(transactions)
    return transactions


async def simulated(pausing: PausingChain, contract: str) -> Simulation:
    return (await pausing.simulate([pausing.call(contract)]))[0]


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# --- Reading ---------------------------------------------------------------------------------------------------------


async def test_the_ports_are_fulfilled(reads: EthereumReads, pausing: PausingChain) -> None:
    ports: tuple[ChainReads, PauseChain] = (reads, pausing)
    assert ports == (reads, pausing)


async def test_the_head_is_the_newest_block_of_any_rpc(chain: Chain, reads: EthereumReads) -> None:
    await chain.inflict({"fault": "rpc-stale", "which": "A", "blocks": 5})
    number, at = await chain.rpc.head()
    head = await reads.head()
    assert (head.number, int(head.at.timestamp())) == (number, at)


async def test_the_price_has_its_value_its_time_and_the_view_that_answered(chain: Chain, reads: EthereumReads) -> None:
    price = await reads.price()
    on_chain = await chain.protocol.read("PRICE_ORACLE", "lastPrice", chain.collateral_token)
    set_at = await chain.protocol.read("PRICE_ORACLE", "lastUpdate", chain.collateral_token)
    assert price.updated_at is not None
    assert (price.price.value, price.price.decimals) == (on_chain, 18)
    assert int(price.updated_at.timestamp()) == set_at
    assert price.read == "getLatestPrice(address)"


async def test_a_view_the_oracle_lacks_makes_room_for_the_next(chain: Chain, rpcs: Rpcs) -> None:
    calls = ("getPriceOfOldTimes(address)", "getPrice(address)")
    reads = EthereumReads(rpcs, chain.contracts, collateral=chain.collateral_token, price_calls=calls)
    assert (await reads.price()).read == "getPrice(address)"


async def test_an_oracle_without_any_of_the_views_is_no_price_and_says_so(chain: Chain, rpcs: Rpcs) -> None:
    reads = EthereumReads(rpcs, {"PRICE_ORACLE": address(RELAYER)}, collateral=chain.collateral_token)
    with pytest.raises(UnavailableError, match=r"has none of getLatestPrice\(address\), getPrice\(address\)"):
        await reads.price()


async def test_an_oracle_that_cannot_tell_when_has_a_price_of_unknown_age(chain: Chain, rpcs: Rpcs) -> None:
    reads = EthereumReads(rpcs, chain.contracts, collateral=chain.collateral_token, updated_calls=("when(address)",))
    assert (await reads.price()).updated_at is None


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("oracle-stale", "StalePrice", "the price is stale: last set 20"),
        ("oracle-breaker", "CircuitBreakerActive", "the circuit breaker of 0x"),
        ("oracle-disabled", "FeedNotEnabled", "is not enabled"),
    ],
)
async def test_a_refusing_oracle_is_named_by_its_error(
    chain: Chain, reads: EthereumReads, fault: str, error: str, words: str
) -> None:
    await chain.inflict({"fault": fault})
    with pytest.raises(RevertedError, match=words) as caught:
        await reads.price()
    assert caught.value.error == error


@pytest.mark.parametrize("mode", ["rpc-down", "rpc-hang", "rpc-wrong-chain"])
async def test_a_read_goes_to_the_next_rpc_when_the_first_is_of_no_use(
    chain: Chain, reads: EthereumReads, mode: str
) -> None:
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    await chain.inflict({"fault": mode, "which": "A"})
    assert await reads.paused("SMUSD") is True


async def test_an_rpc_that_just_failed_is_asked_last(chain: Chain, rpcs: Rpcs, reads: EthereumReads) -> None:
    await chain.inflict({"fault": "rpc-down", "which": "A"})
    await reads.paused("SMUSD")
    failed_at = rpcs.all[0].failed_at
    await reads.paused("SMUSD")
    assert rpcs.all[0].failed_at == failed_at


async def test_no_rpc_is_no_answer_with_each_ones_reason(chain: Chain, reads: EthereumReads) -> None:
    await chain.inflict({"fault": "rpc-hang", "which": "A"})
    await chain.inflict({"fault": "rpc-wrong-chain", "which": "B"})
    with pytest.raises(UnavailableError) as caught:
        await reads.paused("SMUSD")
    a, b = (f"RPC {letter} ({url.removeprefix('http://')})" for letter, url in zip("AB", chain.rpc_urls, strict=True))
    assert caught.value.happened == (
        f"No Ethereum RPC answered. {a}: no answer within 0.4 s; "
        f"{b}: it is on chain {WRONG_CHAIN_ID}, not on chain {chain.chain_id}, so it is not believed."
    )


async def test_an_error_never_holds_the_key_in_an_rpcs_url() -> None:
    port = closed_port()
    rpcs = Rpcs([f"http://user:hunter2hunter2@127.0.0.1:{port}/v3/0123456789abcdef?key=fedcba98"], 1)
    with pytest.raises(UnavailableError) as caught:
        await EthereumReads(rpcs, {"SMUSD": address(RELAYER)}).paused("SMUSD")
    await rpcs.close()
    assert (
        caught.value.sentences() == f"No Ethereum RPC answered. RPC A (127.0.0.1:{port}): the connection was refused."
    )


async def test_an_rpc_url_that_is_none_is_refused_by_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"RPC B in MUSD_RPC_URLS is not an http or https URL"):
        Rpcs(["http://127.0.0.1:8545", "127.0.0.1:8546/secret"], 1)


async def test_a_contract_without_address_is_unknown_and_not_unpaused(rpcs: Rpcs) -> None:
    with pytest.raises(UnavailableError, match="MUSD is not configured"):
        await EthereumReads(rpcs, {}).paused("MUSD")


async def test_an_address_without_a_contract_is_not_unpaused(rpcs: Rpcs) -> None:
    with pytest.raises(RevertedError, match=r"has no paused\(\), or there is no contract at that address"):
        await EthereumReads(rpcs, {"SMUSD": address(RELAYER)}).paused("SMUSD")


# --- The dry run -----------------------------------------------------------------------------------------------------


async def test_a_dry_run_that_succeeds_says_so(pausing: PausingChain) -> None:
    expected = Simulation(State.OK, "SMUSD.pause() succeeds in a dry run.", paused=False)
    assert await simulated(pausing, "SMUSD") == expected


async def test_a_dry_run_names_the_missing_role(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "role-missing", "contract": "BLE_BRIDGE"})
    text = f"BLE_BRIDGE.pause() would revert: AccessControlUnauthorizedAccount: {pausing.signer} lacks EMERGENCY_ROLE."
    assert await simulated(pausing, "BLE_BRIDGE") == Simulation(State.BAD, text, paused=False)


async def test_a_dry_run_says_what_is_paused_already(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    expected = Simulation(State.OK, "It is paused already: it is skipped.", paused=True)
    assert await simulated(pausing, "SMUSD") == expected


async def test_a_dry_run_nobody_answers_is_unknown(chain: Chain, pausing: PausingChain) -> None:
    await both_down(chain)
    simulation = await simulated(pausing, "SMUSD")
    assert (simulation.state, simulation.paused) == (State.UNKNOWN, None)


async def test_a_dry_run_against_an_address_without_a_contract_is_bad(rpcs: Rpcs, pausing: PausingChain) -> None:
    astray = PausingChain(rpcs, {"SMUSD": address(RELAYER)}, pausing._signer, max_fee_gwei=500)  # noqa: SLF001 - the same key
    assert (await simulated(astray, "SMUSD")).state == State.BAD


# --- Signing ---------------------------------------------------------------------------------------------------------


async def test_nonces_are_consecutive_from_the_pending_one(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "foreign-nonce"})
    pending = await chain.rpc.number("eth_getTransactionCount", pausing.signer, "pending")
    transactions = await pausing.sign([pausing.call(name) for name in FOUR])
    assert [one.nonce for one in transactions] == [pending, pending + 1, pending + 2, pending + 3]


async def test_a_lagging_rpc_does_not_give_used_nonces(chain: Chain, pausing: PausingChain) -> None:
    await pause_all(pausing)
    await chain.inflict({"fault": "rpc-stale", "which": "A", "blocks": 20})
    [transaction] = await pausing.sign([pausing.call("SMUSD")])
    assert transaction.nonce == 4


async def test_a_signature_holds_chain_gas_and_fees(chain: Chain, pausing: PausingChain) -> None:
    [transaction] = await pausing.sign([pausing.call("SMUSD")])
    signed = TypedTransaction.from_bytes(HexBytes(transaction.raw)).as_dict()
    base_fee = int((await chain.block(await chain.rpc.number("eth_blockNumber")))["baseFeePerGas"], 16)
    tip = signed["maxPriorityFeePerGas"]
    assert (signed["type"], signed["chainId"], signed["gas"], signed["value"]) == (2, chain.chain_id, GAS, 0)
    assert signed["maxFeePerGas"] == (2 * base_fee + tip) * 5 // 4


async def test_a_fee_is_never_above_the_cap(chain: Chain, rpcs: Rpcs, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "base-fee", "factor": 10_000})
    capped = PausingChain(rpcs, chain.contracts, pausing._signer, max_fee_gwei=3)  # noqa: SLF001 - the same key
    [transaction] = await capped.sign([capped.call("SMUSD")])
    assert TypedTransaction.from_bytes(HexBytes(transaction.raw)).as_dict()["maxFeePerGas"] == 3 * GWEI


async def test_without_an_rpc_nothing_is_signed(chain: Chain, pausing: PausingChain) -> None:
    await both_down(chain)
    with pytest.raises(UnavailableError, match="No Ethereum RPC answered"):
        await pausing.sign([pausing.call("SMUSD")])


# --- Sending ---------------------------------------------------------------------------------------------------------


async def test_four_pauses_land_in_one_block_in_order(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "automine-off"})
    transactions = await pause_all(pausing)
    await chain.mine()
    block = await chain.block(await chain.rpc.number("eth_blockNumber"))
    assert block["transactions"] == [one.hash for one in transactions]


async def test_four_pauses_pause_four_contracts(pausing: PausingChain) -> None:
    await pause_all(pausing)
    assert [await pausing.paused(name) for name in FOUR] == [True, True, True, True]


async def test_broadcasting_what_is_waiting_is_success(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "automine-off"})
    transactions = await pause_all(pausing)
    await pausing.broadcast(transactions)
    await chain.mine()
    assert await chain.rpc.number("eth_getTransactionCount", pausing.signer, "latest") == 4


async def test_broadcasting_what_is_mined_is_success(chain: Chain, pausing: PausingChain) -> None:
    transactions = await pause_all(pausing)
    await pausing.broadcast(transactions)
    assert await chain.rpc.number("eth_getTransactionCount", pausing.signer, "pending") == 4


async def test_one_rpc_is_enough_to_broadcast(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "rpc-down", "which": "A"})
    await pause_all(pausing)
    await chain.mine()  # whatever a busy node has not mined yet
    assert await pausing.paused("BLE_BRIDGE") is True


async def test_a_broadcast_nobody_takes_says_why_of_each(chain: Chain, pausing: PausingChain) -> None:
    transactions = await pausing.sign([pausing.call("SMUSD")])
    await chain.inflict({"fault": "rpc-down", "which": "A"})
    await chain.inflict({"fault": "no-balance"})
    with pytest.raises(UnavailableError) as caught:
        await pausing.broadcast(transactions)
    a, b = (f"RPC {letter} ({url.removeprefix('http://')})" for letter, url in zip("AB", chain.rpc_urls, strict=True))
    assert caught.value.happened == (
        f"No Ethereum RPC took the transactions. {a}: the connection was closed before the answer; "
        f'{b}: it answered "Insufficient funds for gas * price + value".'
    )


async def test_a_nonce_somebody_else_used_is_no_success(pausing: PausingChain) -> None:
    late = await pausing.sign([pausing.call("SMUSD")])
    other = await pausing.sign([pausing.call("DIRECT_MINT")])
    await pausing.broadcast(other)
    with pytest.raises(UnavailableError, match="nonce too low"):
        await pausing.broadcast(late)


# --- Receipts --------------------------------------------------------------------------------------------------------


async def test_what_waits_has_no_receipt(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "automine-off"})
    assert await pausing.mined(await pause_all(pausing)) == {}


async def test_what_is_mined_has_its_block(chain: Chain, pausing: PausingChain) -> None:
    await chain.inflict({"fault": "automine-off"})
    [transaction] = await pausing.sign([pausing.call("SMUSD")])
    await pausing.broadcast([transaction])
    await chain.mine()
    block = await chain.rpc.number("eth_blockNumber")
    expected = Mined(hash=transaction.hash, block=block, succeeded=True)
    assert await pausing.mined([transaction]) == {transaction.hash: expected}


async def test_a_receipt_is_found_where_one_rpc_lags(chain: Chain, pausing: PausingChain) -> None:
    transactions = await pause_all(pausing)
    await chain.inflict({"fault": "rpc-stale", "which": "A", "blocks": 20})
    assert set(await pausing.mined(transactions)) == {one.hash for one in transactions}


async def test_a_revert_on_chain_is_told_in_words(chain: Chain, pausing: PausingChain) -> None:
    [transaction] = await pausing.sign([pausing.call("SMUSD")])
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    await pausing.broadcast([transaction])
    mined = (await pausing.mined([transaction]))[transaction.hash]
    assert (mined.succeeded, mined.reason) == (False, "EnforcedPause: it is paused already")


async def test_receipts_nobody_tells_are_not_none(chain: Chain, pausing: PausingChain) -> None:
    transactions = await pause_all(pausing)
    await both_down(chain)
    with pytest.raises(UnavailableError, match="No Ethereum RPC answered"):
        await pausing.mined(transactions)
