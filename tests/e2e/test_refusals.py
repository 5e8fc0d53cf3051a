"""Whatever is refused is a row of the audit log, once, with its reason: also what was only a press or a modal."""

from typing import Any

import pytest

from tests.world.practice import Practice, firing, until

_number = iter(range(1000))


@pytest.fixture
def channel(practice: Practice) -> str:
    """The channel of a fresh incident."""
    name = f"Refusing{next(_number)}"
    practice.alert(firing(name))
    return practice.incident(name.lower())


def submit(practice: Practice, user: str, view: dict[str, Any], **values: Any) -> None:
    """Somebody submits a modal, and is shown why not."""
    assert practice.post("/person/submit", user=user, view_id=view["id"], values=values)["ok"]


def rows(practice: Practice, wanted: str, channel: str = "musd-audit") -> list[str]:
    """The refusals among the newest rows that `/musd audit` shows a guardian, in words."""
    known = {message["ts"] for message in practice.messages(channel, "guardian-2")}
    assert practice.command("guardian-2", f"audit {wanted}", channel)["ok"]
    shown = until(
        lambda: next(
            (m for m in practice.messages(channel, "guardian-2") if m["ts"] not in known and m["ephemeral_to"]), None
        )
    )
    texts = [block["text"]["text"] for block in shown["blocks"] if block["type"] == "section"]
    return [text for text in texts if "*refused*" in text]


def one_row(practice: Practice, wanted: str, words: str, channel: str = "musd-audit") -> str:
    """The one row that says this, once it is there; there is never a second one."""
    found = until(lambda: [row for row in rows(practice, wanted, channel) if words in row])
    assert len(found) == 1
    return found[0]


def test_a_press_for_want_of_a_role(practice: Practice, channel: str) -> None:
    practice.post("/person/join", user="outsider", channel=channel)
    practice.press("outsider", practice.messages(channel)[0], "Acknowledge", channel)

    assert "you have no role" in one_row(practice, "U0OUTSI0001 1", "change an incident")


def test_a_press_that_makes_no_sense(practice: Practice, channel: str) -> None:
    practice.post("/faults", target="slack", method="chat.update", error="edit_window_closed")
    for person in ("responder-1", "operator-1"):
        practice.press(person, practice.messages(channel)[0], "Acknowledge", channel)

    assert '"what": "incident:acknowledge"' in one_row(practice, "here", "acknowledged already", channel)


def test_a_modal_that_comes_too_late(practice: Practice, channel: str) -> None:
    views = {}
    for person in ("responder-1", "operator-1"):
        practice.press(person, practice.messages(channel)[0], "Resolve…", channel)
        views[person] = practice.modal(person)
    submit(practice, "responder-1", views["responder-1"], reason="the disk was cleared")

    submit(practice, "operator-1", views["operator-1"], reason="it was me")

    assert '"what": "incident:reason"' in one_row(practice, "here", "can't be resolved", channel)


def test_a_shortcut_on_a_message_of_no_incident(practice: Practice) -> None:
    said = practice.post("/person/say", user="operator-2", channel="general", text="the coffee is out")
    practice.post("/person/shortcut", user="operator-2", channel="general", ts=said["ts"], callback_id="timeline_add")

    assert "not an incident" in one_row(practice, "U0OPERA0002 1", "timeline_add")


def test_a_withdrawal_of_somebody_elses_proposal_and_a_vote_are_a_row_each(practice: Practice) -> None:
    channel, proposal = practice.propose_pause()
    practice.press("operator-2", proposal, "Withdraw", channel)
    practice.press("operator-2", proposal, "Confirm", channel)

    assert '"what": "withdraw"' in one_row(practice, "U0OPERA0002 2", "can withdraw it")
    assert '"choice": "approve"' in one_row(practice, "U0OPERA0002 2", "takes a guardian")


def test_what_comes_from_a_shared_channel(practice: Practice) -> None:
    practice.break_("slack", "shared-channel", channel="musd-security")
    assert practice.command("admin-2", "pause everythingg", "musd-security")["ok"]

    assert '"what": "pause everythingg"' in one_row(practice, "U0ADMIN0002 1", "shared with another")
