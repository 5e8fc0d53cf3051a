"""Canton's governance through the doors: guardians vote on the ledger itself, and the services have the last word."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_kills import insist
from tests.world.guardians import PROOF, Guardians
from tests.world.practice import PAUSABLE, Practice, until, written

TIMELOCK = 40
"""Seconds a test gives the ledger's timelock of ten, on a busy machine."""


def told(practice: Practice, words: str, channel: str = "musd-alerts", seconds: float = 90) -> str:
    """The text of the newest message that says this."""
    return until(
        lambda: next((t for m in reversed(practice.messages(channel)) if words in (t := written(m))), None), seconds
    )


def propose(practice: Practice, text: str, user: str = "guardian-1") -> dict[str, Any]:
    """A guardian types this and gives a reason; the message of the Proposal."""
    before = {message["ts"] for message in practice.messages("musd-alerts")}
    assert practice.command(user, text)["ok"]
    view = practice.modal(user)
    assert practice.post("/person/submit", user=user, view_id=view["id"], values={"reason": "as agreed"})["ok"]
    found: dict[str, Any] = until(lambda: practice.with_button("musd-alerts", "Approve", before))
    return found


def approve(practice: Practice, proposal: dict[str, Any]) -> None:
    """Both guardians that the policy wants."""
    for guardian in ("guardian-1", "guardian-2"):
        assert practice.press(guardian, proposal, "Approve", "musd-alerts")["ok"]


def execution(practice: Practice, title: str, seconds: float = TIMELOCK) -> dict[str, Any]:
    """The Proposal to carry it out, which the bot makes by itself once the timelock is over."""

    def found() -> dict[str, Any] | None:
        approvable = [m for m in practice.messages("musd-alerts") if any(b["label"] == "Approve" for b in m["buttons"])]
        return next((m for m in reversed(approvable) if f"Execute on Canton: {title}" in written(m)), None)

    return until(found, seconds)


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Iterator[Practice]:
    """A world of its own, since pausing it is for good."""
    running = Practice(*getattr(request, "param", ()))
    yield running
    running.stop()


def test_the_emergency_pause_stops_canton_by_its_guardians_votes_and_governance_starts_it_again(
    fresh: Practice,
) -> None:
    canton = Guardians(fresh.world["ledger"])
    channel, proposal = fresh.propose_pause()
    assert "3 of 5 guardians have to vote on the ledger" in written(proposal)
    fresh.break_("ledger", "down")
    fresh.press("guardian-1", proposal, "Confirm", channel)
    until(lambda: all(fresh.paused(contract) for contract in PAUSABLE))
    told(fresh, "NOT ASKED YET")
    fresh.mend()
    card = told(fresh, "1 of 3")
    assert "<@U0ADMIN0001>" in card
    assert canton.paused() == [False] * 4

    canton.approve("pause", "admin-1")
    assert "`admin-2`" in told(fresh, "2 of 3").partition("not yet voted")[2]
    canton.approve("pause", "admin-2")
    told(fresh, "timelock ends at")

    approve(fresh, execution(fresh, "Pause"))
    told(fresh, "Receipt: Execute on Canton")
    assert canton.paused() == [True] * 4
    assert canton.active(PROOF) == []

    assert fresh.command("guardian-1", "unpause")["ok"]
    view = until(lambda: next((one for one in fresh.views("guardian-1") if one.get("callback_id")), None))
    values = {"cause": "a bug", "fix": "mended"}
    fresh.post("/person/submit", user="guardian-1", view_id=view["id"], values=values)
    refused = until(
        lambda: next(
            (m for m in fresh.messages("musd-alerts", "guardian-1") if "Canton comes first" in written(m)), None
        )
    )
    assert "CantonLendingService PAUSED" in written(refused)

    approve(fresh, propose(fresh, "canton unpause"))
    until(canton.ballots)
    canton.approve("unpause", "admin-1", "admin-2")
    approve(fresh, execution(fresh, "Unpause"))
    told(fresh, "Receipt: Execute on Canton: Unpause")
    assert canton.paused() == [False] * 4
    assert canton.active(PROOF) == []


@pytest.mark.parametrize("fresh", [("--set", "canton_pause_by=trigger")], indirect=True)
def test_votes_on_the_pause_state_stop_nothing_and_an_old_contract_left_alive_is_told(fresh: Practice) -> None:
    canton = Guardians(fresh.world["ledger"])
    fresh.break_("ledger", "old-vote")
    fresh.break_("ledger", "nonconsuming-set-paused")
    channel, proposal = fresh.propose_pause()
    fresh.press("guardian-1", proposal, "Confirm", channel)
    assert "Cast before this pause, and still counted: guardian-2" in told(fresh, "2 of 3")

    canton.trigger("admin-1")
    told(fresh, "which by itself stops nothing")
    assert canton.paused() == [False] * 4

    approve(fresh, execution(fresh, "Pause"))
    text = told(fresh, "Receipt: Execute on Canton")
    assert text.count("1 of 2 active contracts still say otherwise") == 4
    assert sorted(canton.paused()) == [False] * 4 + [True] * 4
    assert fresh.command("guardian-1", "canton")["ok"]
    told(fresh, "1 of 2 active contracts still RUN beside paused ones")


