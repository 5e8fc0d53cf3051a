"""Every scenario is solved through the doors, the way its runbook leads: the scorecard says so, and misses nothing.

Several are played at once, as many as don't touch the same part of the world. test_scorecard.py plays the relay's
crash, and test_rotation.py the leaked key.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from bot.drill.chain.accounts import ADMIN, address
from bot.drill.scenarios import SCENARIOS, Scenario
from tests.world.practice import PAUSABLE, Practice, until, written

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Way:
    """How a scenario is solved: what is pressed in the channel of its incident."""

    key: str
    incident: str
    """What its channel's name holds."""
    offer: str
    """How the label of the verdict's offer begins; empty where another scenario's way solves this one too."""
    approve: str = "Approve"
    by: str = "operator-1"
    """Who approves it; operator-1 takes the lead and proposes."""
    mended: bool = False
    """Whether *Mend* is its last step: other hands than the bot's."""


ROUNDS = {
    "cluster": (
        Way("oracle-stale", "oracle-stale", "Switch the oracle's source"),
        Way("quorum-loss", "validator-down", "Restart musd-validator-1, musd-validator-3"),
        Way("participant-down", "canton-participant-down", "Restart canton-participant"),
        Way("reserve-ratio", "reserve-ratio", "Pause DirectMintV2", "Confirm", "guardian-1"),
    ),
    "chain": (
        Way("relay-oom", "relay-down", "Raise the memory limit"),
        Way("liquidation-surge", "liquidation-surge", "Pause oracle updates", by="guardian-1"),
        Way("share-price", "share-price", "Pause SMUSD", "Confirm", "guardian-1"),
        Way("database-full", "pvcnearlyfull", "Back up the ledger's database", mended=True),
    ),
    "exploit": (
        Way("supply-cap", "supply-cap", ""),
        Way("emergency-pause", "share-price", "Pause protocol…", "Confirm", "guardian-1"),
    ),
}
ELSEWHERE = {"relay-down", "key-rotation"}


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    """A world of its own, since its contracts end up paused."""
    running = Practice("--set", "recheck=1")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _as_before(practice: Practice) -> Iterator[None]:
    """Everything is mended and runs again behind a round."""
    yield
    practice.mend()
    selector = function_signature_to_4byte_selector("practiceUnpause()").hex()
    for contract in filter(practice.paused, PAUSABLE):
        call = {"from": address(ADMIN), "to": practice.world["contracts"][contract], "data": f"0x{selector}"}
        practice.rpc("eth_sendTransaction", call)
    until(lambda: not any(map(practice.paused, PAUSABLE)))


def test_every_scenario_is_played() -> None:
    played = [way.key for ways in ROUNDS.values() for way in ways]
    assert sorted([*played, *ELSEWHERE]) == sorted(one.key for one in SCENARIOS)


@pytest.mark.parametrize("ways", ROUNDS.values(), ids=ROUNDS)
def test_it_is_solved_the_way_its_runbook_leads(practice: Practice, ways: tuple[Way, ...]) -> None:
    for way in ways:
        practice.nothing_open(way.incident)
    before = {way.key: len(practice.channels(f"-{way.incident}-")) for way in ways}
    with ThreadPoolExecutor() as together:
        list(together.map(lambda way: practice.post("/scenarios", key=way.key, action="start"), ways))
    for way in ways:
        play(practice, way, before[way.key])
    for way in ways:
        card = until(lambda key=way.key: scored(practice, key))
        assert "- Mitigated: after" in card, card
        assert "- Missed: nothing" in card, card


def play(practice: Practice, way: Way, before: int) -> None:
    """From the alert to the approval that solves it."""
    scenario = next(one for one in SCENARIOS if one.key == way.key)
    channel = incident(practice, scenario, way, before)
    card = until(lambda: practice.with_button(channel, "Acknowledge"))
    for label in ("Acknowledge", "I lead"):
        # A private channel takes the press once the person is in it.
        until(lambda label=label: practice.press("operator-1", card, label, channel)["ok"])
    if not way.offer:
        return
    message, label = until(lambda: offered(practice, channel, way.offer))
    assert practice.press("operator-1", message, label, channel)["ok"]
    view = practice.modal("operator-1")
    filled = {"user": "operator-1", "view_id": view["id"], "values": {"reason": "as the runbook says"}}
    assert practice.post("/person/submit", **filled)["ok"]
    proposal = until(lambda: practice.with_button(channel, way.approve))
    assert practice.press(way.by, proposal, way.approve, channel)["ok"]
    if way.mended:
        until(lambda: any("Receipt:" in written(one) for one in practice.messages(channel)))
        practice.post("/scenarios", key=way.key, action="mend")


def incident(practice: Practice, scenario: Scenario, way: Way, before: int) -> str:
    """The channel of its incident; a warning's is opened by a press first."""
    assert scenario.alert is not None
    name = scenario.alert.name
    if scenario.alert.severity == "warning":
        message = until(lambda: warning(practice, name))
        assert practice.press("operator-1", message, "Open incident", "musd-alerts")["ok"]
    return practice.incident(way.incident, after=before)


def warning(practice: Practice, alert: str) -> dict[str, Any] | None:
    """The alert's message in the alerts channel."""
    found = (one for one in practice.messages("musd-alerts") if alert in written(one))
    return next((one for one in found if any(button["label"] == "Open incident" for button in one["buttons"])), None)


def offered(practice: Practice, channel: str, beginning: str) -> tuple[dict[str, Any], str] | None:
    """The first message with a button whose label begins so, and the label."""
    return next(
        (
            (message, button["label"])
            for message in practice.messages(channel)
            for button in message["buttons"]
            if button["label"].startswith(beginning)
        ),
        None,
    )


def scored(practice: Practice, key: str) -> str:
    """Its scorecard, once it is solved."""
    one = next(one for one in practice.get("/scenarios") if one["key"] == key)
    return one["scorecard"] if one["solved"] else ""
