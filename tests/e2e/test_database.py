"""The ledger's database through the doors: its disk, a backup, and a restore that two admins type the name for.

The bot dies by SIGKILL when a step's effect has happened and its journal doesn't know of it yet: at every step of both
plans here, at every boundary there is under `make soak`, which also makes the database as large as a real one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bot.drill.database import Database
from tests.e2e.test_infrastructure import insist, is_taken, propose, receipt
from tests.world.deaths import DYING, EVERYWHERE, Deaths
from tests.world.leaks import Beginnings, traces
from tests.world.ledger_database import DrillsDatabase, needed
from tests.world.memory import Memory
from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"
VALIDATOR = "musd-validator-2"
MIB = 200 if EVERYWHERE else 20
STEPS = r"^execute\.(back up|land|.* (stop|change)|standing.*|end before|safety backup|load|verify|swap|finish)\.done$"
"""The boundaries right behind what each step does."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800 if EVERYWHERE else 300)]


class World:
    """A drill with a ledger worth restoring, whose bot dies as often as there are steps; who looks on meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.deaths = Deaths(folder / "deaths")
        self.data = folder / "world"
        self.backups = folder / "backups"
        self.identity = str(pyrage.x25519.Identity.generate())
        (folder / "identity").write_text(self.identity)
        settings = (
            *(self.deaths.setting, "backup_bucket=", f"backup_dir={self.backups}"),
            *(f"backup_age_identity={folder / 'identity'}", f"validators={VALIDATOR}"),
            f"deployments=canton-participant,{VALIDATOR},musd-relay",
        )
        self.practice = Practice(*(word for one in settings for word in ("--set", one)), data=self.data)
        self.database = DrillsDatabase(self.practice.world["kubeconfig"])
        self.beginnings = Beginnings()
        self.memory = Memory(self.data)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of its own, since a restore leaves its bridge paused."""
    needed(Database())
    found = World(tmp_path_factory.mktemp("database"))
    with found.beginnings.watched(), found.memory.watched():
        yield found
    found.practice.stop()


@pytest.fixture(scope="module")
def practice(world: World) -> Practice:
    return world.practice


def test_disk_and_backups_are_shown(practice: Practice) -> None:
    practice.command("responder-1", "database", CHANNEL)
    text = until(lambda: "Newest backup" in practice.said(CHANNEL) and practice.said(CHANNEL))
    assert "38%" in text
    assert "data-canton-postgres-0" in text


def test_a_backup_and_a_restore_killed_at_each_step(world: World) -> None:
    practice, database = world.practice, world.database
    database.fill(MIB)
    before = database.digest()
    proposal = propose(practice, "operator-1", "database backup")
    with world.deaths.at("" if EVERYWHERE else STEPS, practice):
        insist(practice, "operator-1", proposal)
        assert "COMPLETE" in (text := receipt(practice, CHANNEL, proposal, DYING)), text
    size = int(database.ask("SELECT pg_database_size('canton_ledger')"))
    stored = sum(one.stat().st_size for one in world.backups.iterdir())

    database.ask("DELETE FROM lapi_events_create WHERE event_offset > 100")
    proposal = propose(practice, "operator-1", "database restore latest")
    assert "can replay bridge events" in written(proposal)
    first, second = (asked_to_type(practice, admin, proposal) for admin in ("admin-1", "admin-2"))
    assert type_it(practice, "admin-1", first)["ok"]
    with world.deaths.at("" if EVERYWHERE else STEPS, practice):
        until(lambda: is_taken(practice, proposal) or type_it(practice, "admin-2", second)["ok"])
        text = receipt(practice, CHANNEL, proposal, DYING)
    assert "COMPLETE" in text, text
    assert "the ledger is where it was" in text
    assert practice.paused("BLE_BRIDGE")
    assert database.digest() == before
    assert (size > MIB * 2**20, stored > MIB * 2**20 // 2, world.memory.mib < 300) == (True, True, True), (
        world.memory.mib
    )


def asked_to_type(practice: Practice, admin: str, proposal: dict[str, Any]) -> dict[str, Any]:
    """The modal that an approval opens, which takes no other name than the database's."""
    practice.press(admin, proposal, "Approve", CHANNEL)
    view: dict[str, Any] = practice.modal(admin)
    wrong = practice.post("/person/submit", user=admin, view_id=view["id"], values={"typed": "canton"})
    assert "That is not canton_ledger" in wrong["errors"]["typed"]
    return view


def type_it(practice: Practice, admin: str, view: dict[str, Any]) -> Any:
    return practice.post("/person/submit", user=admin, view_id=view["id"], values={"typed": "canton_ledger"})


def test_an_operators_approval_of_a_restore_is_refused_before_anything_is_typed(practice: Practice) -> None:
    proposal = propose(practice, "operator-1", "database restore latest")
    practice.press("operator-2", proposal, "Approve", CHANNEL)
    until(lambda: "takes an admin" in "\n".join(map(written, practice.messages(CHANNEL, "operator-2"))))
    assert practice.views("operator-2") == []


def test_a_backup_that_is_not_there_is_refused(practice: Practice) -> None:
    practice.command("operator-1", "database restore nothing.dump", CHANNEL)
    until(lambda: "no complete backup called" in "\n".join(map(written, practice.messages(CHANNEL, "operator-1"))))


def test_no_secret_is_found_anywhere(world: World) -> None:
    """The last one: it ends the drill. The database's password, and the key that opens the backups."""
    planted = ["practice-postgres-password", world.identity]
    assert traces(world.practice, planted, world.beginnings) == []
