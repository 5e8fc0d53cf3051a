"""A scenario played to its end has a scorecard: on the page's door, and in the incident's thread."""

from collections.abc import Iterator

import pytest

from tests.world.practice import Practice, until, written


@pytest.fixture(autouse=True)
def _over(practice: Practice) -> Iterator[None]:
    yield
    practice.post("/scenarios", key="relay-down", action="mend")


def test_times_steps_and_what_was_missed(practice: Practice) -> None:
    practice.nothing_open("relay-down")
    before = len(practice.channels("-relay-down-"))
    practice.post("/scenarios", key="relay-down", action="start")
    channel = practice.incident("relay-down", after=before)
    card = until(lambda: practice.with_button(channel, "Acknowledge"))
    assert practice.press("responder-1", card, "Acknowledge", channel)["ok"]
    offer = until(lambda: practice.with_button(channel, "Restart musd-relay…"))
    assert practice.press("operator-1", offer, "Restart musd-relay…", channel)["ok"]
    view = practice.modal("operator-1")
    assert practice.post("/person/submit", user="operator-1", view_id=view["id"], values={"reason": "it crash-loops"})[
        "ok"
    ]
    proposal = until(lambda: practice.with_button(channel, "Approve"))
    assert practice.press("operator-1", proposal, "Approve", channel)["ok"]

    def scored() -> str:
        return next(one["scorecard"] for one in practice.get("/scenarios") if one["key"] == "relay-down")

    text = until(scored, 90)
    assert [word for word in ("Acknowledged: after", "Diagnosed: after", "Mitigated: after") if word not in text] == []
    assert "responder-1 pressed Acknowledge" in text
    assert "operator-1 pressed Approve" in text
    assert "Missed: nobody took the lead" in text
    assert until(lambda: any("Scorecard: The relay dies" in written(one) for one in practice.messages(channel)))
