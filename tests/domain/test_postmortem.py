"""The times of a post-mortem: from the opening on, and only what happened."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.action import Outcome
from bot.domain.postmortem import Record
from tests.views.cards import AT
from tests.views.duties import carried, record

MINUTE = timedelta(minutes=1)


def bare() -> Record:
    """An incident in which nothing was done yet."""
    full = record()
    ended = {"acknowledged_at": None, "resolved_at": None}
    return replace(full, incident=full.incident.model_copy(update=ended), actions=())


def test_times_count_from_the_opening() -> None:
    one = record()

    assert (one.to_acknowledge, one.to_mitigate, one.to_resolve) == (2 * MINUTE, 4 * MINUTE, 9 * MINUTE)


def test_what_did_not_happen_has_no_time() -> None:
    one = bare()

    assert (one.to_acknowledge, one.to_mitigate, one.to_resolve) == (None, None, None)


def test_an_action_that_was_not_completed_mitigated_nothing() -> None:
    assert replace(bare(), actions=[carried(Outcome.FAILED)]).to_mitigate is None


def test_the_first_action_that_was_completed_mitigated() -> None:
    actions = [carried(Outcome.DONE, AT + 6 * MINUTE), carried(Outcome.DONE, AT + 4 * MINUTE)]

    assert replace(bare(), actions=actions).to_mitigate == 4 * MINUTE
