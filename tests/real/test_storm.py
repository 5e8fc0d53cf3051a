"""Ten thousand alerts through a real Alertmanager: all stored, few incidents, one notice, and the bot still answers."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.world.alertmanager import alertmanager
from tests.world.practice import Practice, until, written

pytestmark = [pytest.mark.real, pytest.mark.alone, pytest.mark.timeout(600)]

RUNBOOKS = {"RelayServiceDown": 2000, "ValidatorServiceDown": 1000, "ReserveRatioBelowThreshold": 500}
UNKNOWN = {f"NobodyKnows{number}": 100 for number in range(30)}
WARNINGS = {f"Grumbling{number}": 350 for number in range(10)}
ALL = sum(RUNBOOKS.values()) + sum(UNKNOWN.values()) + sum(WARNINGS.values())
CAP = 5
"""Channels that alerts without a runbook may open here."""
LARGEST = 300 * 1024
"""KiB of the bot's memory."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the world and Alertmanager keep their files."""
    return tmp_path_factory.mktemp("storm")


@pytest.fixture(scope="module")
def storm(folder: Path) -> Iterator[tuple[Practice, list[float], int]]:
    """A world through which the storm has passed; how long each `/musd status` in it took to be acknowledged, in ms."""
    practice = Practice("--set", f"most_incidents={CAP}", "--set", "recheck=2", data=folder / "world", cold=True)
    acks: list[float] = []
    sizes: list[int] = []
    over = threading.Event()
    asking = threading.Thread(target=_ask, args=(practice, acks, sizes, over))
    try:
        with alertmanager(practice, folder) as manager:
            asking.start()
            alerts = [*_alerts(RUNBOOKS, "critical"), *_alerts(UNKNOWN, "critical"), *_alerts(WARNINGS, "warning")]
            manager.take(alerts)
            until(lambda: _count(folder) == ALL, 120)
            until(lambda: _count(folder, "WHERE NOT handled") == 0, 120)
            until(lambda: f"{ALL} alerts so far" in practice.said("musd-alerts"))
            ended = datetime.now(UTC).isoformat()
            manager.take([alert | {"endsAt": ended} for alert in alerts])
            until(lambda: _count(folder) == 2 * ALL, 120)
            until(lambda: _count(folder, "WHERE NOT handled") == 0, 120)
            over.set()
            asking.join()
        yield practice, acks, max(sizes)
    finally:
        over.set()
        practice.stop()


def _alerts(names: dict[str, int], severity: str) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    for name, number in names.items():
        for instance in range(number):
            labels = {"alertname": name, "severity": severity, "instance": f"host-{instance}"}
            yield {"labels": labels, "annotations": {"summary": f"{name} is not well"}, "startsAt": now}


def _ask(practice: Practice, acks: list[float], sizes: list[int], over: threading.Event) -> None:
    """Somebody asks for the status all through it."""
    pid = practice.world_now()["pids"]["bot"]
    while not over.is_set():
        acks.append(practice.command("responder-1", "status", "general")["acked_ms"])
        status = Path(f"/proc/{pid}/status").read_text()
        sizes.append(int(status.partition("VmRSS:")[2].split()[0]))
        time.sleep(1)


def _count(folder: Path, where: str = "") -> int:
    with closing(sqlite3.connect(folder / "world" / "bot" / "musd-bot.db", timeout=10)) as database:
        return int(database.execute(f"SELECT count(*) FROM signals {where}").fetchone()[0])  # noqa: S608 - ours


Storm = tuple[Practice, list[float], int]


def test_every_alert_is_stored_and_every_end(storm: Storm, folder: Path) -> None:
    assert storm
    assert _count(folder) == 2 * ALL


def test_an_incident_whose_alerts_are_all_over_says_so_once(storm: Storm) -> None:
    practice, _, _ = storm
    channel = until(lambda: practice.channels("-relay-down-"))[0]["name"]

    def said() -> int:
        return len([m for m in practice.messages(channel) if "the page is resolved" in written(m)])

    assert until(said) == 1


def test_one_incident_a_runbook_and_one_that_holds_the_rest(storm: Storm) -> None:
    practice, _, _ = storm
    names = [channel["name"] for channel in until(lambda: _all_opened(practice))]

    assert len([name for name in names if "nobodyknows" in name]) == CAP
    assert [
        len([n for n in names if f"-{slug}-" in n]) for slug in ("relay-down", "validator-down", "reserve-ratio")
    ] == [
        1,
        1,
        1,
    ]
    assert len([name for name in names if "alert-storm" in name]) == 1


def _all_opened(practice: Practice) -> list[dict[str, Any]]:
    found = practice.channels("inc-")
    return found if len(found) == CAP + len(RUNBOOKS) + 1 else []


def test_one_notice_stands_for_the_warnings(storm: Storm) -> None:
    practice, _, _ = storm
    texts = [written(message) for message in practice.messages("musd-alerts")]

    assert len([text for text in texts if "Alert storm: " in text]) == 1
    assert len([text for text in texts if "Grumbling" in text and "Alert storm" not in text]) <= 60


def test_no_channel_has_more_than_one_message_a_second(storm: Storm) -> None:
    practice, _, _ = storm
    fastest = 10.0
    for channel in practice.channels():
        stamps = [float(m["ts"]) for m in practice.messages(channel["name"]) if m["user"] == "musd-bot"]
        fastest = min([fastest, *(later - earlier for earlier, later in pairwise(sorted(stamps)))])

    assert fastest >= 0.99


def test_a_command_is_acknowledged_within_a_second_all_through_it(storm: Storm) -> None:
    _, acks, _ = storm

    assert len(acks) > 3
    assert max(acks) < 1000


def test_the_bot_stays_small(storm: Storm) -> None:
    _, _, size = storm

    assert size < LARGEST
