"""Kubernetes over real connections: the practice cluster's API server over HTTPS, with the real client."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes_asyncio import client

from bot.adapters.kubernetes import KubernetesReads
from bot.adapters.pods import summed_up
from bot.drill.cluster import Cluster
from bot.drill.cluster.access import READER
from bot.errors import UnavailableError
from bot.ports import ClusterReads, Pod

RELAY = "musd-relay"
VALIDATORS = "musd-validator"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster()
    cluster.state.pace = 0.1
    await cluster.start(tmp_path)
    yield cluster
    await cluster.stop()


@pytest.fixture
async def reads(cluster: Cluster) -> AsyncIterator[KubernetesReads]:
    reads = KubernetesReads("musd", cluster.kubeconfig, context="reader", timeout=1)
    yield reads
    await reads.close()


async def until(ask: Callable[[], Awaitable[Sequence[Pod]]], wanted: Callable[[Pod], bool]) -> Pod:
    """The first pod, once it is as wanted."""
    async with asyncio.timeout(30):
        while True:
            pods = await ask()
            if pods and wanted(pods[0]):
                return pods[0]
            await asyncio.sleep(0.05)


# --- Pods ------------------------------------------------------------------------------------------------------------


async def test_the_port_is_fulfilled(reads: KubernetesReads) -> None:
    port: ClusterReads = reads
    assert port is reads


async def test_a_running_pod_has_no_reason(reads: KubernetesReads) -> None:
    [pod] = await reads.pods(RELAY)
    found = (pod.phase, pod.ready, pod.reason, pod.restarts, pod.last_end, pod.last_exit, pod.memory_limit)
    assert found == ("Running", True, "", 0, "", None, "512Mi")


async def test_pods_come_by_application_and_in_the_order_of_their_names(reads: KubernetesReads) -> None:
    names = [pod.name for pod in await reads.pods(VALIDATORS)]
    assert [name.rsplit("-", 2)[0] for name in names] == [f"musd-validator-{number}" for number in (1, 2, 3)]


async def test_an_application_nobody_runs_has_no_pods(reads: KubernetesReads) -> None:
    assert await reads.pods("nothing") == []


async def test_an_application_may_have_other_labels(cluster: Cluster) -> None:
    reads = KubernetesReads("musd", cluster.kubeconfig, selectors={"relay": "app=musd-relay"})
    found = [pod.name.rsplit("-", 2)[0] for pod in await reads.pods("relay")]
    await reads.close()
    assert found == ["musd-relay"]


async def test_a_crash_looping_pod_says_so(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "crashloop"})
    pod = await until(lambda: reads.pods(RELAY), lambda pod: pod.reason == "CrashLoopBackOff")
    assert (pod.ready, pod.last_end, pod.last_exit) == (False, "Error", 1)


async def test_a_pod_killed_for_its_memory_says_so(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "oomkilled"})
    pod = await until(lambda: reads.pods(RELAY), lambda pod: pod.restarts > 0)
    assert (pod.reason, pod.last_end, pod.last_exit) == ("CrashLoopBackOff", "OOMKilled", 137)


async def test_what_pods_use_is_read_as_kubectl_top_reads_it(reads: KubernetesReads) -> None:
    measured = await reads.usage(RELAY)
    assert [one.memory for one in measured or ()] == [128 * 2**20]


async def test_a_pod_killed_for_its_memory_keeps_its_last_measure(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "oomkilled"})
    await until(lambda: reads.pods(RELAY), lambda pod: pod.last_end == "OOMKilled")
    measured = await reads.usage(RELAY)
    assert [one.memory for one in measured or ()] == [508 * 2**20]


async def test_without_a_metrics_server_nothing_is_measured(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "metrics-missing"})
    assert await reads.usage(RELAY) is None


async def test_an_image_that_cannot_be_pulled_says_so(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "image-pull"})
    pod = await until(lambda: reads.pods(RELAY), lambda pod: pod.reason == "ImagePullBackOff")
    assert pod.phase == "Pending"


async def test_a_pod_no_node_has_room_for_says_so(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "pending"})
    pod = await until(lambda: reads.pods(RELAY), lambda pod: pod.phase == "Pending")
    assert pod.reason == "Unschedulable"


async def a_pod(status: dict[str, Any], *, deleted: str | None = None) -> Pod:
    """As the client reads the API server's JSON of such a pod."""
    containers = [{"name": "main"}, {"name": "sidecar"}]
    metadata = {"name": "pod", "deletionTimestamp": deleted}
    body = {"metadata": metadata, "spec": {"containers": containers}, "status": status}
    async with client.ApiClient() as api:
        return summed_up(api.deserialize(SimpleNamespace(data=json.dumps(body)), "V1Pod"))


