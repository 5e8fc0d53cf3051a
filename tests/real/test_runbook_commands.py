"""Every kubectl line of the runbooks beside what a person does in Slack instead: the same answer, the same effect.

Each is done twice in one drill: through the doors by the bot, then by the real kubectl, word for word as the runbook
has it. What changed in between is compared by what the API server says, not by what either of them says of itself.
"""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from bot.drill.database import Database
from tests.e2e.test_database import asked_to_type, type_it
from tests.e2e.test_infrastructure import patches, propose, receipt
from tests.e2e.test_rotation import prompted
from tests.world import kubectl, ledger_database
from tests.world.practice import Practice, until

pytestmark = pytest.mark.real
RUNBOOKS = Path(__file__).parents[3] / "shared" / "runbooks.md"
CHANNEL = "musd-infra"
POD = "canton-postgres-0"
MARK = "kubectl.kubernetes.io/restartedAt"
EVERYTHING = "kubectl -n musd get deployments,pods,secrets -o json"

RELAY_PODS = "kubectl -n musd get pods -l app=musd-relay"
RELAY_LOG = "kubectl -n musd logs -l app=musd-relay --tail=100"
RELAY_RESTART = "kubectl -n musd rollout restart deployment/musd-relay"
VALIDATOR_PODS = "kubectl -n musd get pods -l app=musd-validator"
HEARTBEAT = "kubectl -n musd exec $VALIDATOR_POD -- cat /tmp/heartbeat"
PARTICIPANT_RESTART = "kubectl -n musd rollout restart deployment/canton-participant"
PARTICIPANT_LOG = "kubectl -n musd logs -l app=canton-participant --tail=200"
DISK = "kubectl -n musd exec $PG_POD -- df -h /var/lib/postgresql/data"
BACKUP = "kubectl -n musd exec $PG_POD -- pg_dump -U canton canton_ledger > backup.sql"
RESTORE = "kubectl -n musd exec -i $PG_POD -- psql -U canton canton_ledger < backup.sql"
RELAY_SECRET = (
    'kubectl -n musd create secret generic relay-private-key --from-literal=relayer_private_key="$NEW_KEY" '
    "--dry-run=client -o yaml | kubectl apply -f -"
)
TOKEN_SECRET = (
    'kubectl -n musd create secret generic canton-token --from-literal=canton_token="$NEW_TOKEN" '
    "--dry-run=client -o yaml | kubectl apply -f -"
)
RESTART_ALL = "kubectl -n musd rollout restart deployment --all"
MEMORY = "kubectl -n musd set resources deployment/musd-relay --limits=memory=768Mi"
"""In the runbook in words: increase the memory limit in the deployment."""


BOTH = ("admin-1", "admin-2")
VALIDATOR = "musd-validator-1"
ALL = {"canton-participant", VALIDATOR, "musd-relay"}
"""What this drill's bot may restart: one of each kind, since it takes them one after another. Never itself."""


class World:
    """A drill, and a terminal beside it."""

    def __init__(self, folder: Path) -> None:
        self.backups = folder / "backups"
        fewer = (f"deployments={','.join(sorted(ALL))}", f"validators={VALIDATOR}")
        settings = ("backup_bucket=", f"backup_dir={self.backups}", *fewer)
        self.practice = Practice(*(word for one in settings for word in ("--set", one)))
        self.terminal = kubectl.Terminal(self.practice.world["kubeconfig"], folder)

    def standing(self) -> "Standing":
        """How the cluster stands, once nothing in it moves."""
        return until(lambda: Standing.of(json.loads(self.terminal.type(EVERYTHING))["items"]))

    def approved(self, text: str, *people: str) -> dict[str, Any]:
        """A command in Slack, its modal, and the votes it takes."""
        proposal = propose(self.practice, "operator-1", text)
        for person in people:
            self.practice.press(person, proposal, "Approve", CHANNEL)
        return proposal

    def complete(self, proposal: dict[str, Any]) -> None:
        """Its Receipt says that all of it is done."""
        said = receipt(self.practice, CHANNEL, proposal)
        assert "COMPLETE" in said, said

    def file(self, text: str) -> str:
        """The file that a command brings."""
        before = len(self.practice.get("/person/files"))
        assert self.practice.command("responder-1", text, CHANNEL)["ok"]
        url = until(lambda: self.practice.get("/person/files")[before:])[0]["url"]
        return self.practice.http.get(url, timeout=60).text

    def secret(self, name: str, key: str) -> str:
        """What is in it."""
        return base64.b64decode(
            self.terminal.type(f"kubectl -n musd get secret {name} -o jsonpath={{.data.{key}}}")
        ).decode()

    def dump(self) -> list[str]:
        """The ledger's database, as it is now."""
        return statements(self.terminal.type(BACKUP.partition(" >")[0], PG_POD=POD))


