"""Two bots on one PostgreSQL: both take what comes, one leads, and when that one is killed the other goes on."""

import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from tests.world import warm
from tests.world.practice import PAUSABLE, Practice, firing, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

HANDOVER = 10
"""Seconds that the issue gives it."""


class Two:
    """A practice world with its own bot, and a second one beside it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.database = url
        self.practice = Practice("--set", f"DATABASE_URL={url}", data=folder / "world")
        self.first = self.practice.world["bot"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.second = f"http://127.0.0.1:{port}"
        lines = shlex.split((folder / "world" / "bot.env").read_text())
        environment = dict(line.split("=", 1) for line in lines) | {"MUSD_HTTP_PORT": str(port)}
        with (folder / "second.log").open("wb") as log:
            command = warm.program("serve")
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        until(lambda: self.ready(self.second))

    def stop(self) -> None:
        """End both."""
        self.process.terminate()
        self.process.wait(10)
        self.practice.stop()

    def ready(self, url: str) -> bool:
        """Whether this one calls itself ready."""
        return self._ask(url, "/readyz") is not None

    def leads(self, url: str) -> bool:
        """Whether this one says that it leads."""
        return bool(re.search(r"^musd_leads 1\.0$", self._ask(url, "/metrics") or "", re.MULTILINE))

    def kill_leader(self) -> str:
        """SIGKILL whoever leads; the address of the one that is left."""
        if self.leads(self.first):
            os.kill(self.practice.world_now()["pids"]["bot"], signal.SIGKILL)
            return self.second
        self.process.kill()
        return self.first

    def timeline(self) -> list[tuple[str, str]]:
        """Incident and key of every entry there is."""
        with psycopg.connect(self.database) as server:
            return server.execute("SELECT incident_id, key FROM timeline").fetchall()

    def _ask(self, url: str, path: str) -> str | None:
        try:
            answer = self.practice.http.get(url + path, timeout=5)
        except requests.RequestException:
            return None
        return answer.text if answer.ok else None


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Two]:
    """Both of them, for the tests below in their order."""
    running = Two(tmp_path_factory.mktemp("two"), request.getfixturevalue("postgres").new_database())
    yield running
    running.stop()


def test_one_leads_and_the_other_is_ready(two: Two) -> None:
    assert [two.leads(two.first), two.leads(two.second)] == [True, False]
    assert [two.ready(two.first), two.ready(two.second)] == [True, True]


def test_an_alert_that_the_standby_takes_opens_its_incident(two: Two) -> None:
    two.practice.world["bot"] = two.second
    assert two.practice.alert(firing("SentToTheStandby")).json() == {"received": 1, "new": 1}
    two.practice.world["bot"] = two.first
    assert two.practice.alert(firing("SentToTheStandby")).json() == {"received": 1, "new": 0}

    assert two.practice.incident("senttothestandby")


def test_people_are_answered_whoever_gets_their_commands(two: Two) -> None:
    assert [two.practice.command("responder-1", "status")["ok"] for _ in range(4)] == [True] * 4


def test_a_leader_killed_in_a_pause_hands_over_and_nothing_is_lost_or_done_twice(two: Two) -> None:
    practice = two.practice
    practice.alert(firing())
    channel = practice.incident("relay-down")
    _, proposal = practice.propose_pause(channel=channel)
    assert practice.press("guardian-1", proposal, "Confirm", channel)["ok"]

    left = two.kill_leader()
    began = time.monotonic()
    practice.world["bot"] = left
    assert practice.alert(firing("SentInTheGap")).ok
    until(lambda: two.leads(left), HANDOVER)
    assert time.monotonic() - began < HANDOVER

    until(lambda: all(practice.paused(contract) for contract in PAUSABLE))
    until(lambda: any(key.startswith("receipt:") for _, key in two.timeline()))
    practice.incident("sentinthegap")
    assert [contract for _, _, contract in sorted(practice.paused_events())] == list(PAUSABLE)
    assert len(practice.channels("-relay-down-")) == len(practice.channels("-sentinthegap-")) == 1
    pages = {page["dedup_key"] for page in practice.pages() if "Relay Service Down" in page["payload"]["summary"]}
    assert len(pages) == 1
    written = two.timeline()  # once: the standby goes on writing
    assert len(written) == len(set(written))


def test_the_one_that_was_killed_comes_back_and_stands_by(two: Two) -> None:
    until(lambda: two.ready(two.first))

    assert [two.leads(two.first), two.leads(two.second)].count(True) == 1
