"""Pictures where people look: the status, an incident, and the bot's own metrics behind them."""

import requests

from tests.world.practice import Practice, firing, until


def pictures(practice: Practice) -> set[str]:
    return {one["id"] for one in practice.get("/person/files") if one["content_type"] == "image/png"}


def test_the_status_shows_the_last_day_in_its_thread(practice: Practice) -> None:
    before = pictures(practice)
    assert practice.command("responder-1", "status", "musd-infra")["ok"]
    assert until(lambda: pictures(practice) - before)


def test_an_incident_shows_what_its_runbook_looks_at(practice: Practice) -> None:
    before = pictures(practice)
    assert practice.alert(firing("ReserveRatioBelowThreshold")).ok
    practice.incident("reserve-ratio")
    assert until(lambda: pictures(practice) - before)


def test_the_readings_are_metrics(practice: Practice) -> None:
    def told() -> str:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{practice.world['bot']}/metrics", timeout=10).text

    assert until(lambda: "musd_reserve_ratio_percent 10" in told())
    lines = dict(line.rsplit(" ", 1) for line in told().splitlines() if line.startswith("musd_"))
    assert 1.0 < float(lines["musd_share_price_musd"]) < 1.2
