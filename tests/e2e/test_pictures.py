"""Pictures where people look: the status, an incident, and the bot's own metrics behind them."""

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
    told = until(lambda: 100 <= (read := practice.metrics())["musd_reserve_ratio_percent"] < 110 and read)
    assert 1.0 < told["musd_share_price_musd"] < 1.2
