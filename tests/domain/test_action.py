"""The register of actions refuses what nobody thought about."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.actions.pause import EmergencyPause
from bot.domain.action import Action, Offer, Outcome, Receipt, StepResult, load
from bot.domain.policy import Policy, Role
from bot.errors import RefusedError

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def test_an_action_without_a_policy_row_is_refused() -> None:
    with pytest.raises(TypeError, match="without a policy"):
        type("Unpoliced", (Action,), {"kind": "test-unpoliced"})


def test_an_action_can_not_inherit_a_policy() -> None:
    with pytest.raises(TypeError, match="without a policy"):
        type("Heir", (EmergencyPause,), {"kind": "test-heir"})


def test_two_actions_can_not_share_a_kind() -> None:
    with pytest.raises(TypeError, match="belongs to EmergencyPause"):
        type("Impostor", (Action,), {"kind": "pause", "policy": EmergencyPause.policy})


def test_an_action_is_stored_as_kind_and_fields() -> None:
    pause = EmergencyPause(contracts=("SMUSD", "DIRECT_MINT"))

    assert load(pause.dump()) == pause


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RefusedError, match="not known to this version"):
        load({"kind": "from-the-future", "fields": {}})


def test_an_offer_of_the_same_is_the_same_offer() -> None:
    pause = EmergencyPause(contracts=("SMUSD",))

    assert Offer.of(pause, "i1").id == Offer.of(pause, "i1").id
    assert Offer.of(pause, "i1").id != Offer.of(pause, "i2").id


@pytest.mark.parametrize(
    "looser",
    [
        {"propose": Role.RESPONDER},
        {"approve": Role.RESPONDER},
        {"approvals": 1},
        {"proposer_counts": True},
        {"lives": timedelta(hours=1)},
    ],
)
def test_each_way_to_be_looser_is_looser(looser: dict[str, object]) -> None:
    strict = Policy(
        propose=Role.OPERATOR, approve=Role.ADMIN, approvals=2, proposer_counts=False, lives=timedelta(minutes=30)
    )

    assert strict.at_least_as_strict_as(strict)
    assert not strict.model_copy(update=looser).at_least_as_strict_as(strict)


@pytest.mark.parametrize(
    ("outcomes", "complete"),
    [
        ([Outcome.DONE, Outcome.SKIPPED], True),
        ([Outcome.DONE, Outcome.FAILED], False),
        ([Outcome.DONE, Outcome.UNKNOWN], False),
    ],
)
def test_a_receipt_is_complete_when_nothing_is_open(outcomes: list[Outcome], complete: bool) -> None:
    steps = tuple(StepResult(name="x", outcome=outcome, text="") for outcome in outcomes)

    assert Receipt(steps=steps, finished_at=NOW).complete is complete
