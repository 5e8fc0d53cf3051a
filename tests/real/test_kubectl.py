"""The practice cluster, held to the real kubectl. What the bot does beside it: test_runbook_commands.py."""

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.drill.cluster import Cluster, Run
from bot.drill.cluster.programs import HEARTBEAT
from tests.world.kubectl import environment, needed

pytestmark = pytest.mark.real

Kubectl = Callable[..., Awaitable["Said"]]


@dataclass(frozen=True)
class Said:
    """What kubectl answered."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module", autouse=True)
def _real() -> None:
    needed()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    one.state.pace = 0.3
    await one.start(tmp_path / "cluster")
    yield one
    await one.stop()


@pytest.fixture
def kubectl(cluster: Cluster, tmp_path: Path) -> Kubectl:
    async def run(*words: str, stdin: str | None = None, context: str = "writer", seconds: float = 20) -> Said:
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            f"--context={context}",
            *words,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(cluster.kubeconfig, tmp_path),
        )
        try:
            async with asyncio.timeout(seconds):
                out, err = await process.communicate(None if stdin is None else stdin.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Said(process.returncode or 0, out.decode(), err.decode())

    return run


async def until_status(kubectl: Kubectl, label: str, status: str) -> str:
    """Wait until ``kubectl get pods`` shows a status word; returns the table."""
    async with asyncio.timeout(60):
        while status not in (said := await kubectl("-n", "musd", "get", "pods", "-l", label)).out:  # noqa: ASYNC110 - kubectl polls
            await asyncio.sleep(0.1)
    return said.out


async def test_get_pods_by_label(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "get", "pods", "-l", "app=musd-validator")
    rows = [row.split()[1:4] for row in said.out.splitlines()]
    assert rows == [["READY", "STATUS", "RESTARTS"]] + [["1/1", "Running", "0"]] * 3


async def test_get_pods_as_json(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "get", "pods", "-o", "json")
    assert {pod["status"]["phase"] for pod in json.loads(said.out)["items"]} == {"Running"}


async def test_top_pod_shows_what_is_used(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "top", "pod", "-l", "app=musd-relay", context="reader")
    assert [row.split()[-1] for row in said.out.splitlines()] == ["MEMORY(bytes)", "128Mi"], said.err


async def test_every_kind_has_a_table(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "get", "deploy,rs,secret,cm,pvc,netpol,ns", "-o", "wide")
    assert (said.code, said.err) == (0, "")
    assert "persistentvolumeclaim/data-canton-postgres-0" in said.out


async def test_events_tell_of_a_crash_loop(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "crashloop"})
    await until_status(kubectl, "app=musd-relay", "CrashLoopBackOff")
    said = await kubectl("-n", "musd", "get", "events")
    assert "Back-off restarting failed container relay" in said.out


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("crashloop", "CrashLoopBackOff"),
        ("oomkilled", "OOMKilled"),
        ("image-pull", "ImagePullBackOff"),
        ("pending", "Pending"),
    ],
)
async def test_get_pods_shows_what_is_wrong(cluster: Cluster, kubectl: Kubectl, fault: str, status: str) -> None:
    cluster.state.pace = 2.0
    await cluster.inflict({"fault": fault})
    assert "0/1" in await until_status(kubectl, "app=musd-relay", status)


async def test_logs_by_label(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "logs", "-l", "app=musd-relay", "--tail=100")
    assert (said.code, 40 < len(said.out.splitlines()) <= 100) == (0, True)


async def test_logs_of_the_run_before(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "crashloop", "message": "FATAL config: RELAYER_PRIVATE_KEY is not set"})
    await until_status(kubectl, "app=musd-relay", "CrashLoopBackOff")
    said = await kubectl("-n", "musd", "logs", "deployment/musd-relay", "--previous", "--tail=1")
    assert said.out == "FATAL config: RELAYER_PRIVATE_KEY is not set\n"


async def test_exec_gives_output(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "exec", "deployment/musd-validator-1", "--", "cat", HEARTBEAT)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n", said.out)


async def test_exec_gives_the_exit_code(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "exec", "canton-postgres-0", "--", "frobnicate")
    assert said.code == 127
    assert "sh: 1: frobnicate: not found" in said.err


async def test_exec_killed_half_way(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "exec-exit", "code": 137})
    said = await kubectl("-n", "musd", "exec", "canton-postgres-0", "--", "df", "-h", "/var/lib/postgresql/data")
    assert (said.code, said.err) == (137, "command terminated with exit code 137\n")


async def test_exec_passes_stdin_and_its_end(cluster: Cluster, kubectl: Kubectl) -> None:
    received = []

    async def psql(run: Run) -> int:
        received.append(b"".join([piece async for piece in run.stdin]).decode())
        return await run.say("COPY 1")

    cluster.on_exec("psql", psql)
    dump = "INSERT INTO contracts VALUES (1);\n" * 5000
    words = ("psql", "-U", "canton", "canton_ledger")
    said = await kubectl("-n", "musd", "exec", "-i", "canton-postgres-0", "--", *words, stdin=dump)
    assert (said.code, said.out, received) == (0, "COPY 1\n", [dump])


async def test_exec_in_a_crashed_container_is_refused(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "crashloop"})
    await until_status(kubectl, "app=musd-relay", "CrashLoopBackOff")
    said = await kubectl("-n", "musd", "exec", "deployment/musd-relay", "--", "cat", "/etc/hostname")
    assert said.code == 1
    assert 'container not found ("relay")' in said.err


async def test_rollout_restart_and_status(kubectl: Kubectl) -> None:
    restarted = await kubectl("-n", "musd", "rollout", "restart", "deployment/musd-relay")
    status = await kubectl("-n", "musd", "rollout", "status", "deployment/musd-relay", "--timeout=15s")
    assert (restarted.out, status.code) == ("deployment.apps/musd-relay restarted\n", 0)
    assert status.out.endswith('deployment "musd-relay" successfully rolled out\n')


async def test_rollout_status_of_a_stuck_rollout(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "rollout-stuck"})
    await kubectl("-n", "musd", "patch", "deploy", "musd-relay", "-p", '{"spec":{"progressDeadlineSeconds":1}}')
    await kubectl("-n", "musd", "rollout", "restart", "deployment/musd-relay")
    status = await kubectl("-n", "musd", "rollout", "status", "deployment/musd-relay", "--timeout=15s")
    assert (status.code, status.err) == (1, 'error: deployment "musd-relay" exceeded its progress deadline\n')


async def test_rollout_undo_brings_the_old_template_back(kubectl: Kubectl) -> None:
    before = await kubectl("-n", "musd", "get", "pods", "-l", "app=musd-relay", "-o", "name")
    await kubectl("-n", "musd", "rollout", "restart", "deployment/musd-relay")
    await kubectl("-n", "musd", "rollout", "undo", "deployment/musd-relay")
    await kubectl("-n", "musd", "rollout", "status", "deployment/musd-relay", "--timeout=15s")
    sets = json.loads((await kubectl("-n", "musd", "get", "rs", "-l", "app=musd-relay", "-o", "json")).out)["items"]
    revisions = {
        item["metadata"]["name"]: item["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for item in sets
    }
    first = before.out.removeprefix("pod/").rsplit("-", 1)[0]
    assert revisions[first] == "3"


async def test_restarting_everything(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "rollout", "restart", "deployment")
    assert len(re.findall(r"deployment\.apps/\S+ restarted", said.out)) == 8


async def test_scale_to_nothing_and_back(kubectl: Kubectl) -> None:
    await kubectl("-n", "musd", "scale", "deployment/canton-participant", "--replicas=0")
    gone = ("--for=delete", "pod", "-l", "app=canton-participant", "--timeout=10s")
    assert (await kubectl("-n", "musd", "wait", *gone)).code == 0
    await kubectl("-n", "musd", "scale", "deployment/canton-participant", "--replicas=1")
    ready = ("--for=condition=Available", "deployment/canton-participant", "--timeout=10s")
    assert (await kubectl("-n", "musd", "wait", *ready)).code == 0


async def test_raising_a_memory_limit(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "oomkilled", "needs": 600})
    said = await kubectl("-n", "musd", "set", "resources", "deployment/musd-relay", "--limits=memory=768Mi")
    assert said.out == "deployment.apps/musd-relay resource requirements updated\n"
    status = await kubectl("-n", "musd", "rollout", "status", "deployment/musd-relay", "--timeout=15s")
    assert status.code == 0


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("apply", "-f", "-"), "secret/relay-private-key configured\n"),
        (("apply", "--server-side", "-f", "-"), "secret/relay-private-key serverside-applied\n"),
    ],
)
async def test_a_secret_is_made_and_applied(kubectl: Kubectl, words: tuple[str, ...], answer: str) -> None:
    made = await kubectl(
        *("-n", "musd", "create", "secret", "generic", "relay-private-key"),
        *("--from-literal=relayer_private_key=0xfresh", "--dry-run=client", "-o", "yaml"),
    )
    applied = await kubectl("-n", "musd", *words, stdin=made.out)
    got = await kubectl("-n", "musd", "get", "secret", "relay-private-key", "-o", "json")
    value = base64.b64decode(json.loads(got.out)["data"]["relayer_private_key"]).decode()
    assert (applied.out, value) == (answer, "0xfresh")


async def test_server_side_apply_conflicts_with_another_owner(kubectl: Kubectl) -> None:
    def manifest(value: str) -> str:
        meta = {"name": "relay-private-key", "namespace": "musd"}
        return json.dumps(
            {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"relayer_private_key": value}}
        ).replace("stringData", "data")

    mine = ("apply", "--server-side", "--field-manager=musd-bot", "-f", "-")
    await kubectl(*mine, stdin=manifest("MHgwMQ=="))
    said = await kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=manifest("MHgwMg=="))
    assert said.code == 1
    assert 'conflict with "musd-bot" using v1: .data.relayer_private_key' in said.err


async def test_deleting_a_pod(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "delete", "pod", "-l", "app=musd-relay")
    assert (said.code, said.out.endswith("deleted\n")) == (0, True)


@pytest.mark.parametrize(
    ("context", "words", "answer"),
    [
        ("writer", ("patch", "deployments.apps"), "yes"),
        ("reader", ("patch", "deployments.apps"), "no"),
        ("reader", ("get", "pods", "--subresource=log"), "yes"),
        ("reader", ("get", "secrets"), "no"),
        ("writer", ("patch", "secrets/relay-private-key"), "yes"),
    ],
)
async def test_auth_can_i(kubectl: Kubectl, context: str, words: tuple[str, ...], answer: str) -> None:
    said = await kubectl("-n", "musd", "auth", "can-i", *words, context=context)
    assert said.out.strip() == answer


async def test_what_is_forbidden_says_so(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "get", "secrets", context="reader")
    assert said.err.startswith("Error from server (Forbidden): secrets is forbidden: User ")


async def test_what_is_not_there_says_so(kubectl: Kubectl) -> None:
    said = await kubectl("-n", "musd", "get", "pod", "nobody")
    assert said.err == 'Error from server (NotFound): pods "nobody" not found\n'


async def test_an_api_that_is_down(cluster: Cluster, kubectl: Kubectl) -> None:
    await cluster.inflict({"fault": "api-down"})
    said = await kubectl("-n", "musd", "get", "pods")
    assert (said.code, "was refused" in said.err) == (1, True)
