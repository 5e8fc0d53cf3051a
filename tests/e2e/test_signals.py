"""Signals as Alertmanager really sends them: twice, late, in the wrong order, together with others, again and again."""

from typing import Any

import pytest

from tests.world.practice import Practice, firing, resolved, until, written

LATER = "2026-11-24T03:20:00Z"
MUCH_LATER = "2026-11-24T06:00:00Z"
_number = iter(range(1000))


@pytest.fixture
def name() -> str:
    """An alert's name that nobody has used."""
    return f"Odd{next(_number)}"


def again(alert: dict[str, Any], starts_at: str = LATER) -> dict[str, Any]:
    """The same alert, begun anew."""
    return alert | {"startsAt": starts_at}


def opened(practice: Practice, *alerts: dict[str, Any]) -> str:
    """The channel of the incident that these open."""
    practice.alert(*alerts)
    return practice.incident(alerts[0]["labels"]["alertname"].lower())


def timeline(practice: Practice, channel: str) -> str:
    """The incident's timeline, as somebody is shown it."""

    def answers() -> list[dict[str, Any]]:
        return [message for message in practice.messages(channel, "guardian-1") if message["ephemeral_to"]]

    before = len(answers())
    assert practice.command("guardian-1", "timeline", channel)["ok"]
    return written(until(lambda: answers()[before:])[-1])


def on_the_timeline(practice: Practice, channel: str, words: str) -> str:
    """The timeline, once these words are on it."""
    return until(lambda: text if words in (text := timeline(practice, channel)) else None)


def times(practice: Practice, channel: str, words: str, number: int) -> bool:
    """Waits until these words are on the timeline so often; whether it is not more."""
    return until(lambda: timeline(practice, channel).count(words) >= number) and (
        timeline(practice, channel).count(words) == number
    )


def shown(practice: Practice, name: str) -> dict[str, Any]:
    """The message in the alerts channel that shows this warning."""
    return until(lambda: next((m for m in _about(practice, name) if m["buttons"]), None))


def thread(practice: Practice, message: dict[str, Any]) -> list[str]:
    """What is written under a message of the alerts channel."""
    return [written(m) for m in practice.messages("musd-alerts") if m["thread_ts"] == message["ts"] != m["ts"]]


def _about(practice: Practice, name: str) -> list[dict[str, Any]]:
    return [m for m in practice.messages("musd-alerts") if f"{name} is not well" in written(m)]


# --- Twice, and together -------------------------------------------------------------------------------------------


def test_two_alertmanagers_that_deliver_the_same_are_one_incident_and_one_page(practice: Practice, name: str) -> None:
    alert = firing(name)
    other = alert | {"generatorURL": "http://prometheus-2/graph"}

    assert [practice.alert(one).json()["new"] for one in (alert, other, alert)] == [1, 0, 0]

    practice.incident(name.lower())
    until(lambda: [page for page in practice.pages() if name in page["payload"]["summary"]])
    assert len(practice.channels(f"-{name.lower()}-")) == 1
    assert len([page for page in practice.pages() if name in page["payload"]["summary"]]) == 1


def test_an_alert_of_an_open_incident_joins_it(practice: Practice, name: str) -> None:
    channel = opened(practice, firing(name, host="a"))

    practice.alert(firing(name, host="b"))

    assert times(practice, channel, f"{name} fires", 2)
    assert len(practice.channels(f"-{name.lower()}-")) == 1


def test_a_group_of_firing_and_resolved_alerts_is_taken_apart(practice: Practice, name: str) -> None:
    over = firing(f"{name}Warned", "warning")
    practice.alert(over)
    message = shown(practice, f"{name}Warned")

    practice.deliver({"version": "4", "status": "firing", "alerts": [resolved(over), firing(name)]})

    assert practice.incident(name.lower())
    assert until(lambda: any(f"{name}Warned is resolved" in text for text in thread(practice, message)))


def test_many_alerts_of_one_kind_are_one_line_of_the_timeline(practice: Practice, name: str) -> None:
    channel = opened(practice, *(firing(name, host=str(number)) for number in range(20)))

    assert f"20 alerts fire: 20 x {name}" in on_the_timeline(practice, channel, "20 alerts")


# --- Over, again, and in the wrong order ---------------------------------------------------------------------------


def test_an_alert_that_fires_again_joins_the_incident_that_is_still_open(practice: Practice, name: str) -> None:
    alert = firing(name, host="a")
    channel = opened(practice, firing(name, host="b"), alert)
    practice.alert(resolved(alert))
    on_the_timeline(practice, channel, f"{name} is resolved")

    practice.alert(again(alert))

    assert times(practice, channel, f"{name} fires", 1)
    assert len(practice.channels(f"-{name.lower()}-")) == 1