def test_a_stale_price_is_overridden_and_then_updated_by_the_guardians_leave(practice: Practice) -> None:
    canton = Guardians(practice.world["ledger"])
    practice.break_("ledger", "price-stale", seconds=7200)
    override = propose(practice, "canton price CTN 0.9")
    for words in (
        "Tradecraft: 0.",
        "Temple: 0.",
        "new 0.9 USD",
        "30 min without an update of the feed: that has passed",
    ):
        assert words in written(override)
    approve(practice, override)
    until(canton.ballots)
    canton.approve("emergency-price", "admin-1", "admin-2")
    approve(practice, execution(practice, "Override"))
    told(practice, "Receipt: Execute on Canton: Override")
    assert float(canton.feed("CTN")["priceUsd"]) == 0.9

    update = propose(practice, "canton price CTN 0.8")
    assert "a move of 11.1%" in written(update)
    approve(practice, update)
    until(canton.ballots)
    canton.approve("price", "admin-1")
    approve(practice, execution(practice, "Set"))
    told(practice, "Receipt: Execute on Canton: Set")
    assert float(canton.feed("CTN")["priceUsd"]) == 0.8
    assert canton.active(PROOF) == []
    again = propose(practice, "canton price CTN 0.2")
    assert "30 min without an update of the feed: that ends at" in written(again)
    practice.press("guardian-1", again, "Decline", "musd-alerts")


PUT = ("ballot.put.done", "ballot.put.kept", "ballot.watch.done", "ballot.propose.done")
CARRY = (
    *("execute.prove.done", "execute.effect 0.done", "execute.effect 2.kept"),
    *("execute.use up.done", "execute.ballot.done"),
)
PAUSE_DEATHS = (*PUT, *CARRY)
"""After each step on the ledger, before the journal knows of it or right behind."""
UNPAUSE_DEATHS = ("execute.put.done", "execute.put.kept", *PUT, *CARRY, "execute.effect 4.done")
"""Of the unpause the asking is a Proposal's execution too, and its fifth effect is the pause state's."""


@pytest.mark.timeout(600)
def test_a_death_at_each_step_on_the_ledger_doubles_nothing(tmp_path: Path) -> None:
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    practice = Practice("--set", f"MUSD_REHEARSE_KILL={deaths}", data=tmp_path / "world")
    try:
        canton = Guardians(practice.world["ledger"])
        plant(deaths, PAUSE_DEATHS)
        channel, proposal = practice.propose_pause()
        insist(lambda: practice.press("guardian-1", proposal, "Confirm", channel)["ok"])
        until(canton.ballots)
        canton.approve("pause", "admin-1", "admin-2")
        [ballot] = canton.ballots()
        carried_out(practice, "Pause")
        assert canton.paused() == [True] * 4
        assert canton.active(PROOF) == []
        assert canton.ballots() == []
        until(lambda: dead_everywhere(deaths))

        canton.put_again(ballot, "left-open", "musd-bot")
        proposal = propose(practice, "canton unpause")
        plant(deaths, UNPAUSE_DEATHS)
        for guardian in ("guardian-1", "guardian-2"):
            insist(lambda guardian=guardian: practice.press(guardian, proposal, "Approve", channel)["ok"])
        until(lambda: [one["proposalId"] for one in canton.ballots() if one["proposalId"] != "left-open"])
        until(lambda: len(canton.ballots()) == 1)
        canton.approve("unpause", "admin-1", "admin-2")
        carried_out(practice, "Unpause")
        assert canton.paused() == [False] * 4
        assert canton.active(PROOF) == []
        assert canton.ballots() == []
        until(lambda: dead_everywhere(deaths))
    finally:
        practice.stop()


def plant(deaths: Path, boundaries: tuple[str, ...]) -> None:
    """Have the bot die at each of these, once."""
    for boundary in boundaries:
        (deaths / boundary).touch()


def dead_everywhere(deaths: Path) -> bool:
    """Whether it came by each of them."""
    return {path.name for path in deaths.iterdir()} == {"passed"}


def carried_out(practice: Practice, title: str) -> None:
    """Both guardians approve the execution, as often as it takes; its one Receipt is complete."""
    carry = execution(practice, title)
    for guardian in ("guardian-1", "guardian-2"):
        insist(lambda guardian=guardian: practice.press(guardian, carry, "Approve", "musd-alerts")["ok"])
    said = f"Receipt: Execute on Canton: {title}"
    told(practice, said)
    receipts = [text for m in practice.messages("musd-alerts") if said in (text := written(m))]
    assert len(receipts) == 1
    assert "COMPLETE" in receipts[0]
