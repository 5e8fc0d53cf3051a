"""The present bot on what the first release left behind: it knows the incident, and what was due is done."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from tests.world import first_release
from tests.world.practice import Practice, until, written

pytestmark = pytest.mark.timeout(300)
CHANNEL = first_release.INCIDENT["channel_name"]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """The world of the first release, gone on with by this version, once on either database."""
    folder = tmp_path_factory.mktemp("upgraded")
    url, settings = f"sqlite:///{folder}/bot/musd-bot.db", ["--scenario", "relay-down"]
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
        settings += ["--set", f"DATABASE_URL={url}"]
    asyncio.run(first_release.write(folder, url))
    practice = Practice(*settings, data=folder)
    yield practice
    practice.stop()


def test_the_deadline_of_an_incident_that_was_open_fires(upgraded: Practice) -> None:
    until(lambda: "have passed, and nothing proves that it is over" in upgraded.said(CHANNEL))


def test_the_proposal_that_nobody_confirmed_expires(upgraded: Practice) -> None:
    shown = until(lambda: [one for one in upgraded.messages(CHANNEL) if "EXPIRED: nothing was sent" in written(one)])
    assert [button["label"] for button in shown[0]["buttons"]] == []


def test_the_incident_is_known(upgraded: Practice) -> None:
    assert re.search(rf"{first_release.INCIDENT['id']}.*Relay Service Down", upgraded.terminal("incidents"))


def test_the_audit_log_is_one_chain_from_the_first_row_on(upgraded: Practice) -> None:
    assert "is what was written, from its first row to its last" in upgraded.terminal("audit", "verify")
