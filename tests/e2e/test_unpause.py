"""The Unpause Procedure, through the doors: two people for each proposal, the chain's 24 hours, the all-clear."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_announcements import DRAFTS, told
from tests.e2e.test_announcements import approve as approve_draft
from tests.world.practice import PAUSABLE, Practice, until, written

CAUSE, FIX = "a validator key was stolen", "the key is rotated, and the fix is deployed and verified"
DAY = 24 * 3600
UNPAUSE = "0x3f4ba83a"
"""The selector of `unpause()`."""


@pytest.fixture(scope="module")
def fresh() -> Iterator[Practice]:
    """A world of its own, since its clock is moved."""
    running = Practice("--set", "watch_for=3", "--set", "watch_every=1", "--set", "readiness_every=1")
    yield running
    running.stop()


def pause(practice: Practice) -> None:
    channel, proposal = practice.propose_pause()
    assert practice.press("guardian-1", proposal, "Confirm", channel)["ok"]
    until(lambda: all(practice.paused(contract) for contract in PAUSABLE))
    until(lambda: practice.with_button(channel, "Unpause…"))


def fill_in(practice: Practice, person: str, **values: Any) -> Any:
    """The unpause modal, once it is there, submitted."""
    view = until(lambda: next((v for v in practice.views(person) if v["callback_id"] == "unpause:submit"), None))
    return practice.post("/person/submit", user=person, view_id=view["id"], values=values)


def approve(practice: Practice, proposal: dict[str, Any], channel: str = "musd-alerts") -> None:
    """By two different people."""
    for person in ("guardian-1", "guardian-2"):
        assert practice.press(person, proposal, "Approve", channel)["ok"]


def receipt(practice: Practice, title: str, channel: str = "musd-alerts") -> str:
    return until(
        lambda: next((text for m in practice.messages(channel) if f"Receipt: {title}" in (text := written(m))), None),
        40,
    )


def test_an_unpause_takes_two_people_twice_the_chains_day_and_ends_with_the_all_clear(fresh: Practice) -> None:
    pause(fresh)
    for where in DRAFTS:
        approve_draft(fresh, "pause", where)
    until(lambda: told(fresh, "/discord/") and told(fresh, "/incidents"))
    assert fresh.command("responder-1", "unpause")["ok"]
    assert until(lambda: "that takes a guardian" in whispered(fresh, "responder-1"))
    assert fresh.views("responder-1") == []

    assert fresh.press("guardian-1", fresh.with_button("musd-alerts", "Unpause…"), "Unpause…", "musd-alerts")["ok"]
    assert set(fill_in(fresh, "guardian-1", cause=" ", fix=FIX)["errors"]) == {"cause"}
    assert fill_in(fresh, "guardian-1", cause=CAUSE, fix=FIX)["ok"]
    proposal = until(lambda: fresh.proposal("musd-alerts", "Unpause"))
    for words in (CAUSE, FIX, "Canton comes first", "requestUnpause()", "2 guardians"):
        assert words in written(proposal)
    order = [
        written(proposal).index(f"*{place}. {name}*")
        for place, name in enumerate(("BLEBridgeV9", "DirectMintV2", "SMUSD", "BorrowModule"), 1)
    ]
    assert order == sorted(order)

    assert fresh.press("guardian-1", proposal, "Approve", "musd-alerts")["ok"]
    fresh.press("guardian-1", proposal, "Approve", "musd-alerts")
    assert [fresh.paused(contract) for contract in PAUSABLE] == [True] * 4
    assert fresh.press("guardian-2", proposal, "Approve", "musd-alerts")["ok"]
    assert "COMPLETE" in receipt(fresh, "Unpause BLEBridgeV9")
    assert [fresh.paused(contract) for contract in PAUSABLE] == [False, False, False, True]
    until(lambda: "It can be executed from" in fresh.said("musd-alerts"))
    assert fresh.proposal("musd-alerts", "Execute the unpause") is None
    assert all_clears(fresh) == []  # the bridge is still paused

    fresh.rpc("evm_increaseTime", DAY)
    fresh.rpc("evm_mine")
    execution = until(lambda: fresh.proposal("musd-alerts", "Execute the unpause"))
    assert "executeUnpause()" in written(execution)
    approve(fresh, execution)
    assert "COMPLETE" in receipt(fresh, "Execute the unpause")
    assert [fresh.paused(contract) for contract in PAUSABLE] == [False] * 4
    for where in DRAFTS:
        approve_draft(fresh, "all-clear", where)
    until(lambda: "All clear: watched to the end" in fresh.said("musd-alerts"))
    until(lambda: fresh.said("musd-alerts").count("Receipt: Announce the all-clear") == len(DRAFTS))
    assert sorted(all_clears(fresh)) == sorted(DRAFTS)
    assert [len(told(fresh, path)) for path in ("/discord/", "/incidents")] == [2, 2]
    last = told(fresh, "/incidents")[-1]["body"]["incident"]
    assert (last["status"], set(last["components"].values())) == ("resolved", {"operational"})


def test_an_unpause_that_other_hands_carried_out_is_noticed_and_ends_with_the_all_clear(tmp_path: Path) -> None:
    """A bot whose own key can only pause: it hands over, and watches the chain."""
    alone = ("unpause_keystore=", "unpause_keystore_password_file=", "watch_for=3", "watch_every=1")
    world = Practice(*(word for one in alone for word in ("--set", one)), data=tmp_path)
    try:
        channel, proposal = world.propose_pause(contracts=["SMUSD"])
        assert world.press("guardian-1", proposal, "Confirm", channel)["ok"]
        until(lambda: world.paused("SMUSD"))
        approve_draft(world, "pause", "Discord")
        until(lambda: told(world, "/discord/"))

        assert world.command("guardian-1", "unpause")["ok"]
        assert fill_in(world, "guardian-1", cause=CAUSE, fix=FIX, contracts=["SMUSD"])["ok"]
        approve(world, until(lambda: world.proposal("musd-alerts", "Unpause SMUSD")))
        assert "HANDED OVER" in receipt(world, "Unpause SMUSD")
        assert world.paused("SMUSD")
        assert all_clears(world) == []

        admin = "0x" + json.loads(next(tmp_path.rglob("unpause*.json")).read_text())["address"]
        world.rpc("anvil_impersonateAccount", admin)
        call = {"from": admin, "to": world.world["contracts"]["SMUSD"], "data": UNPAUSE, "gas": hex(200_000)}
        world.rpc("eth_sendTransaction", call)
        until(lambda: not world.paused("SMUSD"))

        until(lambda: "COMPLETE" in receipt(world, "Unpause SMUSD"))
        until(lambda: "Discord" in all_clears(world))
    finally:
        world.stop()


def test_the_guardians_are_warned_when_a_pause_would_not_go_through_and_told_when_it_would(fresh: Practice) -> None:
    fresh.break_("chain", "no-balance")
    said = until(lambda: (t := fresh.said("musd-alerts")) and "An emergency pause would NOT go through" in t and t)
    for words in ("has 0.0000 ETH", "Send ether to it", "It holds no pause back"):
        assert words in said
    assert "musd_pause_ready 0.0" in fresh.http.get(fresh.world["bot"] + "/metrics", timeout=10).text

    fresh.mend()
    until(lambda: "A pause would go through again" in fresh.said("musd-alerts"))
    assert "musd_pause_ready 1.0" in fresh.http.get(fresh.world["bot"] + "/metrics", timeout=10).text


def test_an_unpause_is_refused_while_a_probe_is_bad_or_unknown(practice: Practice) -> None:
    practice.break_("chain", "reserve-ratio", percent=94.1)
    practice.break_("ledger", "not-ready")
    assert practice.command("guardian-1", "unpause")["ok"]
    assert fill_in(practice, "guardian-1", cause=CAUSE, fix=FIX, contracts=["DIRECT_MINT"])["ok"]

    said = until(lambda: "Not everything an unpause requires" in (said := whispered(practice, "guardian-1")) and said)
    for words in ("Reserve ratio is BAD", "Canton participant is BAD", "everything stays paused"):
        assert words in said
    assert practice.proposal("musd-alerts", "Unpause") is None


def all_clears(practice: Practice) -> list[str]:
    """Where an all-clear was ever drafted for."""
    drafted = (
        re.search(r"Proposal: Announce the all-clear on ([^.\n]+)", written(m))
        for m in practice.messages("musd-alerts")
    )
    return [found[1] for found in drafted if found]


def whispered(practice: Practice, person: str) -> str:
    """What only this person is told."""
    return "\n".join(written(m) for m in practice.messages("musd-alerts", person) if m["ephemeral_to"])
