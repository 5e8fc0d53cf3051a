"""The terminal where Slack is not: status, diagnosis, incidents; readable, for pipelines, and reading only."""

import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.world import warm
from tests.world.practice import Practice, firing, until, written


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world whose folder is known, for the environment that stands in it."""
    running = Practice("--set", "recheck=1", data=tmp_path_factory.mktemp("terminal"))
    yield running
    running.stop()


def typed(world: Practice, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """A command beside the bot: its exit code and both outputs."""
    assert world.data is not None
    lines = shlex.split((world.data / "bot.env").read_text())
    environment = dict(line.split("=", 1) for line in lines) | settings
    command = warm.program(*arguments)
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return answer.returncode, answer.stdout, answer.stderr


def test_status_is_ok_and_ends_with_0(world: Practice) -> None:
    code, said, _ = typed(world, "status")

    assert "OK      Relay /health" in said
    assert "All is OK." in said
    assert code == 0


def test_status_for_a_pipeline_names_what_does_not_answer_and_ends_with_1(world: Practice) -> None:
    code, said, _ = typed(world, "status", "--json", MUSD_RELAY_URL="http://127.0.0.1:9")
    wrong = [one["check"] for one in json.loads(said) if one["state"] != "OK"]

    assert (code, wrong) == (1, ["relay:health"])


def test_a_diagnosis_names_the_step_and_what_to_do(world: Practice) -> None:
    world.break_("world", "relay-crashloop")
    try:
        code, said, _ = until(
            lambda: one if "CrashLoopBackOff:" in (one := typed(world, "diagnose", "relay-down"))[1] else None
        )
    finally:
        world.mend()

    assert "BAD  Resolution step 1: CrashLoopBackOff" in said
    assert "Do now: " in said
    assert code == 1


def test_an_unknown_runbook_is_refused_with_those_there_are(world: Practice) -> None:
    code, said, why = typed(world, "diagnose", "nothing")

    assert (code, said) == (2, "")
    assert "There is no runbook 'nothing'." in why
    assert "relay-down" in why


def test_incidents_and_the_timeline_of_one(world: Practice) -> None:
    world.alert(firing("PVCNearlyFull"))
    world.incident("pvcnearlyfull")

    code, said, _ = typed(world, "incidents", "--json")
    incident = json.loads(said)[0]
    _, timeline, _ = typed(world, "incidents", incident["id"])

    assert (code, incident["title"]) == (1, "PVCNearlyFull")
    assert "bot: PVCNearlyFull fires" in timeline


def test_without_a_database_it_says_where_to_look_and_makes_none(
    world: Practice, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("nothing")

    code, _, why = typed(world, "incidents", MUSD_DATA_DIR=str(folder))

    assert code == 2
    assert "MUSD_DATA_DIR" in why
    assert list(folder.iterdir()) == []


def test_the_audit_log_holds_and_its_head_is_said(world: Practice) -> None:
    world.command("responder-1", "help")

    code, said, _ = typed(world, "audit", "verify")
    head = said.partition("Head    ")[2].split()[0]

    assert code == 0
    assert "OK      The audit log is what was written" in said
    assert typed(world, "audit", "verify", "--head", head)[0] == 0


def test_a_head_that_is_not_there_is_a_tail_cut_off(world: Practice) -> None:
    code, said, _ = typed(world, "audit", "verify", "--head", f"999999:{'0' * 64}")

    assert code == 1
    assert "row 999999 is not there any more" in said


def test_the_audit_log_is_exported_a_row_a_line(world: Practice) -> None:
    world.command("responder-1", "help")

    _, said, _ = typed(world, "audit", "export")

    rows = [json.loads(line) for line in said.splitlines()]
    assert {row["what"] for row in rows} >= {"command"}
    assert [row["prev_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert posted_head(world, "today's") in {f"{row['seq']}:{row['hash']}" for row in rows}


def posted_head(world: Practice, why: str) -> str:
    """The head as it stands in the audit channel."""
    return until(
        lambda: next(
            (
                found[1]
                for message in world.messages("musd-audit")
                if why in (text := written(message))
                and (found := re.search(r"audit verify --head (\d+:[0-9a-f]{64})", text))
            ),
            None,
        )
    )


def test_a_tail_cut_off_is_found_by_the_head_that_stands_in_slack(world: Practice, tmp_path: Path) -> None:
    assert world.data is not None
    head = posted_head(world, "today's")
    with (
        closing(sqlite3.connect(world.data / "bot" / "musd-bot.db")) as source,
        closing(sqlite3.connect(tmp_path / "musd-bot.db")) as copy,
    ):
        source.backup(copy)
        for (trigger,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            copy.execute(f"DROP TRIGGER {trigger}")
        copy.execute("DELETE FROM audit WHERE seq >= ?", (int(head.partition(":")[0]),))
        copy.commit()

    assert typed(world, "audit", "verify", "--head", head)[0] == 0
    assert typed(world, "audit", "verify", MUSD_DATA_DIR=str(tmp_path))[0] == 0
    code, said, _ = typed(world, "audit", "verify", "--head", head, MUSD_DATA_DIR=str(tmp_path))
    assert (code, "is not there any more: the log was cut off" in said) == (1, True)


def test_the_head_is_posted_after_an_execution(world: Practice) -> None:
    channel, proposal = world.propose_pause()
    world.press("guardian-1", proposal, "Confirm", channel)

    head = posted_head(world, "after an execution")

    assert typed(world, "audit", "verify", "--head", head)[0] == 0


def audit_shown(world: Practice, text: str, words: str, person: str = "guardian-1") -> str:
    """What `/musd audit` whispers."""
    world.command(person, text)
    return until(
        lambda: next(
            (
                said
                for one in world.messages("musd-alerts", person)
                if one["ephemeral_to"] and words in (said := written(one))
            ),
            None,
        )
    )


def test_a_guardian_reads_what_somebody_did(world: Practice) -> None:
    world.command("responder-1", "oncall of-mine")

    assert '"text": "oncall of-mine"' in audit_shown(world, "audit U0RESPO0001", "oncall of-mine")


def test_what_was_refused_at_the_door_is_a_row(world: Practice) -> None:
    world.command("responder-1", "pause everythingg")

    assert "There is no set 'everythingg' to pause." in audit_shown(world, "audit U0RESPO0001", "refused")


def test_a_long_list_is_a_file_in_the_audit_channel(world: Practice) -> None:
    for _ in range(11):
        world.command("responder-1", "help")

    assert "in #musd-audit" in audit_shown(world, "audit 50", "rows are in the file")


def test_an_operator_does_not_read_the_audit_log(world: Practice) -> None:
    assert "takes a guardian" in audit_shown(world, "audit", "You can't read the audit log", "operator-1")