@dataclass(frozen=True)
class Standing:
    """What there is in the cluster, as far as a runbook can change it."""

    specs: Mapping[str, str]
    marks: Mapping[str, str]
    pods: Mapping[str, set[str]]
    secrets: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, found: list[dict[str, Any]]) -> "Standing | None":
        """From the API server's own objects; None while some of them are still moving."""
        kinds: dict[str, dict[str, Any]] = {"Deployment": {}, "Pod": {}, "Secret": {}}
        for one in found:
            kinds[one["kind"]][one["metadata"]["name"]] = one
        deployments, pods = kinds["Deployment"], defaultdict[str, set[str]](set)
        for name in kinds["Pod"]:
            pods[name.rsplit("-", 2)[0]].add(name)
        if not all(_settled(one, pods[name]) for name, one in deployments.items()):
            return None
        notes = {name: one["spec"]["template"]["metadata"].pop("annotations", {}) for name, one in deployments.items()}
        return cls(
            specs={name: json.dumps(one["spec"], sort_keys=True) for name, one in deployments.items()},
            marks={name: note.get(MARK, "") for name, note in notes.items()},
            pods={name: pods[name] for name in deployments},
            secrets={name: one["data"] for name, one in kinds["Secret"].items()},
        )

    def since(self, before: "Standing") -> dict[str, Any]:
        """What has changed: the effect, without the moment it happened at."""
        return {
            "specs": {name: spec for name, spec in self.specs.items() if spec != before.specs[name]},
            "marked": {name for name, mark in self.marks.items() if mark != before.marks[name]},
            "with new pods": {name for name, pods in self.pods.items() if not pods & before.pods[name]},
            "secrets": {name: data for name, data in self.secrets.items() if data != before.secrets[name]},
        }


def _settled(deployment: dict[str, Any], pods: set[str]) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and {*counts, len(pods)} == {wanted}


