"""Every modal the bot has, opened in a real drill and filled in on its page in a real Chromium."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from bot.views import ids
from tests.e2e.test_canton import propose
from tests.world.practice import Practice, firing, until

HANDLERS = Path(__file__).parents[2] / "handlers"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
ALERTS = "musd-alerts"

Visit = Callable[[Practice], str]
"""Opens the modal as a person would; whose window it is in."""


def typed(person: str, text: str) -> Visit:
    """A command opens it."""

    def visit(practice: Practice) -> str:
        assert practice.command(person, text)["ok"]
        return person

    return visit


def press(practice: Practice, person: str, channel: str, label: str) -> None:
    message = until(lambda: practice.with_button(channel, label))
    assert practice.press(person, message, label, channel)["ok"]


def edit_announcement(practice: Practice) -> str:
    assert practice.command("responder-1", "announce pause")["ok"]
    press(practice, "responder-1", ALERTS, "Edit…")
    return "responder-1"


def edit_postmortem(practice: Practice) -> str:
    practice.alert(firing("HasAPostmortem"))
    channel = practice.incident("hasapostmortem")
    press(practice, "responder-1", channel, "Resolve…")
    view = until(lambda: practice.views("responder-1"))[-1]
    assert practice.post("/person/submit", user="responder-1", view_id=view["id"], values={"reason": "mended"})["ok"]
    press(practice, "responder-1", channel, "Post-mortem")
    press(practice, "responder-1", channel, "Edit…")
    return "responder-1"


def explain_resolving(practice: Practice) -> str:
    practice.alert(firing("IsResolvedByHand"))
    press(practice, "responder-1", practice.incident("isresolvedbyhand"), "Resolve…")
    return "responder-1"


def post_update(practice: Practice) -> str:
    practice.alert(firing("WantsAnUpdate"))
    press(practice, "responder-1", practice.incident("wantsanupdate"), "Post update…")
    return "responder-1"


def open_incident(practice: Practice) -> str:
    ts = practice.post("/person/say", user="responder-1", channel=ALERTS, text="the relay is odd")["ts"]
    where = {"user": "responder-1", "channel": ALERTS, "ts": ts}
    assert practice.post("/person/shortcut", callback_id=ids.INCIDENT_OPEN, **where)
    return "responder-1"


def judge(practice: Practice) -> str:
    practice.break_("chain", "share-price-drop", percent=8)
    practice.alert(firing("SharePriceDecreaseAnomaly"))
    press(practice, "responder-1", practice.incident("share-price"), "Write down your judgement…")
    return "responder-1"


def type_the_name(practice: Practice) -> str:
    backup = propose(practice, "database backup", "operator-1")
    assert practice.press("operator-2", backup, "Approve", ALERTS)["ok"]
    until(lambda: re.search("Receipt: [Bb]ack", practice.said(ALERTS)))
    proposal = propose(practice, "database restore latest", "operator-1")
    assert practice.press("admin-1", proposal, "Approve", ALERTS)["ok"]
    return "admin-1"


def decline(practice: Practice) -> str:
    channel, proposal = practice.propose_pause()
    assert practice.press("guardian-2", proposal, "Decline", channel)["ok"]
    return "guardian-2"


VISITS: dict[str, Visit] = {
    ids.PAUSE_SUBMIT: typed("responder-1", "pause"),
    ids.UNPAUSE_SUBMIT: typed("guardian-1", "unpause"),
    ids.PROPOSE_SUBMIT: typed("guardian-1", "canton cap 12000000"),
    ids.ANNOUNCE_SUBMIT: edit_announcement,
    ids.INCIDENT_REASON: explain_resolving,
    ids.INCIDENT_OPEN: open_incident,
    ids.POSTMORTEM_EDIT: edit_postmortem,
    ids.UPDATE_SUBMIT: post_update,
    ids.JUDGE: judge,
    ids.VOTE_TYPED: type_the_name,
    ids.VOTE_WHY: decline,
}
"""How a person comes to each modal, by its callback id."""
REFUSING = {ids.VOTE_TYPED}
"""Modals that take no word but the right one."""


def test_every_modal_has_a_visit() -> None:
    heard = {
        name for file in HANDLERS.glob("*.py") for name in re.findall(r"@app\.view\(ids\.(\w+)\)", file.read_text())
    }
    assert {getattr(ids, name) for name in heard} == set(VISITS)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Practice, Browser]]:
    """A drill and a browser."""
    if CHROMIUM is None:
        missing = "no chromium on this machine: apt-get install chromium, or set CHROMIUM"
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    practice = Practice("--set", "update_every=6")
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            yield practice, browser
            browser.close()
    finally:
        practice.stop()


@pytest.mark.real
@pytest.mark.parametrize("callback_id", VISITS)
def test_the_modal_is_drawn_checked_and_sent(world: tuple[Practice, Browser], callback_id: str, tmp_path: Path) -> None:
    practice, browser = world
    person = VISITS[callback_id](practice)
    view = until(lambda: shown(practice, person, callback_id))
    page = browser.new_page()
    page.goto(f"{practice.url}/?as={person}#{ALERTS}")
    modal = page.get_by_role("dialog", name=view["title"]["text"])
    expect(modal.get_by_role("heading", name=view["title"]["text"])).to_be_visible(timeout=30_000)
    page.screenshot(path=tmp_path / "modal.png")

    if any(is_needed(block) for block in view["blocks"]):
        modal.locator(".primary").click()
        expect(modal.locator(".field-error").first).to_be_visible()
    fill_in(modal)
    modal.locator(".primary").click()
    if callback_id in REFUSING:
        expect(modal.locator(".field-error").first).to_be_visible()
    else:
        until(lambda: not shown(practice, person, callback_id))
    page.close()


def shown(practice: Practice, person: str, callback_id: str) -> Any:
    """The modal of this id that somebody has open."""
    return next((one for one in practice.views(person) if one.get("callback_id") == callback_id), None)


def is_needed(block: Any) -> bool:
    """Whether the page itself refuses to send it empty."""
    given = any(key.startswith("initial_") and value for key, value in block.get("element", {}).items())
    return block["type"] == "input" and not block.get("optional") and not given


def fill_in(modal: Locator) -> None:
    """Write into whatever is empty, choose where nothing is chosen."""
    for field in modal.locator("textarea, input[type=text]").all():
        if not field.input_value():
            field.fill("as agreed")
    for kind in ("radio", "checkbox"):
        boxes = modal.locator(f"input[type={kind}]")
        if boxes.count() and not modal.locator(f"input[type={kind}]:checked").count():
            boxes.first.check()
    for choice in modal.locator("select").all():
        if not choice.input_value():
            choice.select_option(index=1)


@pytest.mark.real
def test_app_home_is_drawn(world: tuple[Practice, Browser], tmp_path: Path) -> None:
    practice, browser = world
    practice.alert(firing("StandsOnAppHome"))
    practice.incident("standsonapphome")
    page = browser.new_page()
    page.goto(f"{practice.url}/?as=guardian-1#home")
    home = page.locator(".home")

    for heading in ("Open incidents", "On call"):
        expect(home.get_by_text(heading).first).to_be_visible(timeout=30_000)
    expect(home.get_by_text("StandsOnAppHome").first).to_be_visible()
    page.screenshot(path=tmp_path / "home.png")
    page.close()