def container(name: str, state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": state, **more}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Running", "containerStatuses": [container("main", {"terminated": {"exitCode": 3}})]}, "ExitCode:3"),
        (
            {
                "phase": "Running",
                "containerStatuses": [container("main", {"terminated": {"exitCode": 9, "signal": 9}})],
            },
            "Signal:9",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container("migrate", {"waiting": {"reason": "CrashLoopBackOff"}})],
                "containerStatuses": [container("main", {"waiting": {"reason": "PodInitializing"}})],
            },
            "Init:CrashLoopBackOff",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container("migrate", {"running": {}})],
                "containerStatuses": [container("main", {"waiting": {"reason": "PodInitializing"}})],
            },
            "Init:0/1",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    container("main", {"running": {}}),
                    container("sidecar", {"waiting": {"reason": "CrashLoopBackOff"}}),
                ],
            },
            "CrashLoopBackOff",
        ),
    ],
)
async def test_the_reason_is_what_kubectl_shows(status: dict[str, Any], reason: str) -> None:
    assert (await a_pod(status)).reason == reason


async def test_a_pod_on_its_way_out_is_not_ready() -> None:
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    pod = await a_pod(status, deleted="2026-01-01T00:00:00Z")
    assert (pod.ready, pod.reason) == (False, "Terminating")


# --- Logs ------------------------------------------------------------------------------------------------------------


async def test_one_pods_log_has_the_last_lines_as_they_are(reads: KubernetesReads) -> None:
    lines = await reads.logs(RELAY, tail=3)
    assert [line[:4] in {"INFO", "WARN"} for line in lines] == [True, True, True]


async def test_several_pods_lines_begin_with_their_pod(reads: KubernetesReads) -> None:
    pods = await reads.pods(VALIDATORS)
    lines = await reads.logs(VALIDATORS, tail=1)
    assert [line.split("] ")[0] + "]" for line in lines] == [f"[{pod.name}]" for pod in pods]


async def test_a_crashed_containers_log_is_that_of_its_last_run(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "crashloop", "message": "FATAL no key"})
    await until(lambda: reads.pods(RELAY), lambda pod: pod.reason == "CrashLoopBackOff" and pod.restarts > 1)
    assert (await reads.logs(RELAY, tail=100))[-1] == "FATAL no key"


async def test_a_line_is_cut_and_not_the_log(cluster: Cluster, reads: KubernetesReads) -> None:
    [pod] = await reads.pods(RELAY)
    for text in ("before", "A" * 3000, "after"):
        cluster.state.journal.write(pod.name, text, 0.0)
    assert (await reads.logs(RELAY, tail=3))[-2:] == ["A" * 2000, "after"]


async def test_a_long_log_keeps_its_end(cluster: Cluster, reads: KubernetesReads) -> None:
    [pod] = await reads.pods(RELAY)
    for number in range(400):
        cluster.state.journal.write(pod.name, f"{number:04} " + "x" * 1900, 0.0)
    lines = await reads.logs(RELAY, tail=400)
    kept = sum(len(line) + 1 for line in lines)
    assert (lines[-1][:4] in {"0399", "INFO", "WARN"}, 150_000 < kept < 330_000) == (True, True)


