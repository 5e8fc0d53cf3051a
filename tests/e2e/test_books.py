"""What runbooks do beside their verdicts: suggest the nearest, keep a judgement, run again, wait for no hung source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bot.domain.runbook import Runbook
from bot.ports import Reads
from bot.runbooks import discover
from tests.world.practice import PATIENCE, Practice, firing, share_price, until, written


@dataclass(frozen=True)
class Hang:
    """A source that answers nothing for a minute, a runbook that asks it, and the lines that it alone costs."""

    target: str
    faults: tuple[Mapping[str, object], ...]
    runbook: str
    silent: frozenset[str]


HANGS = (
    Hang(
        "chain",
        ({"fault": "rpc-hang", "which": "A"}, {"fault": "rpc-hang", "which": "B"}),
        "liquidation-surge",
        frozenset({"Liquidations", "Last price on the chain", "Chainlink", "Prices written in 1 h", "Gas price"}),
    ),
    Hang(
        "cluster",
        ({"fault": "api-slow", "seconds": 60},),
        "liquidation-surge",
        frozenset({"Liquidation bot", "Recent errors"}),
    ),
    Hang(
        "prices",
        ({"fault": "slow", "seconds": 60},),
        "liquidation-surge",
        frozenset({"CoinGecko", "Tradecraft"}),
    ),
    Hang(
        "ledger",
        ({"fault": "slow", "seconds": 60},),
        "canton-participant-down",
        frozenset({"Canton's process", "Canton participant"}),
    ),
    Hang("aws", ({"fault": "slow", "seconds": 60},), "database-recovery", frozenset({"Newest backup"})),
)
_LINE = re.compile(r"(?m)^\S+ \*(OK|BAD|UNKNOWN)\* · \*([^*]+)\*")


def test_an_alert_without_a_runbook_gets_the_nearest_one(practice: Practice) -> None:
    assert practice.alert(firing("PostgresDown")).ok
    channel = practice.incident("postgresdown")

    def suggested() -> str | None:
        return next((text for text in map(written, practice.messages(channel)) if "The nearest is" in text), None)

    assert "No runbook names this alert. The nearest is Database Recovery" in until(suggested)


def test_a_warning_without_a_runbook_gets_the_nearest_one_in_its_thread(practice: Practice) -> None:
    assert practice.alert(firing("PVCNearlyFull", "warning")).ok
    assert until(lambda: "The nearest is Database Recovery" in practice.said("musd-alerts"))


def test_a_judgement_of_a_loss_stands_on_the_timeline(practice: Practice) -> None:
    practice.break_("chain", "share-price-drop", percent=8)
    assert practice.alert(firing("SharePriceDecreaseAnomaly")).ok
    channel = practice.incident("share-price")
    button = "Write down your judgement…"
    message = until(lambda: practice.with_button(channel, button))
    assert practice.press("responder-1", message, button, channel)["ok"]
    view = practice.modal("responder-1")
    values = {"judged": "It is genuine", "reason": "the lending market wrote off a loan"}
    assert practice.post("/person/submit", user="responder-1", view_id=view["id"], values=values)["ok"]
    until(lambda: "wrote off a loan" in practice.said(channel))
    assert practice.command("responder-1", "timeline", channel)["ok"]

    def listed() -> bool:
        return "Judgement: It is genuine. the lending market wrote off a loan" in "\n".join(
            written(one) for one in practice.messages(channel, "responder-1")
        )

    assert until(listed)


def test_a_share_of_18_decimals_is_told_by_them(practice: Practice) -> None:
    told = f"{share_price(practice, 18):.6f} mUSD a share at block"
    assert told in (text := written(diagnosed(practice, "diagnose share-price")))
    assert "(18 decimals)" in text


def test_run_again_asks_anew_in_the_thread_of_the_first(practice: Practice) -> None:
    first = diagnosed(practice, "diagnose reserve-ratio")
    assert "Recovered: nothing is wrong now" in written(first)
    practice.break_("world", "reserve-ratio", percent="94.1")
    known = {message["ts"] for message in practice.messages("musd-infra")}
    assert practice.press("responder-1", first, "Run again", "musd-infra")["ok"]
    second = closed(practice, "musd-infra", known)
    assert "Resolution step 2 applies" in written(second)
    assert second["thread_ts"] == first["ts"]


def test_all_the_evidence_is_a_file_with_the_command_behind_each_line(practice: Practice) -> None:
    practice.break_("world", "relay-oom")
    message = until(lambda: "OOMKilled:" in written(seen := diagnosed(practice, "diagnose relay-down")) and seen)
    name = f"evidence-relay-down-{message['ts']}.txt"
    file = until(lambda: next((one for one in practice.get("/person/files") if one["name"] == name), None))
    text = practice.http.get(file["url"], timeout=10).text
    commands = [probe.command for probe in discover().by_key["relay-down"].probes]
    assert [command for command in commands if f"$ {command}" not in text] == []
    assert "kubectl -n musd get pods -l app=musd-relay" in written(message)
    assert file["thread_ts"] == message["ts"]


def test_a_diagnosis_where_the_bot_is_no_member_is_told_to_whoever_asked(practice: Practice) -> None:
    known = {message["ts"] for message in practice.messages("general", "responder-1")}
    assert practice.command("responder-1", "diagnose reserve-ratio", "general")["ok"]
    message = closed(practice, "general", known, "responder-1")
    assert message["ephemeral_to"]
    assert "Recovered: nothing is wrong now" in written(message)
    assert "/invite @musd-bot" in written(message)
    assert message["buttons"] == []


@pytest.mark.parametrize("hang", HANGS, ids=lambda hang: hang.target)
def test_a_hung_source_costs_its_own_lines_and_no_more(practice: Practice, hang: Hang) -> None:
    """Measured by the bot itself: what Slack and this test take to show it is no part of a diagnosis."""
    runbook = discover().by_key[hang.runbook]
    slowest = PATIENCE * max(probe.timeout for probe in runbook.probes)
    diagnosed(practice, f"diagnose {hang.runbook}")  # so that nothing is asked for the first time below
    for fault in hang.faults:
        practice.post("/faults", target=hang.target, **fault)

    before = practice.metrics()
    text = written(diagnosed(practice, f"diagnose {hang.runbook}"))
    took = seconds(runbook, before, practice.metrics())

    assert {title for state, title in _LINE.findall(text) if state == "UNKNOWN"} == hang.silent
    waited = {probe.title: took[probe.key] for probe in runbook.probes if took[probe.key] >= slowest / 2}
    assert waited.keys() <= hang.silent, waited
    assert took["all"] <= 1.3 * slowest


def seconds(runbook: Runbook[Reads], before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each probe took between two readings of the bot's metrics, in the mean, and the diagnosis as a whole."""
    series = {probe.key: ("musd_probe_seconds", f'{{probe="{probe.key}"}}') for probe in runbook.probes}
    series["all"] = "musd_diagnosis_seconds", f'{{runbook="{runbook.key}"}}'

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    return {key: grown(f"{name}_sum{of}") / grown(f"{name}_count{of}") for key, (name, of) in series.items()}


def diagnosed(practice: Practice, text: str, channel: str = "musd-infra") -> dict[str, Any]:
    """`/musd diagnose …`; its message once the verdict is there."""
    known = {message["ts"] for message in practice.messages(channel)}
    assert practice.command("responder-1", text, channel)["ok"]
    return closed(practice, channel, known)


def closed(practice: Practice, channel: str, known: set[str], user: str | None = None) -> dict[str, Any]:
    """The diagnosis that is not among those known, once its verdict is there; as `user` sees it, or anybody."""

    def done() -> dict[str, Any] | None:
        fresh = [one for one in practice.messages(channel, user) if one["ts"] not in known]
        return next((one for one in fresh if "Do now:" in written(one)), None)

    return until(done)
