"""What runbooks do beside their verdicts: suggest the nearest, keep a judgement, wait for no hung source."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.world.practice import Practice, firing, share_price, until, written


@dataclass(frozen=True)
class Hang:
    """A source that answers nothing for a minute, a runbook that asks it, and the lines that it alone costs."""

    target: str
    faults: tuple[Mapping[str, object], ...]
    runbook: str
    silent: frozenset[str]
    slowest: float
    """Seconds: the longest timeout of the runbook's probes."""


HANGS = (
    Hang(
        "chain",
        ({"fault": "rpc-hang", "which": "A"}, {"fault": "rpc-hang", "which": "B"}),
        "liquidation-surge",
        frozenset({"Liquidations", "Last price on the chain", "Chainlink", "Prices written in 1 h", "Gas price"}),
        8.0,
    ),
    Hang(
        "cluster",
        ({"fault": "api-slow", "seconds": 60},),
        "liquidation-surge",
        frozenset({"Liquidation bot", "Recent errors"}),
        8.0,
    ),
    Hang(
        "prices",
        ({"fault": "slow", "seconds": 60},),
        "liquidation-surge",
        frozenset({"CoinGecko", "Tradecraft"}),
        8.0,
    ),
    Hang(
        "ledger",
        ({"fault": "slow", "seconds": 60},),
        "canton-participant-down",
        frozenset({"Canton's process", "Canton participant"}),
        5.0,
    ),
    Hang("aws", ({"fault": "slow", "seconds": 60},), "database-recovery", frozenset({"Newest backup"}), 5.0),
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
    assert practice.command("responder-1", "diagnose share-price", "musd-infra")["ok"]
    told = f"{share_price(practice, 18):.6f} mUSD a share at block"
    text = until(lambda: next((t for m in practice.messages("musd-infra") if told in (t := written(m))), None))
    assert "(18 decimals)" in text


@pytest.mark.parametrize("hang", HANGS, ids=lambda hang: hang.target)
def test_a_hung_source_costs_its_own_lines_and_no_more(practice: Practice, hang: Hang) -> None:
    for fault in hang.faults:
        practice.post("/faults", target=hang.target, **fault)
    known = {message["ts"] for message in practice.messages("musd-infra")}
    began = time.monotonic()
    assert practice.command("responder-1", f"diagnose {hang.runbook}", "musd-infra")["ok"]

    def closed() -> str | None:
        fresh = [one for one in practice.messages("musd-infra") if one["ts"] not in known]
        return next((written(one) for one in fresh if one["buttons"] and "asking" not in written(one)), None)

    text = until(closed)
    took = time.monotonic() - began
    assert {title for state, title in _LINE.findall(text) if state == "UNKNOWN"} == hang.silent
    assert took <= 1.3 * hang.slowest
