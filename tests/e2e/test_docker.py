"""A relay that docker-compose runs, through the doors: diagnosed, read, restarted; Kubernetes is not asked about it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.drill.docker import CONTAINER
from tests.e2e.test_infrastructure import propose, receipt
from tests.e2e.test_logs import log
from tests.e2e.test_verdicts import Case, brings_its_verdict, diagnosed, part, world
from tests.world.practice import Practice, firing, until, written

CHANNEL = "musd-infra"
COMPOSE = "docker compose -f relay/docker-compose.yml"
RESTART = ("Restart musd-relay…",)
CASES = (
    Case(
        "well",
        "relay-down",
        "Healthy again: the relay runs and answers",
        (),
        (
            "Canton from the pod*: canton-participant:7575 reachable from",
            "Mi at ",
        ),
        ready="1 of 1 ready",
    ),
    Case(
        "prices not synced",
        "oracle-stale",
        "The relay does not sync prices",
        (world("relay-not-syncing"),),
        ("The relay's log: ERROR [prices]", f"{COMPOSE} logs --tail=100 relay | grep -i price"),
        RESTART,
    ),
    Case(
        "dies at every start",
        "relay-down",
        "CrashLoopBackOff: start-up error",
        (world("relay-crashloop"),),
        (
            f"{CONTAINER} is in Restarting after ",
            "its log ends with: FATAL config: RELAYER",
            f"{COMPOSE} ps relay",
            f"{COMPOSE} logs --tail=100 relay",
            "last run ended: Error (exit 1)",
            "image ghcr.io/minted/musd-relay",
        ),
        RESTART,
        ready="0 of 1 ready: Restarting",
    ),
    Case(
        "killed for its memory",
        "relay-down",
        "OOMKilled: raise the memory limit",
        (world("relay-oom"),),
        (f"{CONTAINER} was OOMKilled (memory limit: 512Mi, last usage: not available)"),
        ("Raise the memory limit of musd-relay", *RESTART),
        ready="0 of 1 ready: OOMKilled",
    ),
    Case(
        "Canton out of its reach",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (part("cluster", "egress-blocked", kind="canton"),),
        (
            f"Canton: NOT reachable from {CONTAINER}",
            "Operation timed out",
            f"{COMPOSE} exec -T relay nc",
        ),
        ready="NOT reachable",
    ),
    Case(
        "unwell",
        "relay-down",
        "Restart the relay",
        (world("relay-unhealthy"),),
        ("0 of 1 ready: Unhealthy", "answers 503: supply mismatch", "docker inspect"),
        RESTART,
        ready="Unhealthy",
    ),
    Case(
        "gone",
        "relay-down",
        "Restart the relay",
        (world("relay-down"),),
        ("musd-relay: 0 of 1 ready: Exited"),
        RESTART,
        ready="Exited",
    ),
    Case(
        "Docker away",
        "relay-down",
        "No resolution step is proven",
        (part("docker", "down", how="close"),),
        ("*UNKNOWN* · *Pods*: Docker does not answer: the connection was closed",),
    ),
    Case(
        "Docker forbids",
        "relay-down",
        "No resolution step is proven",
        (part("docker", "forbidden"),),
        ("*UNKNOWN* · *Pods*: Docker does not let the bot look at relay-relay-1",),
    ),
)


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    settings = ("--set", f"docker_containers=musd-relay={CONTAINER}", "--set", "recheck=1")
    running = Practice(*settings, data=tmp_path_factory.mktemp("docker"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _mended(practice: Practice) -> Iterator[None]:
    yield
    practice.mend()


def test_its_log_is_the_containers_redacted_and_errors_first(practice: Practice) -> None:
    practice.break_("cluster", "hostile-logs")
    before = len(practice.get("/person/files"))
    text = log(practice, "logs relay 400")
    assert text.index("*Errors*") < text.index("*The last lines*")
    assert ("redacted" in text, "xoxb-" in text) == (True, False)
    until(lambda: [one for one in practice.get("/person/files")[before:] if one["name"].startswith("musd-relay-")])
    asked = [one["path"] for one in practice.get("/seen/docker") if "/logs?" in one["path"]]
    assert "tail=400" in asked[-1]


def test_since_asks_for_a_stretch_of_its_log(practice: Practice) -> None:
    assert "last 2000 lines, of the last 15 min" in log(practice, "logs relay 2000 --since 15m")
    assert "since=" in [one["path"] for one in practice.get("/seen/docker") if "/logs?" in one["path"]][-1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fault_brings_its_verdict(practice: Practice, case: Case) -> None:
    text = brings_its_verdict(practice, case)
    assert "kubectl -n musd get pods -l app=musd-relay" not in text


def test_an_incidents_logs_have_the_containers(practice: Practice) -> None:
    practice.break_("world", "relay-crashloop")
    practice.alert(firing(case="docker"))
    incident = practice.incident("relay-down")
    before = len(practice.get("/person/files"))
    assert practice.command("responder-1", "logs collect", incident)["ok"]
    until(lambda: [one for one in practice.get("/person/files")[before:] if one["name"].startswith("musd-relay-")])


def test_it_is_restarted_through_docker(practice: Practice) -> None:
    practice.break_("cluster", "crashloop", until="restart")
    until(lambda: diagnosed(practice, "relay-down", "step 1 applies"))
    proposal = propose(practice, "operator-1", "restart relay")
    assert f"docker restart {CONTAINER}" in written(proposal)
    practice.press("operator-1", proposal, "Approve", CHANNEL)
    text = receipt(practice, CHANNEL, proposal)
    assert "COMPLETE" in text, text
    assert "1 of 1 new containers ready" in text
    assert [one for one in practice.get("/seen/docker") if one["path"].endswith("/restart?t=10")]
    until(lambda: diagnosed(practice, "relay-down", "Healthy again"))


def doctor(practice: Practice, **settings: str) -> dict[str, Any]:
    lines = json.loads(practice.terminal("doctor", "--json", **settings))
    return {one["check"]: one for one in lines}


def test_the_doctor_looks_at_the_engine_and_at_each_container(practice: Practice) -> None:
    lines = doctor(practice)
    assert (lines["docker:MUSD_DOCKER_URL"]["state"], lines["container:musd-relay"]["state"]) == ("OK", "OK")
    assert "answers, version 27.5.1" in lines["docker:MUSD_DOCKER_URL"]["summary"]
    assert "relay-relay-1 is there: running" in lines["container:musd-relay"]["summary"]


def test_the_doctor_says_what_to_mend(practice: Practice) -> None:
    gone = doctor(practice, MUSD_DOCKER_CONTAINERS="musd-relay=relay-1")["container:musd-relay"]
    assert (gone["state"], "MUSD_DOCKER_CONTAINERS has to name" in gone["mend"]) == ("BAD", True)
    away = doctor(practice, MUSD_DOCKER_READ_URL="unix:///nowhere/docker.sock")
    engine = away["docker:MUSD_DOCKER_READ_URL"]
    assert (engine["state"], "Check MUSD_DOCKER_READ_URL" in engine["mend"]) == ("UNKNOWN", True)
    assert away["docker:MUSD_DOCKER_URL"]["state"] == "OK"


def test_kubernetes_was_not_asked_about_it(practice: Practice) -> None:
    """The last one: whatever was asked meanwhile is among it."""
    asked = [one["path"] for one in practice.get("/seen/cluster")]
    assert [path for path in asked if "musd-relay" in path] == []
