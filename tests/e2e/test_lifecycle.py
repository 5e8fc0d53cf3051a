"""An incident's life as people live it: buttons, modals, commands, shortcuts, and what happens to its channel."""

from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written

_number = iter(range(1000))


@pytest.fixture
def channel(practice: Practice) -> str:
    """The channel of a fresh incident that nobody has touched."""
    name = f"LifeOf{next(_number)}"
    practice.alert(firing(name))
    return practice.incident(name.lower())


def first(practice: Practice, channel: str) -> dict[str, Any]:
    """The incident's first message, as it stands."""
    return practice.messages(channel)[0]


def labels(practice: Practice, channel: str) -> list[str]:
    """The buttons of the first message."""
    return [button["label"] for button in first(practice, channel)["buttons"]]


def press(practice: Practice, channel: str, label: str, user: str = "responder-1") -> None:
    """Somebody presses a button of the first message."""
    assert practice.press(user, first(practice, channel), label, channel)["ok"]


def submit(practice: Practice, user: str, **values: str) -> Any:
    """Somebody fills in the modal that has just opened."""
    view = practice.modal(user)
    return practice.post("/person/submit", user=user, view_id=view["id"], values=values)


def heard(practice: Practice, channel: str, user: str, words: str) -> bool:
    """Whether only this person was told."""
    return any(words in written(m) for m in practice.messages(channel, user) if m["ephemeral_to"])


def tells(practice: Practice, channel: str, user: str, words: str) -> None:
    """This person is told, and nobody else."""
    until(lambda: heard(practice, channel, user, words))


def resolve(practice: Practice, channel: str) -> None:
    """Over, by command."""
    assert practice.command("responder-1", "incident resolve the disk was cleared", channel)["ok"]
    until(lambda: "RESOLVED" in written(first(practice, channel)))


def test_whoever_acknowledges_leads(practice: Practice, channel: str) -> None:
    press(practice, channel, "Acknowledge")

    text = until(lambda: one if "ACKNOWLEDGED" in (one := written(first(practice, channel))) else None)

    assert "lead" in text
    assert "Acknowledge" not in labels(practice, channel)


def test_a_second_acknowledgement_is_refused_with_the_reason(practice: Practice, channel: str) -> None:
    assert practice.command("responder-1", "incident ack", channel)["ok"]
    until(lambda: "ACKNOWLEDGED" in written(first(practice, channel)))

    assert practice.command("operator-1", "incident ack", channel)["ok"]

    tells(practice, channel, "operator-1", "acknowledged already")


def test_an_outsider_changes_nothing(practice: Practice, channel: str) -> None:
    practice.post("/person/join", user="outsider", channel=channel)
    press(practice, channel, "Acknowledge", "outsider")

    tells(practice, channel, "outsider", "that takes a responder")
    assert "Acknowledge" in labels(practice, channel)


def test_severity_goes_down_and_the_topic_says_so(practice: Practice, channel: str) -> None:
    press(practice, channel, "Make it MEDIUM")

    assert until(lambda: "MEDIUM" in written(first(practice, channel)))
    assert until(lambda: "medium" in practice.channels(channel)[0]["topic"])


def test_the_lead_is_handed_over_by_command(practice: Practice, channel: str) -> None:
    assert practice.command("responder-1", "incident lead @operator-1", channel)["ok"]

    assert until(lambda: "lead" in written(first(practice, channel)))


def test_resolving_takes_a_reason_and_offers_the_way_back(practice: Practice, channel: str) -> None:
    press(practice, channel, "Resolve…")
    assert submit(practice, "responder-1", reason="the disk was cleared")["ok"]

    until(lambda: "RESOLVED" in written(first(practice, channel)))

    assert "the disk was cleared" in written(first(practice, channel))
    assert {"Reopen…", "Close", "Post-mortem"} <= set(labels(practice, channel))
    assert any(page["dedup_key"].startswith("musd-") for page in until(lambda: practice.pages("resolve")))


def test_what_is_resolved_can_be_reopened_and_pages_again(practice: Practice, channel: str) -> None:
    resolve(practice, channel)
    press(practice, channel, "Reopen…")
    assert submit(practice, "responder-1", reason="it is full again")["ok"]

    until(lambda: "RESOLVED" not in written(first(practice, channel)))

    assert "Resolve…" in labels(practice, channel)


def test_an_open_incident_can_t_be_closed(practice: Practice, channel: str) -> None:
    assert practice.command("responder-1", "incident close", channel)["ok"]

    tells(practice, channel, "responder-1", "Resolve it first")


def test_closed_and_then_archived(practice: Practice, channel: str) -> None:
    resolve(practice, channel)
    press(practice, channel, "Close")
    until(lambda: "Archive channel" in labels(practice, channel))
    press(practice, channel, "Archive channel")

    assert until(lambda: practice.channels(channel)[0]["is_archived"])


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("incident frobnicate", "There is no `/musd incident frobnicate`"),
        ("incident severity purple", "is no severity"),
        ("incident resolve", "Resolving takes a reason"),
        ("note", "A note needs words"),
        ("postmortem done", "still open"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    practice: Practice, channel: str, typed: str, answer: str
) -> None:
    assert practice.command("responder-1", typed, channel)["ok"]

    tells(practice, channel, "responder-1", answer)


