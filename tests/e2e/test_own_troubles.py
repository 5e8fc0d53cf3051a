"""The bot's own troubles: alerts that it can't take are never answered 200, and work that nobody does is said aloud."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from tests.world.practice import Practice, firing, until, written


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world whose database is known."""
    running = Practice(data=tmp_path_factory.mktemp("troubles"))
    yield running
    running.stop()


@contextmanager
def locked(world: Practice) -> Iterator[None]:
    """Somebody else holds the database's one write lock, as a backup or a full disk might."""
    with closing(sqlite3.connect(_database(world), timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _database(world: Practice) -> Path:
    assert world.data is not None
    return world.data / "bot" / "musd-bot.db"


def stored(world: Practice, name: str) -> int:
    """How many alerts of this name are in the database."""
    with closing(sqlite3.connect(_database(world))) as database:
        query = "SELECT count(*) FROM signals WHERE json_extract(body, '$.name') = ?"
        return int(database.execute(query, [name]).fetchone()[0])


def delivered(world: Practice, name: str) -> requests.Response:
    """One delivery, over a connection of its own."""
    body = {"version": "4", "alerts": [firing(name, "warning")]}
    token = {"Authorization": f"Bearer {world.world['alertmanager_token']}"}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(world.world["bot"] + "/alertmanager", json=body, headers=token, timeout=120)


@pytest.fixture(scope="module")
def refused(world: Practice) -> dict[str, requests.Response]:
    """What four deliveries at once are answered while the store can't be written, by the name of their alert."""
    names = [f"Crowd{number}" for number in range(4)]
    with locked(world), ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: delivered(world, name), names), strict=True))


def test_what_can_t_be_stored_is_503_and_nothing_else(refused: dict[str, requests.Response]) -> None:
    assert {answer.status_code for answer in refused.values()} == {503}


def test_the_store_s_trouble_is_said(refused: dict[str, requests.Response]) -> None:
    assert any("The database did not answer" in answer.json()["error"] for answer in refused.values())


def test_more_deliveries_than_there_is_room_for_are_told_so(refused: dict[str, requests.Response]) -> None:
    assert any("as much as it can" in answer.json()["error"] for answer in refused.values())


def test_sent_again_they_are_stored_and_shown(world: Practice, refused: dict[str, requests.Response]) -> None:
    assert [delivered(world, name).status_code for name in refused] == [200] * 4

    assert [stored(world, name) for name in refused] == [1] * 4
    for name in refused:
        until(lambda name=name: any(f"{name} is not well" in written(m) for m in world.messages("musd-alerts")))


@pytest.mark.parametrize(
    ("status", "words"),
    [("PENDING", "stands still: nobody runs it"), ("ERROR", "ended in an error and will not go on by itself")],
)
def test_a_workflow_that_does_not_go_on_is_an_alarm_said_once(world: Practice, status: str, words: str) -> None:
    delivered(world, "AnyWork")
    until(lambda: "AnyWork" in world.said("musd-alerts"))
    name = f"left-{status.lower()}"
    plant(world, name, status)

    said = until(lambda: [text for m in world.messages("musd-alerts") if name in (text := written(m))])

    assert len(said) == 1
    assert words in said[0]


def plant(world: Practice, name: str, status: str) -> None:
    """A workflow of a version that had one that this one no longer has."""
    assert world.data is not None
    with closing(sqlite3.connect(world.data / "bot" / "engine.db", timeout=20)) as engine, engine:
        engine.row_factory = sqlite3.Row
        row = dict(engine.execute("SELECT * FROM workflow_status WHERE name = 'warn' LIMIT 1").fetchone())
        row |= {"workflow_uuid": name, "name": "left", "status": status, "created_at": 0, "updated_at": 0}
        places = ", ".join(f":{column}" for column in row)
        engine.execute(f"INSERT INTO workflow_status ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - ours
