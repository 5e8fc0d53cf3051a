"""The checklist, the timeline, a deadline that passed, and the cards of the post-mortem."""

import pytest

from bot.domain.cards import TimelineCard
from bot.domain.checklist import CHECKLIST
from bot.views import Message, Redactor, ids, render
from tests.views import cards, duties
from tests.views.duties import GUARDIAN, LINK
from tests.views.test_cards import buttons, said, shown


def accessories(message: Message) -> list[tuple[str, str]]:
    """The buttons at the end of lines: label and action id."""
    found = [block["accessory"] for block in message.blocks if "accessory" in block]
    return [(one["text"]["text"], one["action_id"]) for one in found]


# --- Checklist


def test_the_checklist_counts_and_names_who_ticked() -> None:
    text = said(duties.checklist())

    assert "*Incident Response Checklist* · 10 of 11 done" in text
    assert f"☑ ~{CHECKLIST[0].text}~\nthe bot, <!date^1772594055^" in text
    assert f"☑ ~{CHECKLIST[5].text}~\n<@{GUARDIAN}>, <!date^1772594055^" in text
    assert f"☐ {CHECKLIST[10].text}" in text


def test_people_untick_what_people_ticked() -> None:
    found = accessories(shown(duties.checklist()))

    assert found == [
        *(("Untick", ids.checklist(one.key)) for one in CHECKLIST[5:10]),
        ("Tick", ids.checklist("runbooks")),
    ]


def test_the_rest_of_the_record_is_a_press_away() -> None:
    found = [(one["text"]["text"], one["action_id"], one["value"]) for one in buttons(shown(duties.checklist()))]

    assert found == [
        ("Timeline", ids.TIMELINE_OPEN, "inc-0001"),
        ("Collect logs", ids.LOGS_COLLECT, "inc-0001"),
        ("Post-mortem", ids.POSTMORTEM_DRAFT, "inc-0001"),
    ]


# --- Timeline


@pytest.mark.parametrize(("page", "expected"), [(1, ["Later"]), (2, ["Earlier", "Later"]), (3, ["Earlier"])])
def test_a_timeline_s_pages_lead_to_their_neighbours(page: int, expected: list[str]) -> None:
    assert [one["text"]["text"] for one in buttons(shown(duties.timeline(page=page)))] == expected


def test_a_marked_message_is_linked() -> None:
    line = duties.entry("I see it in the logs", 2, GUARDIAN, permalink=LINK)

    assert f"<@{GUARDIAN}>: I see it in the logs (<{LINK}|message>)" in said(
        TimelineCard(duties.incident(), (line,), 1, 1)
    )


@pytest.mark.parametrize("odd", ["javascript:alert(1)", "https://a.example|x>", "https://a.example/ <!channel>"])
def test_what_is_no_address_is_no_link(odd: str) -> None:
    line = duties.entry("marked", permalink=odd)

    assert odd not in said(TimelineCard(duties.incident(), (line,), 1, 1))


def test_an_empty_timeline_says_how_to_begin() -> None:
    assert "`/musd note …` writes the first entry" in said(TimelineCard(duties.incident(), (), 1, 1))


# --- Deadlines


def test_a_deadline_that_passed_calls_people_and_offers_the_pause() -> None:
    message = shown(duties.urgent())

    assert message.blocks[0]["text"]["text"] == "🚨 not recovered after 15 min"
    assert f"<@{GUARDIAN}>" in message.text
    assert [(one["text"]["text"], one["style"]) for one in buttons(message)] == [("Pause protocol…", "danger")]


def test_the_next_deadlines_stand_on_the_first_message_with_their_time() -> None:
    lines = [line for line in said(duties.waiting()).splitlines() if line.startswith("⏰")]

    assert len(lines) == 5
    assert lines[0].startswith("⏰ *<!date^1772594955^")
    assert lines[0].endswith("*: the emergency pause is offered")


# --- Notices


def test_what_nobody_judged_has_no_state() -> None:
    card = cards.notice("The post-mortem is due in 24 h.")
    message = render(type(card)(None, card.text), Redactor.of([]))

    assert message.text == "🔔: The post-mortem is due in 24 h."


# --- Post-mortem


@pytest.mark.parametrize(("done", "expected"), [(False, ["Edit…", "Mark as done"]), (True, [])])
def test_a_post_mortem_is_edited_until_it_is_done(done: bool, expected: list[str]) -> None:
    assert [one["text"]["text"] for one in buttons(shown(duties.postmortem(done=done)))] == expected


def test_a_post_mortem_says_when_it_is_due() -> None:
    assert "Due <!date^1772766855^" in said(duties.postmortem())
