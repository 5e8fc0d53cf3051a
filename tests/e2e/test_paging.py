"""PagerDuty both ways: pages go out and are believed only once taken; what people do there shows here, once."""

from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written

INTEGRATIONS = ("protocol", "infra", "security", "fallback")
"""Of the practice account: whichever took a page knows its key, so an acknowledgement goes to each of them."""


def key_of(practice: Practice, title: str) -> str:
    """The dedup key of the newest page whose summary contains this."""
    found = [page for page in practice.pages() if title in page["payload"]["summary"]]
    return str(found[-1]["dedup_key"]) if found else ""


@pytest.fixture
def incident(practice: Practice, request: pytest.FixtureRequest) -> tuple[str, str]:
    """A critical incident of its own: its channel, and its page's key."""
    name = "P" + request.node.name.removeprefix("test_").replace("_", "")[:30]
    practice.alert(firing(name))
    channel = practice.incident(name.lower())
    key = until(lambda: key_of(practice, name))
    until(lambda: "PagerDuty paged" in practice.said(channel) or page_of(practice, key))
    return channel, key


def page_of(practice: Practice, key: str) -> Any:
    """The page in PagerDuty, by the REST API the bot uses."""
    url, headers = practice.world["pagerduty"], {"Authorization": "Token token=practice-api-token"}
    answer = practice.http.get(f"{url}/incidents", params={"incident_key": key}, headers=headers, timeout=5).json()
    return answer["incidents"][-1] if answer["incidents"] else None


def notes_of(practice: Practice, key: str) -> list[str]:
    url, headers = practice.world["pagerduty"], {"Authorization": "Token token=practice-api-token"}
    page = page_of(practice, key)["id"]
    notes = practice.http.get(f"{url}/incidents/{page}/notes", headers=headers, timeout=5).json()["notes"]
    return [note["content"] for note in notes]


def there(practice: Practice, action: str, key: str, **more: str) -> None:
    """A person does something in PagerDuty itself."""
    body = {"dedup_key": key, "user": "guardian-1", **more}
    practice.http.post(f"{practice.world['pagerduty']}/practice/{action}", json=body, timeout=5).raise_for_status()


def test_a_page_links_back_and_has_a_priority_and_a_note(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident
    identity = practice.channels(channel)[0]["id"]

    page = next(one for one in practice.pages() if one["dedup_key"] == key)

    assert [link["href"] for link in page["links"]] == [f"https://slack.com/app_redirect?channel={identity}"]
    assert until(lambda: (page_of(practice, key)["priority"] or {}).get("summary")) == "P1"
    assert until(lambda: [one for one in notes_of(practice, key) if channel in one])


def test_acknowledged_there_is_acknowledged_here_once(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident
    practice.break_("pagerduty", "duplicate-webhooks")

    there(practice, "acknowledge", key)

    until(lambda: "ACKNOWLEDGED" in written(practice.messages(channel)[0]))
    until(lambda: "Acknowledged in PagerDuty" in practice.said(channel))
    told = [one for one in practice.messages(channel) if "Acknowledged in PagerDuty" in (one["text"] or "")]
    assert len(told) == 1
    assert [one["event_action"] for one in practice.pages("acknowledge") if one["dedup_key"] == key] == []


def test_resolved_there_is_resolved_here(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident

    there(practice, "resolve", key)

    assert until(lambda: "Resolved in PagerDuty" in written(practice.messages(channel)[0]))
    assert [one for one in practice.pages("resolve") if one["dedup_key"] == key] == []


def test_escalated_and_reassigned_there_is_said_here(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident

    there(practice, "escalate", key)
    there(practice, "reassign", key, to="operator-2")

    until(lambda: "Escalated in PagerDuty" in practice.said(channel))
    assert until(lambda: "now with Omar Ortiz" in practice.said(channel))


def test_a_forged_webhook_changes_nothing(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident

    practice.break_("pagerduty", "forged-webhook")

    body = {"event": {"event_type": "incident.resolved", "data": {"incident_key": key}}}
    answer = practice.http.post(f"{practice.world['bot']}/pagerduty", json=body, timeout=5)
    assert (answer.status_code, "RESOLVED" in written(practice.messages(channel)[0])) == (401, False)


def test_acknowledged_and_resolved_here_is_so_there(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident

    practice.command("responder-1", "incident ack", channel)
    until(lambda: page_of(practice, key)["status"] == "acknowledged")
    practice.command("responder-1", "incident resolve it was a test", channel)
    until(lambda: page_of(practice, key)["status"] == "resolved")

    # What comes back as a webhook is an echo, and is not said again.
    assert "in PagerDuty by" not in practice.said(channel)
    assert len([one for one in practice.pages("acknowledge") if one["dedup_key"] == key]) <= len(INTEGRATIONS)


def test_a_note_on_the_timeline_is_on_the_page(practice: Practice, incident: tuple[str, str]) -> None:
    channel, key = incident

    practice.command("responder-1", "note the relay's disk is full", channel)

    assert until(lambda: [one for one in notes_of(practice, key) if "the relay's disk is full" in one])


@pytest.mark.parametrize(
    ("fault", "more"),
    [("down", {}), ("ratelimited", {"times": 6}), ("http-500", {"times": 6})],
    ids=["down", "429", "5xx"],
)
def test_an_outage_loses_no_page_and_doubles_none(practice: Practice, fault: str, more: dict[str, int]) -> None:
    name = f"PagerDutyAnswers{fault.replace('-', '').title()}"
    practice.break_("pagerduty", fault, **more)
    practice.alert(firing(name))
    channel = practice.incident(name.lower())
    shouted = until(lambda: [one for one in practice.messages(channel) if "NOBODY WAS PAGED" in (one["text"] or "")])
    assert "<@U0" in shouted[0]["text"]

    practice.mend()

    until(lambda: "delivered" in practice.said(channel))
    key = key_of(practice, name)
    assert len([one for one in practice.messages(channel) if "NOBODY WAS PAGED" in (one["text"] or "")]) == 1
    assert page_of(practice, key)["alert_counts"]["all"] == 1


def test_a_wrong_key_falls_back_to_the_second_integration() -> None:
    fresh = Practice("--set", "pagerduty_routing_key=" + "f" * 32)
    try:
        fresh.alert(firing("NobodyTakesThis"))
        channel = fresh.incident("nobodytakesthis")
        until(lambda: "SECOND integration" in fresh.said(channel))
        assert page_of(fresh, key_of(fresh, "NobodyTakesThis"))["service"]["summary"] == "mUSD fallback"
    finally:
        fresh.stop()


def test_who_is_on_call(practice: Practice) -> None:
    practice.command("responder-1", "oncall")

    board = until(lambda: next((m for m in practice.messages("musd-alerts", "responder-1") if m["ephemeral_to"]), None))

    assert all(name in written(board) for name in ("Protocol Engineering", "Infrastructure", "Security", "#musd-infra"))
    assert "next:" in written(board)


def test_a_page_by_hand(practice: Practice) -> None:
    practice.command("responder-1", "page infra the validators are slow")

    assert until(lambda: key_of(practice, "the validators are slow")).startswith("musd-call-")
    said = until(lambda: "paged Infrastructure" in practice.said("musd-infra"))
    assert said


def test_the_roles_channel_gets_the_link(practice: Practice) -> None:
    practice.alert(firing("DiskNearlyFull", team="infra"))
    channel = practice.incident("disknearlyfull")
    identity = practice.channels(channel)[0]["id"]

    assert until(lambda: f"<#{identity}>" in practice.said("musd-infra"))
