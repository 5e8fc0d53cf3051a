"""A pause ends with every announcement drafted; each is published once approved; the all-clear takes them back."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.world.practice import Practice, until, written

DRAFTS = {"Slack", "Discord", "the status page", "X"}
CHANNEL = "musd-alerts"


@pytest.fixture(scope="module")
def paused() -> Iterator[Practice]:
    """A world of its own, whose protocol somebody has just paused."""
    practice = Practice()
    practice.break_("announcements", "discord-down")
    channel, proposal = practice.propose_pause()
    practice.press("guardian-1", proposal, "Confirm", channel)
    yield practice
    practice.stop()


def draft(practice: Practice, occasion: str, where: str) -> Any:
    """The draft for one place, as long as it can be approved."""
    return practice.proposal(CHANNEL, f"Announce the {occasion} on {where}")


def told(practice: Practice, path: str) -> list[Any]:
    """What was published, by the path it came to."""
    seen = practice.get("/seen/announcements")
    return [one for one in seen if path in one["path"] and one["status"] < 300 and one["method"] != "GET"]


def approve(practice: Practice, occasion: str, where: str) -> None:
    message = until(lambda: draft(practice, occasion, where))
    assert practice.press("operator-1", message, "Approve", CHANNEL)["ok"]


def test_the_whole_story(paused: Practice) -> None:
    """One story, since each part stands on the one before."""
    for where in DRAFTS:
        until(lambda where=where: draft(paused, "pause", where))
    public = [written(draft(paused, "pause", where)) for where in DRAFTS - {"Slack"}]
    assert all("security review" in text.partition("What is published")[2].partition("Who may")[0] for text in public)
    assert all("drains the bridge" not in text.partition("What is published")[2] for text in public)

    # Edited before it is approved: the first text is never published.
    first = draft(paused, "pause", "Discord")
    paused.press("responder-1", first, "Edit…", CHANNEL)
    view = paused.modal("responder-1")
    words = {"text": "EMERGENCY PAUSE ACTIVATED — we look into the bridge"}
    assert paused.post("/person/submit", user="responder-1", view_id=view["id"], values=words)["ok"]
    until(lambda: (found := draft(paused, "pause", "Discord")) and found["ts"] != first["ts"])

    # Discord is down: it waits, and holds up nobody.
    for where in ("Discord", "Slack", "the status page", "X"):
        approve(paused, "pause", where)
    assert until(lambda: "<!channel> EMERGENCY PAUSE ACTIVATED — an attacker drains" in paused.said(CHANNEL))
    assert until(lambda: told(paused, "/incidents"))
    link = until(lambda: next((m for m in paused.messages(CHANNEL) if "Open the filled-in post" in written(m)), None))
    assert "https://x.com/intent/post?text=Protocol%20temporarily" in str(link["blocks"])
    assert told(paused, "/discord/") == []
    paused.mend()
    until(lambda: told(paused, "/discord/"))

    paused.command("guardian-1", "announce all-clear")
    for where in DRAFTS:
        approve(paused, "all-clear", where)
    until(lambda: "All clear: the emergency pause is over" in paused.said(CHANNEL))
    until(lambda: len(told(paused, "/discord/")) == 2)
    ended = until(lambda: [one for one in told(paused, "/incidents/") if one["method"] == "PATCH"])
    assert ended[0]["body"]["incident"]["status"] == "resolved"

    assert told(paused, "/discord/")[0]["body"]["content"] == f"@everyone {words['text']}"
    assert len([one for one in told(paused, "/incidents") if one["method"] == "POST"]) == 1
    assert paused.said(CHANNEL).count("<!channel> EMERGENCY PAUSE ACTIVATED") == 2  # its text, and its one block
