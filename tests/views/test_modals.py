from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.actions.pause import STOPS
from bot.drill.workspace.blocks import check_view
from bot.views import ids, loading_modal, message_modal, pause_modal
from tests.views.hostile import HOSTILE

CONTRACTS = [(setting, *words) for setting, words in STOPS.items()]


def element(view: dict[str, Any], block_id: str) -> dict[str, Any]:
    return next(block["element"] for block in view["blocks"] if block.get("block_id") == block_id)


@pytest.mark.parametrize(
    "view",
    [pause_modal("offer-1", CONTRACTS), loading_modal(), message_modal("Refused", "No role.")],
    ids=["pause", "loading", "message"],
)
def test_slack_takes_every_modal(view: dict[str, Any]) -> None:
    View(**view).validate_json()
    check_view(view, ("modal",))


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{place:02}" for place in range(len(HOSTILE))])
def test_slack_takes_a_modal_whatever_is_in_it(text: str) -> None:
    check_view(pause_modal("offer-1", CONTRACTS, reason=text), ("modal",))
    check_view(message_modal("Refused", text), ("modal",))


def test_all_contracts_are_ticked_and_say_what_their_pause_stops() -> None:
    boxes = element(pause_modal("offer-1", CONTRACTS), ids.CONTRACTS)

    assert boxes["initial_options"] == boxes["options"]
    assert [(one["value"], one["text"]["text"], one["description"]["text"]) for one in boxes["options"]] == CONTRACTS
    assert "repaying" in boxes["options"][0]["description"]["text"]


def test_only_those_preselected_are_ticked() -> None:
    boxes = element(pause_modal("offer-1", CONTRACTS, ["SMUSD"]), ids.CONTRACTS)

    assert [one["value"] for one in boxes["initial_options"]] == ["SMUSD"]


def test_nothing_preselected_is_nothing_ticked() -> None:
    assert "initial_options" not in element(pause_modal("offer-1", CONTRACTS, []), ids.CONTRACTS)


def test_the_modal_carries_the_offer_and_nothing_else() -> None:
    view = pause_modal("offer-1", CONTRACTS)

    assert (view["callback_id"], view["private_metadata"]) == (ids.PAUSE_SUBMIT, "offer-1")


def test_a_reason_that_is_there_already_is_kept() -> None:
    assert element(pause_modal("offer-1", CONTRACTS, reason=" price off "), ids.REASON)["initial_value"] == "price off"
