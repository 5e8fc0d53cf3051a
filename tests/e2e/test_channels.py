"""What an incident's channel keeps and who sees it; what Slack sends twice happens once."""

from itertools import count

import pytest

from tests.world.practice import Practice, firing, until, written

_numbers = count()


@pytest.fixture
def channel(practice: Practice) -> str:
    """The channel of a fresh incident."""
    name = f"ChannelOf{next(_numbers)}"
    practice.alert(firing(name))
    return practice.incident(name.lower())


def timeline(practice: Practice, channel: str) -> str:
    """The newest page, as guardian-2 is shown it."""
    known = {one["ts"] for one in practice.messages(channel, "guardian-2")}
    practice.command("guardian-2", "timeline", channel)
    fresh = until(
        lambda: [
            m for m in practice.messages(channel, "guardian-2") if m["ts"] not in known and "Timeline of" in written(m)
        ]
    )
    return written(fresh[-1])


def test_a_confidential_runbook_opens_a_private_channel(practice: Practice) -> None:
    practice.alert(firing("SupplyCapBreached"))
    channel = practice.incident("supply-cap")

    assert practice.channels(channel)[0]["is_private"]
    until(lambda: "A confidential incident was opened" in practice.said("musd-alerts"))
    card = practice.messages(channel)[0]
    assert practice.press("outsider", card, "Acknowledge", channel)["error"] == "not_in_channel"
    until(lambda: practice.command("responder-1", "incident resolve the drill goes on", channel)["ok"])


def test_a_marked_message_keeps_its_address(practice: Practice, channel: str) -> None:
    practice.post("/person/say", user="responder-1", channel=channel, text="the disk is at 98 %")
    said = practice.messages(channel)[-1]
    where = {"user": "responder-1", "channel": channel, "ts": said["ts"]}
    practice.post("/person/shortcut", callback_id="timeline_add", **where)

    until(lambda: "the disk is at 98 %" in timeline(practice, channel))

    assert f"/p{said['ts'].replace('.', '')}|message>" in timeline(practice, channel)


def test_an_event_that_comes_twice_is_one_entry(practice: Practice, channel: str) -> None:
    practice.break_("slack", "redeliver", count=2)
    practice.post("/person/join", user="outsider", channel=channel)

    until(lambda: "<@U0OUTSI0001>: Joined" in timeline(practice, channel))

    assert timeline(practice, channel).count("<@U0OUTSI0001>: Joined") == 1


def test_the_timeline_and_the_logs_are_a_press_away(practice: Practice, channel: str) -> None:
    checklist = until(lambda: practice.with_button(channel, "Collect logs"))
    before = len(practice.get("/person/files"))

    assert practice.press("responder-1", checklist, "Collect logs", channel)["ok"]
    assert practice.press("responder-1", checklist, "Timeline", channel)["ok"]

    until(lambda: len(practice.get("/person/files")) > before)
    until(lambda: any("Timeline of" in written(m) for m in practice.messages(channel, "responder-1")))
    assert "Incident Response Checklist" in practice.said(channel)


def test_a_verdict_s_severity_is_taken_by_a_press(practice: Practice) -> None:
    practice.break_("world", "validator-down", count=1)
    practice.alert(firing("ValidatorServiceDown"))
    channel = practice.incident("validator-down")
    label = "Make it MEDIUM, as proposed"
    verdict = until(lambda: practice.with_button(channel, label))

    assert practice.press("responder-1", verdict, label, channel)["ok"]

    until(lambda: "🟡 MEDIUM · Validator Down" in practice.said(channel))
    practice.command("responder-1", "incident resolve the drill goes on", channel)
