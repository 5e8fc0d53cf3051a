"""Could we pause right now? Each reason against it, in the words people see, on a real chain."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.readiness import PauseReadiness
from bot.adapters.rpc import Rpcs
from bot.drill.chain import Chain
from bot.drill.chain.accounts import RELAYER, address
from bot.errors import UnavailableError
from bot.ports import Flaw
from tests.world.onchain import FOUR

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def rpcs(chain: Chain) -> AsyncIterator[Rpcs]:
    rpcs = Rpcs(chain.rpc_urls, chain.chain_id, timeout=0.5)
    yield rpcs
    await rpcs.close()


@pytest.fixture
def light(chain: Chain, rpcs: Rpcs) -> PauseReadiness:
    contracts = {name: chain.contracts[name] for name in FOUR}
    return PauseReadiness(rpcs, contracts, chain.pauser, calls={}, max_fee_gwei=500)


async def flaws(light: PauseReadiness) -> list[str]:
    return [flaw.text for flaw in (await light.readiness()).flaws]


async def test_on_a_healthy_chain_nothing_is_in_the_way(light: PauseReadiness) -> None:
    found = await light.readiness()
    assert (found.flaws, found.contracts, len(found.agreeing)) == ((), 4, 2)


async def test_what_is_paused_already_is_no_flaw(chain: Chain, light: PauseReadiness) -> None:
    await chain.inflict({"fault": "contract-paused", "contract": "SMUSD"})
    assert await flaws(light) == []


@pytest.mark.parametrize("contract", FOUR)
async def test_a_missing_role_is_named_with_its_mend(chain: Chain, light: PauseReadiness, contract: str) -> None:
    await chain.inflict({"fault": "role-missing", "contract": contract})
    role = "EMERGENCY_ROLE" if contract == "BLE_BRIDGE" else "PAUSER_ROLE"
    [flaw] = (await light.readiness()).flaws
    assert flaw.text == f"{contract}: the pausing key {chain.pauser} lacks {role}."
    assert flaw.mend == f"An admin grants it: grantRole({role}, {chain.pauser}) on {chain.contracts[contract]}."


async def test_too_little_ether_is_told_with_what_four_pauses_can_take(chain: Chain, light: PauseReadiness) -> None:
    await chain.inflict({"fault": "no-balance"})
    said = (await flaws(light))[0]
    assert said == f"The pausing key {chain.pauser} has 0.0000 ETH; 4 pauses can take 0.2400 ETH."


async def test_somebody_elses_waiting_transaction_is_told(chain: Chain, light: PauseReadiness) -> None:
    await chain.inflict({"fault": "foreign-nonce"})
    assert await flaws(light) == [
        "1 transaction(s) of the pausing key wait unmined: a pause would have to go around them."
    ]


async def test_another_code_than_at_the_start_is_told(chain: Chain, light: PauseReadiness) -> None:
    await light.readiness()
    before = await chain.rpc("eth_getCode", chain.contracts["SMUSD"], "latest")
    await chain.rpc("anvil_setCode", chain.contracts["SMUSD"], before + "00")
    said = await flaws(light)
    await chain.rpc("anvil_setCode", chain.contracts["SMUSD"], before)
    assert said == [f"SMUSD: its code at {chain.contracts['SMUSD']} is not what it was when the bot started."]


async def test_an_address_without_a_contract_is_told(chain: Chain, rpcs: Rpcs) -> None:
    astray = PauseReadiness(rpcs, {"SMUSD": address(RELAYER)}, chain.pauser, calls={}, max_fee_gwei=500)
    assert await flaws(astray) == [f"SMUSD: there is no contract at {address(RELAYER)}."]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"fault": "rpc-down"}, "the connection was closed before the answer."),
        ({"fault": "rpc-wrong-chain"}, "not on chain 31337, so it is not believed."),
        ({"fault": "rpc-stale", "blocks": 20}, "is 20 blocks behind the others."),
    ],
)
async def test_an_rpc_of_no_use_is_told_while_the_other_answers(
    chain: Chain, light: PauseReadiness, fault: dict[str, object], words: str
) -> None:
    await chain.inflict(fault | {"which": "A"})
    [said] = await flaws(light)
    assert said.endswith(words)


async def test_a_key_that_could_not_sign_is_told_before_an_incident(chain: Chain, rpcs: Rpcs) -> None:
    async def disabled() -> None:
        raise UnavailableError("KMS key alias/musd-pauser is disabled.", next_step="Enable it.")

    contracts = {name: chain.contracts[name] for name in FOUR}
    light = PauseReadiness(rpcs, contracts, chain.pauser, calls={}, max_fee_gwei=500, check=disabled)
    assert (await light.readiness()).flaws == (Flaw("KMS key alias/musd-pauser is disabled.", "Enable it."),)


async def test_rpcs_that_disagree_are_told_with_what_each_says(chain: Chain, light: PauseReadiness) -> None:
    await chain.inflict({"fault": "rpc-lying-paused", "which": "A"})
    said = (await flaws(light))[0]
    assert said.startswith("BORROW_MODULE: the RPCs disagree: RPC A (127.0.0.1:")
    assert "says paused" in said
    assert "says not paused" in said


async def test_no_rpc_is_no_answer(chain: Chain, light: PauseReadiness) -> None:
    for which in ("A", "B"):
        await chain.inflict({"fault": "rpc-down", "which": which})
    with pytest.raises(UnavailableError, match="No Ethereum RPC answered"):
        await light.readiness()