def statements(dump: str) -> list[str]:
    """A dump's lines, without its remarks, and without the random word that newer clients guard it with."""
    return [line for line in dump.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    kubectl.needed()
    ledger_database.needed(Database())
    found = World(tmp_path_factory.mktemp("runbooks"))
    yield found
    found.practice.stop()


# --- What only reads -------------------------------------------------------------------------------------------------


def same_pods(world: World, line: str, answer: str) -> None:
    rows = [row.split() for row in world.terminal.type(f"{line} --no-headers").splitlines()]
    ours = re.findall(r"(?m)^(\S+)  (\S+)  .*restarts=(\d+)", answer)
    assert sorted(ours) == sorted((name, status, restarts) for name, _, status, restarts, *_ in rows)


def same_disk(world: World, line: str, answer: str) -> None:
    assert answer.strip() == world.terminal.type(line, PG_POD=POD).strip()


def same_heartbeats(world: World, line: str, answer: str) -> None:
    beats = dict(row.split() for row in answer.strip().splitlines())
    now = {pod: world.terminal.type(line, VALIDATOR_POD=pod).strip() for pod in beats}
    assert len(beats) == 3
    assert all(beat <= now[pod] and len(beat) == len(now[pod]) for pod, beat in beats.items()), (beats, now)


QUESTIONS: Mapping[str, tuple[str, Callable[[World, str, str], None]]] = {
    RELAY_PODS: ("relay-down", same_pods),
    VALIDATOR_PODS: ("validator-down", same_pods),
    HEARTBEAT: ("validator-down", same_heartbeats),
    DISK: ("database-recovery", same_disk),
}
"""The diagnosis that asks each, and how the two answers are compared."""
LOGS = {RELAY_LOG: "logs relay 100", PARTICIPANT_LOG: "logs participant 200"}


@pytest.mark.parametrize("line", QUESTIONS)
def test_a_diagnosis_answers_as_kubectl_does(world: World, line: str) -> None:
    runbook, same = QUESTIONS[line]
    evidence = f"\n{world.file(f'diagnose {runbook}')}\n\n"
    same(world, line, evidence.partition(f"\n$ {line}\n")[2].partition("\n\n")[0])


@pytest.mark.parametrize("line", LOGS)
def test_a_log_is_the_one_that_kubectl_shows(world: World, line: str) -> None:
    before = world.terminal.type(line).splitlines()
    ours = world.file(LOGS[line]).rpartition(" lines ---\n")[2].splitlines()
    after = world.terminal.type(line).splitlines()
    both = next(before[:at] + after for at in range(len(before)) if after[: len(before) - at] == before[at:])
    assert len(before) <= len(ours) <= len(after)  # a pod's first hundred lines are still coming
    assert ours in [both[at : at + len(ours)] for at in range(len(both))]


# --- What changes something ------------------------------------------------------------------------------------------

RESTARTS = {RELAY_RESTART: "restart relay", PARTICIPANT_RESTART: "restart participant"}


def test_restarts_have_the_effect_of_kubectls(world: World) -> None:
    before = world.standing()
    asked = [world.approved(text, "operator-1") for text in RESTARTS.values()]
    for proposal in asked:
        world.complete(proposal)
    ours = world.standing()
    for line in RESTARTS:
        world.terminal.type(line)
    effect = ours.since(before)
    assert effect == world.standing().since(ours)
    assert effect["marked"] == effect["with new pods"] == {line.partition("/")[2] for line in RESTARTS}


def test_a_raised_memory_limit_is_the_one_that_kubectl_sets(world: World) -> None:
    before = world.standing()
    world.complete(world.approved("memory relay 768Mi", "operator-1"))
    ours = world.standing()
    world.terminal.type(MEMORY.replace("768", "512"))
    world.terminal.type(MEMORY)
    assert before.specs != ours.specs == world.standing().specs
    assert ours.since(before)["with new pods"] == {"musd-relay"}


def test_the_relays_key_is_where_kubectl_puts_it(world: World) -> None:
    name, key = "relay-private-key", "0x" + "17" * 32
    old, before = world.secret(name, "relayer_private_key"), world.standing()
    proposal = world.approved(f"rotate relay {Account.from_key(key).address}", *BOTH)
    prompted(world.practice, key)
    world.complete(proposal)
    ours = world.standing()
    world.terminal.type(RELAY_SECRET, NEW_KEY=old)
    again = world.standing()
    world.terminal.type(RELAY_SECRET, NEW_KEY=key)
    world.terminal.type(RELAY_RESTART)
    effect = ours.since(before)
    assert effect == world.standing().since(again)
    assert (set(effect["secrets"]), effect["marked"]) == ({name}, {"musd-relay"})


def test_the_canton_token_is_where_kubectl_puts_it_and_everything_is_restarted(world: World) -> None:
    name, key = "canton-token", "canton_token"
    old, before = world.secret(name, key), world.standing()
    world.complete(world.approved("rotate token", *BOTH))
    new, ours = world.secret(name, key), world.standing()
    world.terminal.type(TOKEN_SECRET, NEW_TOKEN=old)
    again = world.standing()
    world.terminal.type(TOKEN_SECRET, NEW_TOKEN=new)
    world.terminal.type(RESTART_ALL.removesuffix(" --all"))
    effect, theirs = ours.since(before), world.standing().since(again)
    assert effect["secrets"] == theirs["secrets"]
    assert set(effect["secrets"]) == {name}
    for what in ("marked", "with new pods"):
        assert effect[what] == theirs[what] & ALL == ALL
    assert "musd-bot" in theirs["marked"] - ALL


def test_one_line_of_the_runbooks_is_none_that_kubectl_takes(world: World) -> None:
    """Without ``--all`` it means all, and is what people will find out that they have to type."""
    assert "unknown flag: --all" in world.terminal.refused(RESTART_ALL)


# --- The database ----------------------------------------------------------------------------------------------------


def test_a_backup_holds_what_the_runbooks_does(world: World) -> None:
    before = world.standing()
    world.terminal.type(BACKUP, PG_POD=POD)
    world.complete(world.approved("database backup", "operator-1"))
    [ours] = world.backups.glob("*.dump")
    script = world.terminal.type(f"kubectl -n musd exec -i {POD} -- pg_restore -f - < {ours}")
    assert statements(script) == statements((world.terminal.home / "backup.sql").read_text())
    assert not any(world.standing().since(before).values())


def test_a_restore_brings_back_what_the_runbooks_does(world: World) -> None:
    """The last one: it leaves the bridge paused."""
    psql = f"kubectl -n musd exec {POD} -- psql -q -U canton canton_ledger -c"
    fewer = "DELETE FROM lapi_events_create WHERE event_offset > 100"
    saved = world.dump()
    world.terminal.type(f'{psql} "{fewer}"')
    known = len(patches(world.practice, "canton-participant"))
    proposal = propose(world.practice, "operator-1", "database restore latest")
    for admin in BOTH:
        assert type_it(world.practice, admin, asked_to_type(world.practice, admin, proposal))["ok"]
    world.complete(proposal)
    assert world.dump() == saved
    written = [one["body"]["spec"].get("replicas") for one in patches(world.practice, "canton-participant")[known:]]
    assert written == [0, 1]

    world.terminal.type(f'{psql} "DROP TABLE lapi_events_create, lapi_parameters, par_active_contracts"')
    world.terminal.type(RESTORE, PG_POD=POD)
    assert world.dump() == saved


# --- And nothing is left out -----------------------------------------------------------------------------------------

TABLE = {
    *QUESTIONS,
    *LOGS,
    *RESTARTS,
    *(RELAY_SECRET, TOKEN_SECRET, RESTART_ALL, BACKUP, RESTORE),
}


def test_no_kubectl_line_of_the_runbooks_is_missing() -> None:
    if not RUNBOOKS.exists():
        pytest.skip("the runbooks themselves are not on this machine")
    text = re.sub(r"\\\n\s*", "", RUNBOOKS.read_text())
    lines = {line.strip() for line in re.findall(r"(?m)(?:^\s*|`)(kubectl [^`\n]+)", text)}
    assert (len(lines), lines) == (len(TABLE), TABLE)
