"""Sudden deaths: SIGKILL at every boundary of an incident with a diagnosis and a pause, and whenever chance says so.

Whatever the moment, the end is the same: one channel, one page, one Paused event a contract, no gap in the timeline.
`make soak` does all of it a hundred times, with other dice each time.
"""

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.world.postgres import Postgres
from tests.world.practice import PAUSABLE, Practice, firing, until, written

ROUNDS = int(os.environ.get("MUSD_SOAK", "0"))
RANDOM_DEATHS = 10
OURS = ("respond", "page", "execute")
"""The workflows of this story."""
DELICATE = {
    *("respond.start", "respond.channel.done", "respond.card.done", "respond.diagnosis.kept", "page.page 0.done"),
    *("execute.start", "execute.consume.done", "execute.sign.done", "execute.land.done", "execute.end.done"),
}
"""Some of the boundaries: the record without its workflow; the effect that the journal doesn't know of."""
ONCE = ("signal:", "channel", "page", "diagnosis", "proposed:", "vote:", "begun:", "receipt:")
"""How the keys of the timeline's entries begin, one of each."""

pytestmark = pytest.mark.timeout(600 + 1800 * ROUNDS)


class Story:
    """One incident, told to a bot that dies in it."""

    def __init__(self, folder: Path, url: str | None, *, rehearsed: bool) -> None:
        """`rehearsed`: the bot dies once at every boundary. See bot/engine/rehearsal.py."""
        self.folder = folder
        self.url = url
        self.deaths = folder / "deaths"
        self.deaths.mkdir(parents=True)
        if rehearsed:
            (self.deaths / "every").touch()
        options = [f"DATABASE_URL={url}"] if url else []
        options += [f"MUSD_REHEARSE_KILL={self.deaths}"]
        settings = [word for one in options for word in ("--set", one)]
        self.practice = Practice(*settings, data=folder / "world")

    def tell(self) -> str:
        """An alert, a diagnosis, a pause: people and Alertmanager do it again where they got no answer."""
        practice = self.practice
        practice.break_("world", "relay-crashloop")
        insist(lambda: practice.alert(firing()).ok)
        channel: str = until(lambda: practice.channels("-relay-down-"), 120)[0]["name"]
        until(lambda: "Resolution step" in practice.said(channel), 120)
        insist(lambda: self._propose(channel))
        insist(lambda: self._confirm(channel))
        return channel

    def _proposal(self, channel: str) -> Any:
        messages = self.practice.messages(channel)
        return next((m for m in messages if any(button["label"] == "Confirm" for button in m["buttons"])), None)

    def _confirm(self, channel: str) -> bool:
        """A press that was not acknowledged may have counted all the same: then the button is gone."""
        proposal = self._proposal(channel)
        return proposal is None or self.practice.press("guardian-1", proposal, "Confirm", channel)["ok"]

    def _propose(self, channel: str) -> bool:
        practice = self.practice
        if not practice.command("responder-1", "pause", channel)["ok"]:
            return False
        view = until(lambda: practice.views("responder-1"), 10)[-1]
        values = {"reason": "an attacker drains the bridge"}
        if not practice.post("/person/submit", user="responder-1", view_id=view["id"], values=values)["ok"]:
            return False
        return bool(until(lambda: self._proposal(channel), 60))

    def check(self, channel: str) -> None:
        """The end, however often the bot died."""
        practice = self.practice
        until(lambda: all(practice.paused(contract) for contract in PAUSABLE), 240)
        until(lambda: any(key.startswith("receipt:") for key in self.timeline()), 240)
        until(lambda: self.unfinished() == [], 240)

        assert [one["name"] for one in practice.channels("-relay-down-")] == [channel]
        assert len({page["dedup_key"] for page in practice.pages()}) == 1
        assert [contract for _, _, contract in sorted(practice.paused_events())] == list(PAUSABLE)
        drafts = [text for text in self._timeline("text") if "Announce the pause" in text]
        assert len(drafts) == len(set(drafts))
        keys = self.timeline()
        assert {start: len([key for key in keys if key.startswith(start)]) for start in ONCE} == dict.fromkeys(ONCE, 1)
        said = [written(message) for message in practice.messages(channel)]
        assert len([text for text in said if "Bridge operations are halted" in text]) == 1
        assert len([text for text in said if "Resolution step" in text]) == 1
        assert len([m for m in practice.messages("musd-alerts") if "Incident opened" in written(m)]) == 1

    def timeline(self) -> list[str]:
        """The keys of its entries, but for the announcements that are drafted behind the pause."""
        return self._timeline("key", "WHERE text NOT LIKE 'Proposed: Announce%'")

    def _timeline(self, column: str, where: str = "") -> list[str]:
        return [found for (found,) in self._rows("musd-bot.db", f"SELECT {column} FROM timeline {where}")]  # noqa: S608 - ours

    def unfinished(self) -> list[str]:
        """Workflows of this story that have not ended, or not well."""
        table = "dbos.workflow_status" if self.url else "workflow_status"
        query = f"SELECT workflow_uuid FROM {table} WHERE status NOT IN ('SUCCESS')"  # noqa: S608 - ours
        return [name for (name,) in self._rows("engine.db", query) if name.startswith(OURS)]

    def passed(self) -> set[str]:
        """The boundaries that the bot came to."""
        return set((self.deaths / "passed").read_text().splitlines())

    def died(self) -> int:
        """How often, as the drill noticed."""
        return len([line for line in self.practice.errors if "the bot was killed by signal 9" in line])

    def _rows(self, file: str, query: str) -> list[tuple[Any, ...]]:
        if self.url:
            with psycopg.connect(self.url) as server:
                return server.execute(query).fetchall()
        path = self.folder / "world" / "bot" / file
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()


