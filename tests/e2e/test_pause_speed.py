"""From the confirming press to four transactions in the node's pool, and in one block, in order: twenty times over."""

import time
from collections.abc import Iterator

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from bot.drill.chain.accounts import ADMIN, address
from tests.world.practice import PAUSABLE, Practice, until, written

pytestmark = pytest.mark.alone
ROUNDS = 20
P95 = 0.5
"""Seconds from the press to the pool, with a keystore key already unlocked."""
_PRACTICE_UNPAUSE = function_signature_to_4byte_selector("practiceUnpause()").hex()


@pytest.fixture(scope="module")
def fresh() -> Iterator[Practice]:
    """A world of its own: its blocks are made by the test alone, and few announcements make the next pause wait."""
    unsaid = ("announce_channel=", "discord_webhook_url=", "statuspage_page_id=")
    running = Practice(*(word for one in ("readiness_every=600", *unsaid) for word in ("--set", one)))
    yield running
    running.stop()


def test_twenty_of_twenty_presses_land_in_one_block_in_order_within_half_a_second_of_the_pool(fresh: Practice) -> None:
    took = []
    for number in range(1, ROUNDS + 1):
        channel, proposal = fresh.propose_pause()
        fresh.break_("chain", "automine-off")
        began = time.monotonic()
        assert fresh.press("guardian-1", proposal, "Confirm", channel)["ok"]
        until(lambda: fresh.rpc("txpool_status")["pending"] == "0x4")
        took.append(time.monotonic() - began)
        fresh.rpc("evm_mine")
        block = fresh.rpc("eth_getBlockByNumber", "latest", True)
        targets = [one["to"] for one in block["transactions"]]
        assert targets == [fresh.world["contracts"][name].lower() for name in PAUSABLE]
        assert [fresh.paused(contract) for contract in PAUSABLE] == [True] * 4
        finish(fresh, number)
    assert sorted(took)[ROUNDS * 95 // 100 - 1] < P95


def finish(practice: Practice, number: int) -> None:
    """Wait until this many pauses are final, so that the bot looks at them no more, and take them back."""

    def final() -> bool:
        practice.rpc("evm_mine")
        return sum("Final: none of these" in written(one) for one in practice.messages("musd-alerts")) == number

    until(final)
    practice.mend()
    for contract in PAUSABLE:
        call = {"from": address(ADMIN), "to": practice.world["contracts"][contract], "data": f"0x{_PRACTICE_UNPAUSE}"}
        practice.rpc("eth_sendTransaction", call)
    until(lambda: not any(practice.paused(contract) for contract in PAUSABLE))
