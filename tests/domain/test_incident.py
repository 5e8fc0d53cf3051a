from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident import channel_name

DAY = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def test_a_channel_name_has_day_kind_and_a_bit_of_the_id() -> None:
    assert channel_name("relay-down", "0123456789abcdef", DAY) == "inc-20261124-relay-down-cdef"


def test_an_alerts_name_is_put_in_lower_case() -> None:
    assert channel_name("PVCNearlyFull", "0123456789abcdef", DAY) == "inc-20261124-pvcnearlyfull-cdef"


@given(slug=st.text(max_size=200))
def test_any_name_makes_a_channel_name_slack_takes(slug: str) -> None:
    name = channel_name(slug, "0123456789abcdef", DAY)

    assert len(name) <= 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