async def test_a_pod_that_never_started_has_no_log_and_says_why(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "image-pull"})
    pod = await until(lambda: reads.pods(RELAY), lambda pod: pod.reason == "ImagePullBackOff")
    with pytest.raises(UnavailableError) as caught:
        await reads.logs(RELAY, tail=10)
    assert caught.value.happened == (
        f"No log of {pod.name}: Kubernetes could not read pods' logs: "
        f'container "relay" in pod "{pod.name}" is waiting to start: trying and failing to pull image.'
    )


async def test_no_pod_is_no_log_and_not_an_empty_one(reads: KubernetesReads) -> None:
    with pytest.raises(UnavailableError, match="No pod in musd has the labels app=nothing, so there is no log"):
        await reads.logs("nothing", tail=10)


# --- What can be missing ---------------------------------------------------------------------------------------------


async def test_a_missing_right_is_named_with_what_to_grant(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "forbidden", "verb": "list", "resource": "pods"})
    with pytest.raises(UnavailableError) as caught:
        await reads.pods(RELAY)
    assert caught.value.sentences() == (
        "The bot's Kubernetes token may not list pods in musd. Grant its role: get, list on pods in musd."
    )


async def test_a_missing_right_to_logs_is_named(cluster: Cluster, reads: KubernetesReads) -> None:
    cluster.access.rules[READER][0]["resources"].remove("pods/log")
    with pytest.raises(UnavailableError, match="may not read pods' logs in musd"):
        await reads.logs(RELAY, tail=10)


async def test_another_namespace_is_refused_in_words(cluster: Cluster) -> None:
    reads = KubernetesReads("elsewhere", cluster.kubeconfig, timeout=1)
    with pytest.raises(UnavailableError, match="may not list pods in elsewhere"):
        await reads.pods(RELAY)
    await reads.close()


async def test_a_renewed_token_is_read_again(cluster: Cluster, reads: KubernetesReads) -> None:
    await reads.pods(RELAY)
    old, new = cluster.access.tokens[READER], "a-new-token"
    cluster.access.tokens[READER] = new
    text = await asyncio.to_thread(cluster.kubeconfig.read_text)
    await asyncio.to_thread(cluster.kubeconfig.write_text, text.replace(old, new))
    assert [pod.name.rsplit("-", 2)[0] for pod in await reads.pods(RELAY)] == ["musd-relay"]


async def test_a_token_nobody_knows_is_said_to_be_so(cluster: Cluster, reads: KubernetesReads) -> None:
    cluster.access.tokens[READER] = "another"
    with pytest.raises(UnavailableError, match="Kubernetes does not accept the bot's token"):
        await reads.pods(RELAY)


async def test_a_silent_api_server_is_no_answer(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "api-slow", "seconds": 3})
    with pytest.raises(UnavailableError, match=r"Kubernetes does not answer: no answer within 1 s\."):
        await reads.pods(RELAY)


async def test_an_api_server_that_is_down_is_no_answer(cluster: Cluster, reads: KubernetesReads) -> None:
    await cluster.inflict({"fault": "api-down"})
    with pytest.raises(UnavailableError, match="Kubernetes does not answer: the connection was refused"):
        await reads.pods(RELAY)


async def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"The kubeconfig .*nowhere can't be used"):
        await KubernetesReads("musd", tmp_path / "nowhere").pods(RELAY)


async def test_without_kubeconfig_and_cluster_the_setting_is_named() -> None:
    with pytest.raises(UnavailableError) as caught:
        await KubernetesReads("musd").pods(RELAY)
    assert caught.value.next_step == "Set MUSD_KUBECONFIG, or run the bot as a pod with a service account."


async def test_a_proxy_of_the_environment_is_not_used(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    reads = KubernetesReads("musd", cluster.kubeconfig, timeout=1)
    assert len(await reads.pods(RELAY)) == 1
    await reads.close()
