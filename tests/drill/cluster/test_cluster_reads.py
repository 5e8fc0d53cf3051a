"""What can be read of the practice cluster."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from bot.drill.cluster import Cluster
from tests.world.cluster import (
    NS,
    RELAY,
    apply_secret,
    health,
    relay_pod,
    settings,
    status_of,
    until,
    waiting_for,
)


async def test_pods_are_found_by_label(core: Any) -> None:
    found = await core.list_namespaced_pod(NS, label_selector="app=musd-validator,validator in (1,3)")
    assert [pod.metadata.labels["validator"] for pod in found.items] == ["1", "3"]


async def test_pods_are_found_by_field(core: Any) -> None:
    found = await core.list_namespaced_pod(NS, field_selector="metadata.name=canton-postgres-0,status.phase=Running")
    assert [pod.metadata.name for pod in found.items] == ["canton-postgres-0"]


async def test_every_deployment_is_available(apps: Any) -> None:
    found = (await apps.list_namespaced_deployment(NS)).items
    assert dict.fromkeys(
        ["canton-participant", "liquidation-bot", "musd-bot", "musd-relay", "oracle-feeder"]
        + [f"musd-validator-{number}" for number in (1, 2, 3)],
        1,
    ) == {item.metadata.name: item.status.available_replicas for item in found}


async def test_the_relay_answers_200(cluster: Cluster) -> None:
    status, body = await health(cluster)
    assert (status, body["status"], body["mismatchReason"]) == (200, "healthy", None)


async def test_what_is_not_there_is_404_with_a_status(core: Any) -> None:
    with pytest.raises(ApiException) as refused:
        await core.read_namespaced_pod("nobody", NS)
    body = status_of(refused.value)
    assert (refused.value.status, body["reason"], body["message"]) == (404, "NotFound", 'pods "nobody" not found')


async def test_without_a_token_nothing_is_told(cluster: Cluster) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{cluster.url}/api/v1/pods") as answer:
        assert (answer.status, (await answer.json())["reason"]) == (401, "Unauthorized")


async def test_the_reader_may_not_read_secrets(cluster: Cluster) -> None:
    async with client.ApiClient(await settings(cluster, "reader")) as api:
        with pytest.raises(ApiException) as refused:
            await client.CoreV1Api(api).list_namespaced_secret(NS)
    assert refused.value.status == 403
    assert (
        status_of(refused.value)["message"]
        == 'secrets is forbidden: User "system:serviceaccount:musd:musd-bot-reader" cannot list resource "secrets" '
        'in API group "" in the namespace "musd"'
    )


async def test_another_namespace_is_forbidden(core: Any) -> None:
    with pytest.raises(ApiException) as refused:
        await core.list_namespaced_pod("kube-system")
    assert refused.value.status == 403


async def test_an_access_review_follows_the_rules(cluster: Cluster) -> None:
    answers = {}
    for context in ("reader", "writer"):
        async with client.ApiClient(await settings(cluster, context)) as api:
            attributes = client.V1ResourceAttributes(namespace=NS, verb="patch", group="apps", resource="deployments")
            spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
            body = client.V1SelfSubjectAccessReview(spec=spec)
            review = await client.AuthorizationV1Api(api).create_self_subject_access_review(body)
            answers[context] = review.status.allowed
    assert answers == {"reader": False, "writer": True}


async def test_requests_are_remembered(cluster: Cluster, core: Any) -> None:
    await core.list_namespaced_pod(NS, label_selector=RELAY)
    last = cluster.seen[-1]
    assert (
        last["method"],
        last["path"],
        last["body"],
    ) == ("GET", "/api/v1/namespaces/musd/pods?labelSelector=app%3Dmusd-relay", None)


async def test_logs_give_the_last_lines(core: Any) -> None:
    text = await core.read_namespaced_pod_log(await relay_pod(core), NS, tail_lines=3)
    assert len(text.splitlines()) == 3


async def test_logs_carry_timestamps_when_asked(core: Any) -> None:
    text = await core.read_namespaced_pod_log(await relay_pod(core), NS, tail_lines=1, timestamps=True)
    assert text[:2] == "20"
    assert text.split(" ")[0].endswith("Z")


async def test_logs_can_begin_recently(cluster: Cluster, core: Any) -> None:
    pod = await relay_pod(core)
    text = await core.read_namespaced_pod_log(pod, NS, since_seconds=10)
    assert 0 < len(text.splitlines()) < len(cluster.state.journal.lines(pod) or [])


async def test_logs_of_a_container_that_is_not_there_are_refused(core: Any) -> None:
    with pytest.raises(ApiException) as refused:
        await core.read_namespaced_pod_log(await relay_pod(core), NS, container="sidecar")
    assert refused.value.status == 400


async def test_logs_grow_and_stay_bounded(cluster: Cluster, core: Any) -> None:
    cluster.state.pace = 0.001
    pod = await relay_pod(core)

    async def full() -> bool:
        return len(cluster.state.journal.lines(pod) or []) == 400

    await until(full)
    await asyncio.sleep(0.2)
    assert await full()


async def test_followed_logs_bring_new_lines(cluster: Cluster, core: Any) -> None:
    answer = await core.read_namespaced_pod_log(
        await relay_pod(core), NS, follow=True, tail_lines=0, _preload_content=False
    )
    cluster.state.pace = 0.01
    async with asyncio.timeout(30):
        line = await answer.content.readline()
    answer.release()
    assert line.decode().split()[0] in {"INFO", "WARN"}


async def test_a_world_is_continued_where_it_was_left(tmp_path: Path) -> None:
    first = Cluster()
    first.state.pace = 0.2
    await first.start(tmp_path)
    await first.inflict({"fault": "crashloop"})
    async with client.ApiClient(await settings(first)) as api:
        await apply_secret(client.CoreV1Api(api), "musd-bot", "0x07")
        before = await relay_pod(client.CoreV1Api(api))
    await first.stop()
    second = Cluster()
    await second.start(tmp_path)
    async with client.ApiClient(await settings(second)) as api:
        core = client.CoreV1Api(api)
        secret = await core.read_namespaced_secret("relay-private-key", NS)
        found = (await relay_pod(core), base64.b64decode(secret.data.popitem()[1]))

        async def still_crashing() -> bool:
            return await waiting_for(core, RELAY) == "CrashLoopBackOff"

        await until(still_crashing)
    await second.stop()
    assert found == (before, b"0x07")
