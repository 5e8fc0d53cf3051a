"""What people read about people: who is on call, App Home, announcements, updates."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.announcement import Announcement, Occasion, Target
from bot.domain.cards import BroadcastCard, LinkCard, OnCallCard, OnCallRow, UpdateCard
from bot.domain.home import HomeBoard
from bot.domain.incident import Incident, IncidentState
from bot.domain.oncall import Contact, OnCallRole, Shift
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.drill.workspace.blocks import check_blocks, check_view
from bot.views import Redactor, announce_modal, home, render, update_modal
from tests.views.hostile import HOSTILE

NOW = datetime(2026, 3, 4, 3, 14, 15, tzinfo=UTC)
REDACTOR = Redactor.of(["s3cr3t-value"])
BY_TEXT = pytest.mark.parametrize("text", HOSTILE, ids=[f"{place:02}" for place in range(len(HOSTILE))])


def incident(title: str = "Relay Service Down") -> Incident:
    return Incident(
        id="01ABC",
        topic="t",
        runbook=None,
        title=title,
        severity=Severity.CRITICAL,
        state=IncidentState.OPEN,
        opened_at=NOW,
        channel="C0RELAY001",
    )


def row(text: str = "musd-infra-oncall", problem: str = "", *, setup: bool = False) -> OnCallRow:
    shift = Shift(name=text, email="a@b.c", level=1, since=NOW, until=NOW + timedelta(days=7))
    present = () if problem else ((shift, "U0GUARD0001"),)
    contact = Contact(policy=text, channel=text)
    return OnCallRow(OnCallRole.INFRASTRUCTURE, contact, present=present, problem=problem, setup=setup)


def said(*rows: OnCallRow) -> str:
    return str(render(OnCallCard(rows), REDACTOR).blocks)


def test_setup_required_is_shown_while_the_table_is_not_configured() -> None:
    assert "Setup required" in said(row(problem="No REST token", setup=True))


def test_an_outage_is_no_lack_of_configuration() -> None:
    text = said(row(problem="PagerDuty did not answer"))
    assert ("UNKNOWN" in text, "Setup required" in text) == (True, False)


def test_nobody_on_call_is_bad_and_said_in_words() -> None:
    nobody = OnCallRow(OnCallRole.SECURITY, Contact(policy="p", channel="c"))
    assert "BAD: nobody is on call" in said(nobody)


@BY_TEXT
def test_whatever_pagerduty_says_reaches_nobody(text: str) -> None:
    for card in (OnCallCard((row(text), row(problem=text or "x"))), UpdateCard(incident(text), (), timedelta(hours=1))):
        message = render(card, REDACTOR)
        check_blocks(message.blocks)
        assert "<!" not in str(message.blocks).replace("<!date", "")
        assert "s3cr3t-value" not in str(message.blocks)


@BY_TEXT
def test_an_announcement_mentions_nobody_but_the_channel_it_was_approved_for(text: str) -> None:
    quiet = render(BroadcastCard(text or "x", everybody=False), REDACTOR)
    loud = render(BroadcastCard(text or "x", everybody=True), REDACTOR)
    check_blocks(loud.blocks)
    assert "<!channel>" not in str(quiet.blocks)
    assert str(loud.blocks).count("<!channel>") == 1


def test_a_link_is_a_button_that_leads_there() -> None:
    announcement = Announcement(target=Target.X, occasion=Occasion.PAUSE, text="Paused & <b>")
    message = render(LinkCard(State.UNKNOWN, announcement.text, "Open", announcement.post_link), REDACTOR)
    check_blocks(message.blocks)
    assert message.blocks[-1]["elements"][0]["url"] == "https://x.com/intent/post?text=Paused%20%26%20%3Cb%3E"


@pytest.mark.parametrize("target", Target)
@BY_TEXT
def test_slack_takes_the_announcement_modal_whatever_is_in_it(target: Target, text: str) -> None:
    check_view(announce_modal("p1", Announcement(target=target, occasion=Occasion.PAUSE, text=text)), ("modal",))


def test_slack_takes_the_update_modal() -> None:
    check_view(update_modal(incident(), [("alerts", "#musd-alerts"), ("discord", "Discord")]), ("modal",))


@BY_TEXT
def test_slack_takes_a_home_whatever_is_in_it(text: str) -> None:
    board = HomeBoard(
        at=NOW, role=Role.GUARDIAN, missing=[text], incidents=[incident(text)] * 90, oncall=[row(text)] * 3, pauses=True
    )
    check_view(home(board, REDACTOR), ("home",))


def test_home_says_in_words_what_keeps_the_bot_from_being_ready() -> None:
    text = str(home(HomeBoard(at=NOW, role=Role.RESPONDER, missing=["slack"]), REDACTOR)["blocks"])
    assert "NOT ready. Missing: slack" in text
