"""Slack on its bad days: what was to be said is said once, however late, and the page goes out all the same."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written

_number = iter(range(1000))
CUT = {"seconds": 0.3}
"""A connection that is cut soon, lest the tests wait for the client's patience."""


@pytest.fixture
def name() -> str:
    """An alert's name that nobody has used."""
    return f"Gloomy{next(_number)}"


def paged(practice: Practice, name: str) -> bool:
    """Whether somebody's telephone rings about this."""
    return any(name in page["payload"]["summary"] for page in practice.pages())


def cards(practice: Practice, name: str) -> list[dict[str, Any]]:
    """The first messages of incidents about this, wherever they are."""
    channels = [channel["name"] for channel in practice.channels(f"-{name.lower()}-")] or ["musd-alerts"]
    messages = [message for channel in channels for message in practice.messages(channel)]
    return [m for m in messages if any(b["label"] == "Pause protocol…" for b in m["buttons"]) and name in written(m)]


def settled(practice: Practice, name: str, seconds: float = 90) -> None:
    """Everything that the incident's opening says has been said."""
    until(
        lambda: any("Checklist" in practice.said(one["name"]) for one in practice.channels(f"-{name.lower()}-")),
        seconds,
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"error": "ratelimited", "retry_after": 1, "times": 3},
        {"error": "http_500", "times": 2},
        {"error": "service_unavailable", "times": 2},
        {"error": "timeout", "times": 2, **CUT},
        {"error": "lost", "times": 2, **CUT},
    ],
    ids=lambda fault: fault["error"],
)
def test_messages_that_slack_did_not_take_at_once_are_there_once(
    practice: Practice, name: str, fault: dict[str, Any]
) -> None:
    practice.post("/faults", target="slack", method="chat.postMessage", **fault)
    practice.alert(firing(name))

    until(lambda: paged(practice, name))
    settled(practice, name)

    assert len(cards(practice, name)) == 1
    (channel,) = practice.channels(f"-{name.lower()}-")
    texts = [written(m) for m in practice.messages(channel["name"]) if m["user"] == "musd-bot"]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("error", ["timeout", "lost", "http_500", "ratelimited"])
def test_a_channel_whose_making_failed_is_made_once(practice: Practice, name: str, error: str) -> None:
    practice.post("/faults", target="slack", method="conversations.create", error=error, times=1, retry_after=1, **CUT)
    practice.alert(firing(name))

    settled(practice, name)

    assert len(practice.channels(f"-{name.lower()}-")) == 1


def test_while_slack_is_away_the_page_goes_out_and_afterwards_all_is_said(practice: Practice, name: str) -> None:
    for method in ("chat.postMessage", "chat.update", "conversations.create", "conversations.invite"):
        practice.post("/faults", target="slack", method=method, error="service_unavailable")
    practice.alert(firing(name))
    until(lambda: paged(practice, name))
    assert cards(practice, name) == []

    practice.mend()

    until(lambda: cards(practice, name))
    assert len(cards(practice, name)) == 1


def test_edits_that_fail_leave_the_last_word_standing(practice: Practice, name: str) -> None:
    practice.alert(firing(name))
    channel = practice.incident(name.lower())
    settled(practice, name)
    practice.post("/faults", target="slack", method="chat.update", error="http_500", times=2)

    assert practice.command("responder-1", "incident ack", channel)["ok"]

    assert until(lambda: "ACKNOWLEDGED" in written(practice.messages(channel)[0]))


@pytest.mark.parametrize("fault", ["disconnect", "drop"])
def test_commands_are_heard_again_after_a_lost_socket(practice: Practice, fault: str) -> None:
    practice.break_("slack", fault)

    assert until(_answered(practice))


def test_an_event_that_comes_twice_is_one_entry(practice: Practice, name: str) -> None:
    practice.alert(firing(name))
    channel = practice.incident(name.lower())
    practice.post("/person/say", user="responder-1", channel=channel, text="the pod restarts every minute")
    said = next(m for m in practice.messages(channel) if m["text"] == "the pod restarts every minute")
    practice.break_("slack", "redeliver", count=4)
    practice.post("/person/react", user="responder-1", channel=channel, ts=said["ts"], name="memo")
    practice.break_("slack", "rename-channel", channel=channel, name=f"{channel[:60]}-x")
    here = f"{channel[:60]}-x"

    def timeline() -> str | None:
        practice.command("guardian-1", "timeline", here)
        told = [written(m) for m in practice.messages(here, "guardian-1") if m["ephemeral_to"]]
        text = told[-1] if told else ""
        return text if "Channel renamed" in text and "restarts every minute" in text else None

    text = until(timeline)

    assert text.count("Channel renamed") == 1
    assert text.count("the pod restarts every minute") == 1


def test_a_press_that_comes_twice_counts_once(practice: Practice) -> None:
    """Slack shows a slow button as failed, so people press it again."""
    channel, proposal = practice.propose_pause()

    presses = [practice.press("responder-1", proposal, "Decline", channel) for _ in range(2)]

    assert all(one["ok"] for one in presses)


def _answered(practice: Practice) -> Callable[[], bool]:
    return lambda: bool(practice.command("responder-1", "help")["ok"])
