"""Acting on the oracle, through the doors: the verdict's offers, who may approve them, and what the world then does."""

from typing import Any

from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"
PAUSE, SWITCH = "Pause oracle updates…", "Switch the oracle's source to the fallback…"


def written_to(practice: Practice, deployment: str) -> list[Any]:
    """The specs that were really written to a deployment, dry runs left out."""
    return [
        one["body"]["spec"]
        for one in practice.get("/seen/cluster")
        if one["method"] == "PATCH" and f"/deployments/{deployment}?" in one["path"] and "dryRun" not in one["path"]
    ]


def offered(practice: Practice, runbook: str, label: str) -> dict[str, Any]:
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    assert practice.command("responder-1", f"diagnose {runbook}", CHANNEL)["ok"]
    message: dict[str, Any] = until(lambda: practice.with_button(CHANNEL, label, known))
    return message


def proposed(practice: Practice) -> dict[str, Any]:
    """The modal that operator-1 has open, filled in; the Proposal's message."""
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    view = practice.modal("operator-1")
    body = {"user": "operator-1", "view_id": view["id"], "values": {"reason": "the price is wrong"}}
    assert practice.post("/person/submit", **body)["ok"]
    message: dict[str, Any] = until(lambda: practice.with_button(CHANNEL, "Approve", known))
    return message


def receipt(practice: Practice, proposal: dict[str, Any]) -> str:
    def told() -> str | None:
        replies = [m for m in practice.messages(CHANNEL) if m["thread_ts"] == proposal["ts"]]
        return next((text for text in map(written, replies) if "Receipt:" in text), None)

    return until(told)


def test_updates_are_paused_by_a_guardian_where_manipulation_is_suspected_and_resumed(practice: Practice) -> None:
    practice.break_("world", "oracle-manipulated")
    offer = offered(practice, "liquidation-surge", PAUSE)
    practice.press("operator-1", offer, PAUSE, CHANNEL)
    proposal = proposed(practice)
    assert "kubectl scale deployment/oracle-feeder --replicas=0 (now 1)" in written(proposal)

    practice.press("operator-1", proposal, "Approve", CHANNEL)
    assert written_to(practice, "oracle-feeder") == []
    practice.press("guardian-1", proposal, "Approve", CHANNEL)
    assert "stopped: scaled from 1 to 0" in receipt(practice, proposal)

    practice.command("operator-1", "oracle resume", CHANNEL)
    proposal = proposed(practice)
    assert "kubectl scale deployment/oracle-feeder --replicas=1 (now 0)" in written(proposal)
    practice.press("guardian-1", proposal, "Approve", CHANNEL)
    assert "1 of 1 new pods ready" in receipt(practice, proposal)
    assert [spec["replicas"] for spec in written_to(practice, "oracle-feeder")] == [0, 1]


def test_the_source_is_switched_where_the_first_is_down_and_prices_come_again(practice: Practice) -> None:
    practice.break_("world", "oracle-api-down")
    offer = offered(practice, "oracle-stale", SWITCH)
    practice.press("operator-1", offer, SWITCH, CHANNEL)
    proposal = proposed(practice)
    assert "PRICE_SOURCE: tradecraft → temple" in written(proposal)
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    assert "answers 200" in receipt(practice, proposal)
    until(lambda: "stale for" not in written(offered(practice, "oracle-stale", SWITCH)))

    practice.command("operator-1", "oracle switch tradecraft", CHANNEL)
    proposal = proposed(practice)
    assert "PRICE_SOURCE: temple → tradecraft" in written(proposal)
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    assert "answers 200" in receipt(practice, proposal)


def test_what_cannot_be_meant_is_refused_in_words(practice: Practice) -> None:
    practice.command("operator-1", "oracle stop", CHANNEL)
    until(lambda: "Do what with the oracle?" in "\n".join(map(written, practice.messages(CHANNEL, "operator-1"))))
