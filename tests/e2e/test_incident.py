"""From an alert to an incident, a diagnosis, a page, and back."""

import pytest

from tests.world.practice import Practice, firing, resolved, until, written


@pytest.fixture
def relay(practice: Practice) -> str:
    """The channel of a relay incident that is under way, with the relay crash-looping."""
    practice.break_("world", "relay-crashloop")
    known = len(practice.channels("-relay-down-"))
    alert = firing(instance=f"relay-{known}")
    assert practice.alert(alert).json()["new"] == 1
    assert practice.alert(alert).json()["new"] == 0
    return practice.incident("relay-down", known)


def test_the_whole_relay_incident(practice: Practice, relay: str) -> None:
    """One story, told in one test, since each part stands on the one before."""
    practice.alert(firing(instance="relay-0"))
    channel = practice.channels("-relay-down-")[0]
    assert relay.startswith("inc-")
    assert len(practice.channels("-relay-down-")) == 1

    first = practice.messages(relay)[0]
    assert "Bridge operations are halted" in written(first)
    assert first["buttons"][0]["label"] == "Pause protocol…"
    assert "Relay Service Down" in until(lambda: practice.channels("-relay-down-")[0]["topic"])

    diagnosis = until(lambda: next((m for m in practice.messages(relay) if "Resolution step" in written(m)), None))
    assert diagnosis["thread_ts"] == first["ts"]
    assert "step 1" in written(diagnosis)
    assert "RELAYER_PRIVATE_KEY" in written(diagnosis)

    members = until(lambda: practice.channels("-relay-down-")[0]["members"])
    assert len(members) >= 8
    assert channel["is_private"] is False
    (key,) = {page["dedup_key"] for page in practice.pages() if "Relay Service Down" in page["payload"]["summary"]}
    assert any(relay in m["text"] or "Incident opened" in written(m) for m in practice.messages("musd-alerts"))

    practice.alert(resolved(firing(instance="relay-0")))
    assert until(lambda: "the page stays open" in practice.said(relay))
    assert key not in {page["dedup_key"] for page in practice.pages("resolve")}

    practice.mend()
    assert until(lambda: key in {page["dedup_key"] for page in practice.pages("resolve")})
    assert until(lambda: "the page is resolved" in practice.said(relay))
    assert until(lambda: "RESOLVED" in written(practice.messages(relay)[0]))


def test_an_oom_killed_relay_is_step_2(practice: Practice) -> None:
    practice.break_("world", "relay-oom")
    known = len(practice.channels("-relay-down-"))
    practice.alert(firing(instance="oom"))
    channel = practice.incident("relay-down", known)

    text = until(lambda: next((t for m in practice.messages(channel) if "step 2" in (t := written(m))), None))

    assert "OOMKilled" in text
    practice.mend()
    practice.alert(resolved(firing(instance="oom")))
    until(lambda: "the page is resolved" in practice.said(channel))


def test_any_other_critical_alert_opens_an_incident_of_its_own(practice: Practice) -> None:
    labels = {"instance": "<!channel>", "note": "```<http://evil|click>", "team": "\u001b[31mred"}
    practice.alert(firing("PVCNearlyFull", **labels), firing("PVCNearlyFull", instance="b"))
    channel = practice.incident("pvcnearlyfull")

    first = practice.messages(channel)[0]

    assert len(practice.channels("-pvcnearlyfull-")) == 1
    assert "Pause protocol…" in [button["label"] for button in first["buttons"]]
    assert "<!channel>" not in str(first["blocks"])
    assert "<http://evil" not in str(first["blocks"])
    assert "\u001b" not in str(first["blocks"])
    assert "team" in written(first)


def test_a_warning_goes_to_the_alerts_channel_and_can_become_an_incident(practice: Practice) -> None:
    practice.alert(firing("LendingUtilizationHigh", "warning"))
    message = until(
        lambda: next((m for m in practice.messages("musd-alerts") if "LendingUtilizationHigh" in written(m)), None)
    )
    assert practice.channels("-lendingutilizationhigh-") == []

    assert practice.press("responder-1", message, "Open incident", "musd-alerts")["ok"]

    assert practice.incident("lendingutilizationhigh")


def test_an_info_alert_is_counted_and_says_nothing(practice: Practice) -> None:
    practice.alert(firing("DeploymentDone", "info"))
    practice.alert(firing("AfterTheInfo", "warning"))
    until(lambda: "AfterTheInfo" in practice.said("musd-alerts"))

    assert "DeploymentDone" not in practice.said("musd-alerts")


def test_an_alert_without_a_severity_is_a_warning(practice: Practice) -> None:
    practice.alert(firing("NobodyLabelledThis", None))

    assert until(lambda: "NobodyLabelledThis" in practice.said("musd-alerts"))
