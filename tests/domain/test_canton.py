"""What goes with what on Canton, and what a motion says."""

from decimal import Decimal

import pytest

from bot.domain.canton import SERVICES, Motion, Purpose, counterparts, read_motion, short

EVERYTHING = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE")


@pytest.mark.parametrize(
    ("contracts", "names"),
    [
        (EVERYTHING, [short(one) for one in SERVICES]),
        (("DIRECT_MINT",), ["CantonDirectMintService"]),
        (("SMUSD",), ["CantonStakingService"]),
        (("BLE_BRIDGE",), []),
    ],
)
def test_a_partial_pause_names_its_counterparts(contracts: tuple[str, ...], names: list[str]) -> None:
    assert [short(one) for one in counterparts(contracts, EVERYTHING, SERVICES)] == names


def test_a_motion_is_read_back_from_its_payload() -> None:
    motion = Motion(purpose=Purpose.PRICE, symbol="CTN", price=Decimal("0.17"))
    assert read_motion(motion.payload("k1"), motion.payload_hash("k1"), "k1") == motion


def test_a_payload_of_another_proposal_is_no_motion_of_this_one() -> None:
    motion = Motion(purpose=Purpose.PRICE, symbol="CTN", price=Decimal("0.17"))
    assert read_motion(motion.payload("k1"), motion.payload_hash("k1"), "k2") is None


def test_a_payload_that_its_hash_does_not_fit_is_no_motion() -> None:
    motion = Motion(purpose=Purpose.PAUSE, services=SERVICES)
    assert read_motion(motion.payload("k1"), "0" * 64, "k1") is None


@pytest.mark.parametrize("payload", ["", "[]", "7", '{"pause": true}', '{"id": "k1", "purpose": "dance"}'])
def test_any_other_payload_is_no_motion(payload: str) -> None:
    assert read_motion(payload, "0" * 64, "k1") is None


def test_a_pause_and_an_unpause_of_the_same_never_share_a_hash() -> None:
    hashes = {Motion(purpose=one, services=SERVICES).payload_hash("k1") for one in (Purpose.PAUSE, Purpose.UNPAUSE)}
    assert len(hashes) == 2
