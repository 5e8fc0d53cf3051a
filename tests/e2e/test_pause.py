"""The confirmed emergency pause, through the doors and on the chain itself."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.practice import PAUSABLE, Practice, firing, resolved, until, written


@pytest.fixture
def fresh() -> Iterator[Practice]:
    """A world of its own, since pausing it is for good."""
    running = Practice()
    yield running
    running.stop()


def receipt(practice: Practice, channel: str) -> str:
    return until(
        lambda: next((t for m in practice.messages(channel) if m["thread_ts"] and "0x" in (t := written(m))), None), 30
    )


def test_a_guardian_pauses_all_four_in_order(fresh: Practice) -> None:
    fresh.break_("world", "relay-crashloop")
    fresh.alert(firing())
    incident = fresh.incident("relay-down")
    assert fresh.press("responder-1", fresh.messages(incident)[0], "Pause protocol…", incident)["ok"]
    view = fresh.modal("responder-1")
    assert fresh.post("/person/submit", user="responder-1", view_id=view["id"], values={"reason": "exploit"})["ok"]
    proposal = until(lambda: fresh.with_button(incident, "Confirm"))
    for words in ("exploit", "BorrowModule", "BLEBridgeV9", "repaying", "31337"):
        assert words in written(proposal)

    fresh.press("outsider", proposal, "Confirm", incident)
    fresh.press("responder-1", proposal, "Confirm", incident)
    time.sleep(1)
    assert [fresh.paused(contract) for contract in PAUSABLE] == [False] * 4

    assert fresh.press("guardian-1", proposal, "Confirm", incident)["ok"]
    until(lambda: all(fresh.paused(contract) for contract in PAUSABLE))
    assert [contract for _, _, contract in sorted(fresh.paused_events())] == list(PAUSABLE)

    text = receipt(fresh, incident)
    assert text.count("paused") >= 4
    ended = until(lambda: next(m for m in fresh.messages(incident) if m["ts"] == proposal["ts"]))
    assert [button["label"] for button in ended["buttons"]] == []

    fresh.press("guardian-2", proposal, "Confirm", incident)
    time.sleep(1)
    assert len(fresh.paused_events()) == 4

    _, again = fresh.propose_pause("responder-1")
    assert "already" in written(again).lower()
    fresh.press("guardian-1", again, "Confirm", "musd-alerts")
    assert "nothing sent" in until(
        lambda: next((t for m in fresh.messages("musd-alerts") if "nothing sent" in (t := written(m))), None)
    )
    assert len(fresh.paused_events()) == 4


def test_a_contract_that_fails_stops_no_other_and_is_said_plainly(fresh: Practice) -> None:
    fresh.break_("chain", "role-missing", contract="DIRECT_MINT")
    channel, proposal = fresh.propose_pause()
    assert "AccessControlUnauthorizedAccount" in written(proposal)

    fresh.press("guardian-1", proposal, "Confirm", channel)

    text = until(lambda: next((t for m in fresh.messages(channel) if "NOT PAUSED" in (t := written(m))), None))
    assert "DirectMintV2" in text
    assert [fresh.paused(contract) for contract in PAUSABLE] == [True, True, False, True]


def test_only_what_was_ticked_is_paused(fresh: Practice) -> None:
    channel, proposal = fresh.propose_pause(contracts=["DIRECT_MINT"])
    assert "Lending stays open" in written(proposal)

    fresh.press("guardian-1", proposal, "Confirm", channel)

    until(lambda: fresh.paused("DIRECT_MINT"))
    receipt(fresh, channel)
    assert [fresh.paused(contract) for contract in PAUSABLE] == [False, False, True, False]


def test_an_expired_proposal_sends_nothing() -> None:
    running = Practice("--set", "pause_lives=1")
    try:
        channel, proposal = running.propose_pause()
        time.sleep(1.2)
        running.press("guardian-1", proposal, "Confirm", channel)
        assert until(lambda: "expired" in running.said(channel))
        ended = until(
            lambda: next((m for m in running.messages(channel) if m["ts"] == proposal["ts"] and not m["buttons"]), None)
        )
        assert "expired" in written(ended).lower()
        assert running.paused_events() == []
    finally:
        running.stop()


def test_a_kill_in_the_middle_pauses_each_contract_exactly_once() -> None:
    running = Practice("--block-time", "4", cold=True)
    try:
        channel, proposal = running.propose_pause()
        bot = running.get("/world")["pids"]["bot"]
        running.press("guardian-1", proposal, "Confirm", channel)
        time.sleep(0.3)
        os.kill(bot, signal.SIGKILL)

        until(lambda: all(running.paused(contract) for contract in PAUSABLE))
        receipt(running, channel)
        assert running.get("/world")["pids"]["bot"] != bot
        assert [contract for _, _, contract in sorted(running.paused_events())] == list(PAUSABLE)
    finally:
        running.stop()


def test_the_next_day_the_incident_is_known_and_its_page_is_closed(tmp_path: Path) -> None:
    first = Practice("--set", "recheck=1", data=tmp_path)
    first.break_("world", "relay-crashloop")
    first.alert(firing())
    channel = first.incident("relay-down")
    until(first.pages)
    until(lambda: "Resolution step" in first.said(channel))
    first.mend()
    assert first.stop() == 0

    second = Practice("--set", "recheck=1", data=tmp_path)
    try:
        assert second.messages(channel)
        assert second.alert(firing()).json()["new"] == 0
        second.alert(resolved(firing()))
        page = until(lambda: second.pages("resolve"))[0]
        assert page["dedup_key"].startswith("musd-")
        assert until(lambda: "the page is resolved" in second.said(channel))
        assert len(second.channels("-relay-down-")) == 1
    finally:
        second.stop()