class Reaper(threading.Thread):
    """Kills the bot at moments that the dice choose."""

    def __init__(self, practice: Practice, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self._practice = practice
        self._dice = dice
        self.deaths = 0

    def run(self) -> None:
        """Kill, whenever the dice say so, until it was often enough."""
        while self.deaths < RANDOM_DEATHS:
            until(self._serves, 60)
            time.sleep(self._dice.uniform(0.05, 3))
            pid = self._practice.world_now()["pids"]["bot"]
            with contextlib.suppress(ProcessLookupError):
                if pid is not None:  # between two lives
                    os.kill(pid, signal.SIGKILL)
                    self.deaths += 1

    def _serves(self) -> bool:
        """Whether it is up again: deaths while it starts would all be the same death."""
        # A session of its own: the story's one is not for two threads.
        with contextlib.suppress(requests.ConnectionError), requests.Session() as session:
            session.trust_env = False
            return session.get(self._practice.world["bot"] + "/healthz", timeout=5).ok
        return False


def insist(act: Callable[[], object], seconds: float = 180) -> None:
    """Do it until it works, as people and Alertmanager do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, AssertionError):
            if act():
                return
        time.sleep(0.3)
    raise AssertionError(f"this did not work within {seconds:g} s: {act}")


@contextlib.contextmanager
def story(folder: Path, url: str | None, *, rehearsed: bool) -> Iterator[Story]:
    """A world of its own for one story."""
    told = Story(folder, url, rehearsed=rehearsed)
    try:
        yield told
    finally:
        told.practice.stop()


def die_everywhere(folder: Path, url: str | None = None) -> None:
    """One story in which the bot dies at every boundary it comes to, once."""
    with story(folder, url, rehearsed=True) as told:
        told.check(told.tell())
        assert told.passed() >= DELICATE
        until(lambda: told.died() >= len(told.passed()))


def die_at_random(seed: int, folder: Path, url: str | None = None) -> None:
    """One story in which the bot dies ten times, at any moment."""
    with story(folder, url, rehearsed=False) as told:
        reaper = Reaper(told.practice, random.Random(seed))  # noqa: S311 - dice, to be rolled again
        reaper.start()
        channel = told.tell()
        reaper.join(300)
        assert reaper.deaths == RANDOM_DEATHS
        told.check(channel)


Told = Mapping[str, Future[None]]
"""A story on each database, told side by side: most of it is a bot that starts, on one core."""


def on_each(story: Callable[[Path, str | None], None], folder: Path, request: pytest.FixtureRequest) -> Iterator[Told]:
    """The story on SQLite and, where it is there, on PostgreSQL."""
    urls: dict[str, str | None] = {"sqlite": None}
    with contextlib.suppress(pytest.skip.Exception):
        urls["postgresql"] = request.getfixturevalue("postgres").new_database()
    with ThreadPoolExecutor(len(urls)) as pool:
        yield {name: pool.submit(story, folder / name, url) for name, url in urls.items()}


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Told]:
    """A death at every boundary."""
    yield from on_each(die_everywhere, tmp_path_factory.mktemp("everywhere"), request)


@pytest.fixture(scope="module")
def at_random(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Told]:
    """Ten deaths at any moment."""
    yield from on_each(partial(die_at_random, 1), tmp_path_factory.mktemp("random"), request)


def _ends_well(told: Told, database: str) -> None:
    if database not in told:
        pytest.skip("there is no PostgreSQL server in /usr/lib/postgresql")
    told[database].result()


def test_a_death_at_every_boundary(everywhere: Told) -> None:
    _ends_well(everywhere, "sqlite")


@pytest.mark.real
def test_a_death_at_every_boundary_on_postgresql(everywhere: Told) -> None:
    _ends_well(everywhere, "postgresql")


def test_ten_deaths_at_random_moments(at_random: Told) -> None:
    _ends_well(at_random, "sqlite")


@pytest.mark.real
def test_ten_deaths_at_random_moments_on_postgresql(at_random: Told) -> None:
    _ends_well(at_random, "postgresql")


@pytest.mark.skipif(not ROUNDS, reason="the long one: make soak")
def test_all_of_it_again_and_again(tmp_path: Path, postgres: Postgres) -> None:
    for number in range(ROUNDS):
        die_everywhere(tmp_path / f"{number}-everywhere")
        die_everywhere(tmp_path / f"{number}-everywhere-postgresql", postgres.new_database())
        die_at_random(1000 + number, tmp_path / f"{number}-random")
        die_at_random(2000 + number, tmp_path / f"{number}-random-postgresql", postgres.new_database())
