"""The worked example of docs/adding-a-runbook.md, executed: it is a runbook, it is found, and its verdicts hold."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.domain.probe import State, bad, ok, unknown
from bot.domain.runbook import decide
from bot.runbooks import collect, discover
from tests.world import worked_example

FINDS = """
import asyncio
from bot.runbooks import discover
from bot.wiring.checks import runbooks
print(discover().for_alert("BridgeAttestationBacklog").title)
print(asyncio.run(runbooks.checks()[0].ask(None)).summary)
"""


def example() -> Any:
    """What the page's code makes."""
    made: dict[str, Any] = {}
    exec(worked_example.code(), made)  # noqa: S102 - our own page
    return made["RUNBOOK"]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout in which somebody followed the page: its one file is all that differs."""
    return worked_example.followed(tmp_path_factory.mktemp("followed"))


def ran(followed: Path, *arguments: str) -> str:
    """What a Python there prints."""
    environment = {**os.environ, "PYTHONPATH": str(followed)}
    command = [sys.executable, *arguments]
    answer = subprocess.run(command, cwd=followed, env=environment, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr


def test_its_alert_and_the_doctor_find_it(followed: Path) -> None:
    alert, doctor = ran(followed, "-c", FINDS).splitlines()

    assert alert == "Bridge Attestation Backlog"
    assert "attestation-backlog" in doctor


def test_its_page_is_made_and_the_tests_over_every_runbook_take_it_in(followed: Path) -> None:
    tests = ("-m", "pytest", "-p", "no:cacheprovider", "tests/terminal/test_runbooks.py", "-k", "attestation")
    assert "1 failed" in ran(followed, *tests)  # its page is owed

    ran(followed, "-m", "bot", "runbooks", "--write", "docs/runbooks")

    page = (followed / "docs" / "runbooks" / "bridge-attestation-backlog.md").read_text()
    assert "/musd diagnose attestation-backlog" in page
    assert "1 passed" in ran(followed, *tests)


def test_it_stands_beside_the_others_without_a_clash() -> None:
    runbook = example()

    everyone = collect([*discover().by_key.values(), runbook])

    assert everyone.for_alert("BridgeAttestationBacklog") is runbook


def test_each_of_its_steps_applies_where_its_condition_holds() -> None:
    runbook = example()
    relay = {"relay:health": bad("answers 503: backlog", reason="backlog", status=503)}

    assert decide(runbook, relay).step == "2"


def test_silence_proves_neither_a_fault_nor_recovery() -> None:
    runbook = example()
    silent = {probe.key: unknown("no answer") for probe in runbook.probes}

    assert decide(runbook, silent).state is State.UNKNOWN


def test_it_is_over_once_the_probes_it_names_are_ok() -> None:
    runbook = example()
    well = {key: ok("well") for key in ("validators:pods", "relay:health")}

    assert decide(runbook, well).state is State.OK
