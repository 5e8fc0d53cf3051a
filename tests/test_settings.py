"""The settings that name contracts, their pause calls, and parts of the pause."""

import pytest
from pydantic import ValidationError

from bot.settings import Settings

ADDRESS = "0x" + "12" * 20
NEEDED = {
    "slack_bot_token": "xoxb-1",
    "slack_app_token": "xapp-1",
    "alertmanager_token": "token",
    "rpc_urls": "http://127.0.0.1:8545",
    "chain_id": 1,
    "borrow_module": ADDRESS,
    "direct_mint": ADDRESS,
}


def settings(**more: object) -> Settings:
    return Settings(**(NEEDED | more))  # type: ignore[arg-type]  # texts, as from a file


def test_the_sets_are_the_runbooks_and_name_only_what_has_an_address() -> None:
    expected = {
        "mints": ("DIRECT_MINT",),
        "staking": (),
        "borrowing": ("BORROW_MODULE",),
        "bridge": (),
        "all": ("BORROW_MODULE", "DIRECT_MINT"),
    }
    assert settings().sets == expected


def test_another_contract_is_paused_by_its_own_call_in_its_place() -> None:
    engine = "LIQUIDATION_ENGINE"
    made = settings(
        other_contracts=f"{engine}={ADDRESS}",
        pause_contracts=f"{engine},DIRECT_MINT",
        pause_calls=f"{engine}=emergencyStop()",
        pause_sets=f"mints={engine}+DIRECT_MINT",
    )
    assert made.pausable == (engine, "DIRECT_MINT")
    assert made.sets["mints"] == (engine, "DIRECT_MINT")
    assert made.calls == {engine: "emergencyStop()"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"other_contracts": "LIQUIDATION_ENGINE=0x12"}, "LIQUIDATION_ENGINE has no address"),
        ({"pause_calls": "SMUSD=pause(address)"}, "no call without arguments"),
        ({"pause_sets": "mints=MUSD"}, "mints names MUSD, not in the pause"),
    ],
)
def test_a_contract_that_could_not_be_paused_so_is_refused_at_start(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**wrong)
