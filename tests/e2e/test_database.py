"""The ledger's database through the doors: its disk, a backup, and a restore that two admins type the name for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_infrastructure import propose, receipt
from tests.world.deaths import Deaths
from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"
EVERYWHERE = bool(os.environ.get("MUSD_SOAK"))
DELICATE = r"^execute\.(safety backup|load|swap)\.done$"
"""Where most would be lost: the effect happened, and the journal doesn't know. `make soak` dies at every boundary."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800 if EVERYWHERE else 300)]


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    """Where this world's bot is told to die."""
    return Deaths(tmp_path_factory.mktemp("deaths") / "rehearsed")


@pytest.fixture(scope="module")
def practice(deaths: Deaths) -> Iterator[Practice]:
    """A world of its own, since a restore leaves its bridge paused."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail("there is no PostgreSQL server, and MUSD_TEST_REQUIRE_REAL=1 wants one")
        pytest.skip("there is no PostgreSQL server on this machine")
    running = Practice("--set", deaths.setting)
    yield running
    running.stop()


def test_disk_and_backups_are_shown(practice: Practice) -> None:
    practice.command("responder-1", "database", CHANNEL)
    text = until(lambda: "Newest backup" in practice.said(CHANNEL) and practice.said(CHANNEL))
    assert "38%" in text
    assert "data-canton-postgres-0" in text


def test_a_backup_and_a_restore_killed_where_most_is_at_stake(practice: Practice, deaths: Deaths) -> None:
    proposal = propose(practice, "operator-1", "database backup")
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    assert "5,501 rows" in receipt(practice, CHANNEL, proposal)

    proposal = propose(practice, "operator-1", "database restore latest")
    assert "can replay bridge events" in written(proposal)
    with deaths.at("" if EVERYWHERE else DELICATE, practice):
        for admin in ("admin-1", "admin-2"):
            typed(practice, admin, proposal)
        text = receipt(practice, CHANNEL, proposal)
    assert "COMPLETE" in text, text
    assert "the ledger is where it was" in text
    assert practice.paused("BLE_BRIDGE")


def typed(practice: Practice, admin: str, proposal: dict[str, Any]) -> None:
    """Approve it, with the database's name typed: a wrong one first."""
    practice.press(admin, proposal, "Approve", CHANNEL)
    view = practice.modal(admin)
    wrong = practice.post("/person/submit", user=admin, view_id=view["id"], values={"typed": "canton"})
    assert "That is not canton_ledger" in wrong["errors"]["typed"]
    right = practice.post("/person/submit", user=admin, view_id=view["id"], values={"typed": "canton_ledger"})
    assert right["ok"]


def test_an_operators_approval_of_a_restore_is_refused_before_anything_is_typed(practice: Practice) -> None:
    proposal = propose(practice, "operator-1", "database restore latest")
    practice.press("operator-2", proposal, "Approve", CHANNEL)
    until(lambda: "takes an admin" in "\n".join(map(written, practice.messages(CHANNEL, "operator-2"))))
    assert practice.views("operator-2") == []


def test_a_backup_that_is_not_there_is_refused(practice: Practice) -> None:
    practice.command("operator-1", "database restore nothing.dump", CHANNEL)
    until(lambda: "no complete backup called" in "\n".join(map(written, practice.messages(CHANNEL, "operator-1"))))