def test_a_step_outside_an_incident_s_channel_is_refused(practice: Practice) -> None:
    assert practice.command("responder-1", "incident resolve because", "general")["ok"]

    tells(practice, "general", "responder-1", "not an incident's channel")


def test_an_incident_opened_by_command_has_its_severity_and_no_page(practice: Practice) -> None:
    pages = len(practice.pages())
    assert practice.command("responder-1", "incident open medium The dashboard is wrong", "general")["ok"]

    channel = practice.incident("the-dashboard-is-wrong")

    assert "MEDIUM" in written(first(practice, channel))
    assert len(practice.pages()) == pages


def test_an_incident_opened_about_a_message_points_at_it(practice: Practice) -> None:
    practice.post("/person/say", user="responder-1", channel="general", text="the faucet leaks mUSD")
    ts = practice.messages("general")[-1]["ts"]
    where = {"user": "responder-1", "channel": "general", "ts": ts}
    practice.post("/person/shortcut", callback_id="incident_open", **where)
    assert submit(practice, "responder-1")["ok"]

    channel = practice.incident("the-faucet-leaks-musd")
    assert practice.command("responder-1", "timeline", channel)["ok"]

    tells(practice, channel, "responder-1", "Opened by hand: the faucet leaks mUSD")


def test_notes_marked_messages_and_people_are_on_the_timeline_in_order(practice: Practice, channel: str) -> None:
    assert practice.command("responder-1", "note the fix is on staging", channel)["ok"]
    tells(practice, channel, "responder-1", "On the timeline.")
    practice.post("/person/say", user="responder-1", channel=channel, text="I see it in the logs")
    said = practice.messages(channel)[-1]
    practice.post("/person/react", user="responder-1", channel=channel, ts=said["ts"], name="memo")
    practice.post("/person/react", user="operator-1", channel=channel, ts=said["ts"], name="memo")

    def shown() -> str | None:
        practice.command("guardian-1", "timeline", channel)
        texts = [written(m) for m in practice.messages(channel, "guardian-1") if m["ephemeral_to"]]
        return texts[-1] if texts and "I see it in the logs" in texts[-1] else None

    text = until(shown)

    assert text.index("the fix is on staging") < text.index("I see it in the logs")
    assert text.count("I see it in the logs") == 1


def test_the_checklist_ticks_itself_where_the_bot_saw_it(practice: Practice, channel: str) -> None:
    def ticked() -> str | None:
        text = next((written(m) for m in practice.messages(channel) if "Checklist" in written(m)), "")
        return text if "☑ ~Collect logs" in text else None

    text = until(ticked)

    assert "☑ ~Notify the on-call engineer via PagerDuty~" in text
    assert "☑ ~Open an incident channel in Slack~" in text
    assert "☐ Identify the root cause" in text


def test_people_tick_and_take_it_back_but_not_what_the_bot_saw(practice: Practice, channel: str) -> None:
    def checklist() -> Any:
        return next((m for m in practice.messages(channel) if "Checklist" in written(m)), None)

    message = until(checklist)
    action = {"user": "responder-1", "channel": channel, "ts": message["ts"], "action_id": "checklist:cause"}
    practice.post("/person/press", **action)
    until(lambda: "☑ ~Identify the root cause~" in written(checklist()))
    practice.post("/person/press", **action)

    assert until(lambda: "☐ Identify the root cause" in written(checklist()))
    assert not any(button["action_id"] == "checklist:page" for button in checklist()["buttons"])


def test_a_post_mortem_is_drafted_edited_and_done(practice: Practice, channel: str) -> None:
    resolve(practice, channel)
    assert practice.command("responder-1", "postmortem", channel)["ok"]
    message = until(lambda: practice.with_button(channel, "Edit…"))
    assert practice.press("responder-1", message, "Edit…", channel)["ok"]
    assert submit(practice, "responder-1", cause="a log that nobody rotated")["ok"]
    files = until(lambda: [f for f in practice.get("/person/files") if f["name"].endswith("-2.md")])
    message = practice.with_button(channel, "Edit…")
    label = next(b["label"] for b in message["buttons"] if "done" in b["label"].lower())
    assert practice.press("responder-1", message, label, channel)["ok"]

    until(lambda: "Edit…" not in str(practice.messages(channel)) or "done" in practice.said(channel))
    assert files[0]["size"] > 500


def test_a_renamed_channel_is_noted(practice: Practice, channel: str) -> None:
    practice.break_("slack", "rename-channel", channel=channel, name=f"{channel[:60]}-renamed")

    def noted() -> bool:
        practice.command("guardian-1", "timeline", f"{channel[:60]}-renamed")
        return heard(practice, f"{channel[:60]}-renamed", "guardian-1", "Channel renamed")

    assert until(noted)


def test_an_archived_channel_comes_back_while_its_incident_lives(practice: Practice, channel: str) -> None:
    practice.break_("slack", "archive-channel", channel=channel)

    assert until(lambda: not practice.channels(channel)[0]["is_archived"])
    assert until(lambda: "while its incident lives" in practice.said(channel))


def test_a_deleted_channel_falls_back_to_the_alerts_channel(practice: Practice, channel: str) -> None:
    title = first(practice, channel)["text"]
    practice.break_("slack", "delete-channel", channel=channel)

    assert until(lambda: any(m["text"] == title for m in practice.messages("musd-alerts")))
