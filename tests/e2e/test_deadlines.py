"""Every deadline, with short settings: what passes is loud, what cleared says so, UNKNOWN clears nothing."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from tests.world.practice import Practice, firing, until, written

ESCALATE, WATCH, DUE = 3, 4, 6
"""Seconds, in the place of fifteen minutes, an hour and two days."""
_SHORT = {
    "escalate_after": ESCALATE,
    "watch_for": WATCH,
    "watch_every": 1,
    "postmortem_due": DUE,
    "recheck": 1,
    "most_incidents": 500,
}
_numbers = count()
Open = Callable[[], str]


@pytest.fixture(scope="module")
def hasty() -> Iterator[Practice]:
    """A drill in which time is short."""
    running = Practice(*(word for key, value in _SHORT.items() for word in ("--set", f"{key}={value}")))
    yield running
    running.stop()


@pytest.fixture
def relay(hasty: Practice) -> Iterator[Open]:
    """Opens an incident of the relay; it is over behind the test, so that the next one is another."""
    opened: list[str] = []

    def open_one() -> str:
        known = {channel["name"] for channel in hasty.channels("-relay-down-")}
        hasty.alert(firing("RelayServiceDown", number=str(next(_numbers))))
        fresh = until(lambda: [c["name"] for c in hasty.channels("-relay-down-") if c["name"] not in known])
        until(lambda: hasty.messages(fresh[0]))
        opened.append(fresh[0])
        return fresh[0]

    yield open_one
    hasty.mend()
    for channel in opened:
        if "RESOLVED" not in written(hasty.messages(channel)[0]):
            hasty.command("responder-1", "incident resolve the drill goes on", channel)
        until(lambda channel=channel: "RESOLVED" in written(hasty.messages(channel)[0]))  # type: ignore[misc]


def unwell(practice: Practice, fault: str = "relay-down") -> None:
    """The relay is broken, and the cluster shows it."""
    practice.break_("world", fault)


def loud(practice: Practice, channel: str) -> list[dict[str, Any]]:
    """What was shouted."""
    return [one for one in practice.messages(channel) if "🚨" in one["text"]]


def timeline(practice: Practice, channel: str) -> str:
    """All that the newest page of the timeline says."""
    known = {one["ts"] for one in practice.messages(channel, "guardian-2")}
    practice.command("guardian-2", "timeline", channel)
    fresh = until(lambda: [m for m in practice.messages(channel, "guardian-2") if m["ts"] not in known])
    return written(fresh[-1])


def tick(practice: Practice, channel: str, item: str) -> None:
    """Somebody ticks an item."""
    message = until(lambda: next((m for m in practice.messages(channel) if "Checklist" in written(m)), None))
    action = {"user": "responder-1", "channel": channel, "ts": message["ts"], "action_id": f"checklist:{item}"}
    assert practice.post("/person/press", **action)["ok"]


def test_a_relay_that_has_not_recovered_offers_the_pause_loudly(hasty: Practice, relay: Open) -> None:
    unwell(hasty)
    channel = relay()
    assert "⏰" in written(hasty.messages(channel)[0])

    message = until(lambda: loud(hasty, channel))[0]

    assert f"not recovered after {ESCALATE} s" in written(message)
    assert "does not pull it by itself" in written(message)
    assert "<@U0GUARD0001>" in message["text"]
    assert [(one["label"], one["style"]) for one in message["buttons"]] == [("Pause protocol…", "danger")]
    assert not hasty.paused("BLE_BRIDGE")


def test_the_page_goes_up_a_level(hasty: Practice, relay: Open) -> None:
    unwell(hasty)
    channel = relay()
    until(lambda: loud(hasty, channel))

    until(lambda: "Page escalated to" in hasty.said(channel))

    assert "Page escalated to" in timeline(hasty, channel)


def test_what_has_provably_cleared_says_so_and_does_nothing(hasty: Practice, relay: Open) -> None:
    channel = relay()

    until(lambda: "Deadline passed and cleared, nothing to do" in hasty.said(channel))

    assert loud(hasty, channel) == []
    assert until(lambda: "⏰" not in written(hasty.messages(channel)[0]))


def test_unknown_clears_nothing(hasty: Practice, relay: Open) -> None:
    hasty.break_("cluster", "api-down")
    channel = relay()

    message = until(lambda: loud(hasty, channel))[0]

    assert "Pods: UNKNOWN" in written(message)


def test_an_incident_that_is_over_is_not_escalated(hasty: Practice, relay: Open) -> None:
    unwell(hasty)
    channel = relay()
    hasty.command("responder-1", "incident resolve a false alarm", channel)
    until(lambda: "RESOLVED" in written(hasty.messages(channel)[0]))

    until(lambda: "reminder of the post-mortem" in written(hasty.messages(channel)[0]))

    assert until(lambda: "emergency pause is offered" not in written(hasty.messages(channel)[0]))


def test_a_fix_in_production_is_watched_to_the_all_clear(hasty: Practice, relay: Open) -> None:
    channel = relay()
    tick(hasty, channel, "production")

    until(lambda: "All clear: watched to the end" in hasty.said(channel))

    until(lambda: "☑ ~Monitor for 1 hour post-fix~\nthe bot" in hasty.said(channel))
    assert "All clear" in timeline(hasty, channel)


def test_a_watch_that_turns_bad_shouts_and_gives_no_all_clear(hasty: Practice, relay: Open) -> None:
    channel = relay()
    until(lambda: "Deadline passed and cleared" in hasty.said(channel))
    unwell(hasty)
    tick(hasty, channel, "production")

    until(lambda: "NOT all clear" in hasty.said(channel))

    assert "Watching: something is wrong again" in hasty.said(channel)
    assert "☐ Monitor for 1 hour post-fix" in hasty.said(channel)


def test_a_stale_oracle_s_warning_becomes_critical(hasty: Practice) -> None:
    hasty.break_("world", "oracle-stale")
    hasty.alert(firing("OraclePriceStale", "warning", number="stale"))

    channel = hasty.incident("oracle-stale")

    until(lambda: "🔴 CRITICAL · Oracle Price Feed Stale" in hasty.said(channel))
    until(lambda: any("Oracle Price Feed Stale" in str(page) for page in hasty.pages()))
    assert until(lambda: loud(hasty, channel))
    hasty.mend()
    hasty.command("responder-1", "incident resolve the price was written", channel)
    assert until(lambda: "🟢 RESOLVED · Oracle Price Feed Stale" in hasty.said(channel))


def test_a_warning_that_cleared_says_so_below_itself(hasty: Practice) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    hasty.alert(firing("OraclePriceStale", "warning", number="fresh") | {"startsAt": now})

    assert until(lambda: "Deadline passed and cleared, nothing to do: a price" in hasty.said("musd-alerts"))


def test_a_post_mortem_is_asked_for_until_it_is_done(hasty: Practice) -> None:
    hasty.alert(firing("NobodyWritesAnything"))
    channel = hasty.incident("nobodywritesanything")
    hasty.command("guardian-1", "incident ack", channel)
    hasty.command("guardian-1", "incident resolve it went away", channel)

    until(lambda: "The post-mortem is OVERDUE" in hasty.said(channel))

    assert until(lambda: hasty.said(channel).count("The post-mortem is due in") >= 2)
    assert "<@U0GUARD0001>" in hasty.said(channel)


def test_a_post_mortem_that_is_done_is_not_asked_for(hasty: Practice) -> None:
    hasty.alert(firing("SomebodyWrites"))
    channel = hasty.incident("somebodywrites")
    hasty.command("guardian-1", "incident resolve it went away", channel)
    until(lambda: "RESOLVED" in written(hasty.messages(channel)[0]))
    hasty.command("guardian-1", "postmortem", channel)
    until(lambda: hasty.with_button(channel, "Mark as done"))

    hasty.command("guardian-1", "postmortem done", channel)

    until(lambda: "⏰" not in written(hasty.messages(channel)[0]))
    assert until(lambda: "☑ ~Write the post-mortem within 48 hours~" in hasty.said(channel))


def test_a_deadline_passes_once_over_a_restart(hasty: Practice, relay: Open) -> None:
    unwell(hasty)
    channel = relay()
    until(lambda: "⏰" in written(hasty.messages(channel)[0]))
    before = hasty.world_now()["pids"]["bot"]
    os.kill(before, signal.SIGKILL)

    message = until(lambda: loud(hasty, channel))

    assert hasty.world_now()["pids"]["bot"] != before
    until(lambda: "Page escalated to" in hasty.said(channel))
    assert len(message) == len(loud(hasty, channel)) == 1