def test_an_alert_that_flaps_is_one_incident_that_is_reopened_and_pages_again(practice: Practice, name: str) -> None:
    alert = firing(name)
    channel = opened(practice, alert)
    practice.alert(resolved(alert))
    until(lambda: "RESOLVED" in written(practice.messages(channel)[0]))

    practice.alert(again(alert))

    assert until(lambda: f"Reopened: {name} fires again" in practice.said(channel))
    assert until(lambda: len([page for page in practice.pages() if name in page["payload"]["summary"]]) == 2)
    assert len(practice.channels(f"-{name.lower()}-")) == 1


def test_another_alert_of_a_resolved_incident_opens_the_next_one(practice: Practice, name: str) -> None:
    channel = opened(practice, firing(name, host="a"))
    assert practice.command("responder-1", "incident resolve it was the disk", channel)["ok"]
    until(lambda: "RESOLVED" in written(practice.messages(channel)[0]))

    practice.alert(firing(name, host="b"))

    assert practice.incident(name.lower(), 1) != channel


def test_an_end_that_comes_before_its_beginning_ends_it_all_the_same(practice: Practice, name: str) -> None:
    alert = firing(name)
    practice.alert(resolved(alert))

    channel = opened(practice, alert)

    assert until(lambda: "RESOLVED" in written(practice.messages(channel)[0]))


def test_the_end_of_an_alert_nobody_saw_begin_opens_nothing(practice: Practice, name: str) -> None:
    practice.alert(resolved(firing(name)))
    practice.alert(firing(f"{name}Next", "warning"))
    shown(practice, f"{name}Next")

    assert practice.channels(f"-{name.lower()}-") == []


def test_a_warning_that_was_over_before_it_was_shown_says_so(practice: Practice, name: str) -> None:
    alert = firing(name, "warning")
    practice.alert(resolved(alert))
    practice.alert(alert)

    message = shown(practice, name)

    assert until(lambda: any(f"{name} is resolved" in text for text in thread(practice, message)))


def test_a_warning_that_flaps_is_one_message_with_its_story_below(practice: Practice, name: str) -> None:
    alert = firing(name, "warning")
    practice.alert(alert)
    message = shown(practice, name)
    practice.alert(resolved(alert))
    until(lambda: len(thread(practice, message)) == 1)
    practice.alert(again(alert))
    until(lambda: len(thread(practice, message)) == 2)
    practice.alert(resolved(again(alert)))
    until(lambda: len(thread(practice, message)) == 3)

    first, second, third = thread(practice, message)

    assert f"{name} is resolved" in first
    assert f"{name} fires again" in second
    assert f"{name} is resolved" in third
    assert len([m for m in _about(practice, name) if m["buttons"]]) == 1


def test_a_warning_that_comes_back_hours_later_is_a_message_of_its_own(practice: Practice, name: str) -> None:
    alert = firing(name, "warning")
    practice.alert(alert)
    shown(practice, name)

    practice.alert(again(alert, MUCH_LATER))

    assert until(lambda: len([m for m in _about(practice, name) if m["buttons"]]) == 2)


# --- Warnings and incidents ----------------------------------------------------------------------------------------


def test_a_warning_joins_the_open_incident_of_its_kind(practice: Practice, name: str) -> None:
    channel = opened(practice, firing(name))

    practice.alert(firing(name, "warning", host="b"))

    assert times(practice, channel, f"{name} fires", 2)
    assert not [m for m in _about(practice, name) if m["buttons"][0]["label"] == "Open incident"]


def test_a_critical_alert_makes_a_medium_incident_critical_and_pages(practice: Practice, name: str) -> None:
    practice.alert(firing(name, "warning"))
    assert practice.press("responder-1", shown(practice, name), "Open incident", "musd-alerts")["ok"]
    channel = practice.incident(name.lower())
    assert [page for page in practice.pages() if name in page["payload"]["summary"]] == []

    practice.alert(firing(name, host="b"))

    assert until(lambda: [page for page in practice.pages() if name in page["payload"]["summary"]])
    assert until(lambda: "CRITICAL" in written(practice.messages(channel)[0]).upper())


def test_an_alert_that_flaps_does_not_raise_what_people_have_lowered(practice: Practice, name: str) -> None:
    alert = firing(name, host="a")
    channel = opened(practice, firing(name, host="b"), alert)
    assert practice.command("responder-1", "incident severity medium", channel)["ok"]
    on_the_timeline(practice, channel, "lowered")
    practice.alert(resolved(alert))

    practice.alert(again(alert))

    assert times(practice, channel, f"{name} fires", 1)
    assert "raised" not in timeline(practice, channel)


def test_a_warning_with_a_runbook_is_diagnosed_below_its_message(practice: Practice) -> None:
    practice.alert(firing("OraclePriceStale", "warning"))
    message = shown(practice, "OraclePriceStale")

    assert until(lambda: any("Diagnosis" in text for text in thread(practice, message)))
