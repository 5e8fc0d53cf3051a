"""App Home, and the reminder of an update with its modal."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written


@pytest.fixture(scope="module")
def hurried() -> Iterator[Practice]:
    """A world in which an update is due every few seconds."""
    running = Practice("--set", "update_every=6")
    yield running
    running.stop()


def home(practice: Practice, user: str) -> str:
    """What somebody's App Home says, once they have opened it."""
    return until(lambda: (view := practice.get("/person/home", user=user)) and written({"text": "", **view}))


def test_home_shows_what_goes_on_and_what_waits(practice: Practice) -> None:
    practice.alert(firing("HomeIsBusy"))
    channel = practice.incident("homeisbusy")
    practice.propose_pause(channel=channel)

    text = until(lambda: "HomeIsBusy" in (seen := home(practice, "guardian-1")) and seen)

    for words in ("The bot is ready", "Emergency pause:", "Pause BorrowModule", "Protocol Engineering", "#musd-infra"):
        assert words in text


def test_a_responder_has_no_vote_waiting_and_an_outsider_sees_nothing(practice: Practice) -> None:
    assert "Waiting for your approval: 0" in home(practice, "responder-1")
    assert "You have no role" in home(practice, "outsider")
    assert "Open incidents" not in home(practice, "outsider")


def test_homes_buttons_open_the_status_and_the_pause(practice: Practice) -> None:
    home(practice, "responder-1")
    view = practice.get("/person/home", user="responder-1")

    for label, title in (("Status", "Status"), ("Pause protocol…", "Pause protocol")):
        assert practice.post("/person/press", user="responder-1", view_id=view["id"], label=label)["ok"]
        until(lambda title=title: titled(practice, "responder-1", title))


def titled(practice: Practice, user: str, title: str) -> Any:
    return next((view for view in practice.views(user) if view["title"]["text"] == title), None)


def test_the_lead_is_asked_and_one_modal_posts_everywhere_chosen(hurried: Practice) -> None:
    hurried.alert(firing("UpdatePlease"))
    channel = hurried.incident("updateplease")
    asked = until(lambda: hurried.with_button(channel, "Post update…"))
    assert "<@U0" in asked["text"]

    hurried.press("responder-1", asked, "Post update…", channel)
    view = until(lambda: titled(hurried, "responder-1", "Post update"))
    values = {"text": "We have found the cause", "places": ["alerts", "discord"]}
    assert hurried.post("/person/submit", user="responder-1", view_id=view["id"], values=values)["ok"]

    until(lambda: "We have found the cause" in hurried.said(channel))
    until(lambda: "We have found the cause" in hurried.said("musd-alerts"))
    draft = until(lambda: hurried.proposal(channel, "Announce the update on Discord"))
    assert hurried.get("/seen/announcements") == []
    hurried.press("operator-1", draft, "Approve", channel)
    assert until(lambda: hurried.get("/seen/announcements"))[0]["body"]["content"] == "We have found the cause"
