"""Changing the practice cluster: rollouts, scale, patches, secrets, watches."""

import asyncio
import base64
from typing import Any

import pytest
from kubernetes_asyncio import watch
from kubernetes_asyncio.client.exceptions import ApiException

from bot.drill.cluster import Cluster
from tests.world.cluster import (
    NS,
    RELAY,
    apply_secret,
    relay_pod,
    relay_pods,
    restart,
    status_of,
    until,
)


async def pods_through_a_restart(core: Any, apps: Any, name: str) -> set[int]:
    """How many pods were seen at once while a deployment was restarted."""
    before = (await core.list_namespaced_pod(NS, label_selector=f"app={name}")).items[0].metadata.name
    await restart(apps, name)
    counts = set()

    async def done() -> bool:
        pods = (await core.list_namespaced_pod(NS, label_selector=f"app={name}")).items
        counts.add(len(pods))
        return [pod.metadata.name == before for pod in pods] == [False] and (
            bool(pods[0].status.container_statuses) and pods[0].status.container_statuses[0].ready
        )

    await until(done)
    return counts


async def test_restarting_the_relay_has_two_at_once(cluster: Cluster, core: Any, apps: Any) -> None:
    cluster.state.pace = 0.5
    assert 2 in await pods_through_a_restart(core, apps, "musd-relay")


async def test_restarting_the_participant_never_has_two(cluster: Cluster, core: Any, apps: Any) -> None:
    cluster.state.pace = 0.5
    assert 2 not in await pods_through_a_restart(core, apps, "canton-participant")


async def test_a_deployment_scales_to_nothing_and_back(core: Any, apps: Any) -> None:
    await apps.patch_namespaced_deployment_scale("musd-relay", NS, {"spec": {"replicas": 0}})

    async def gone() -> bool:
        return await relay_pods(core) == []

    await until(gone)
    scale = await apps.read_namespaced_deployment_scale("musd-relay", NS)
    scale.spec.replicas = 1
    await apps.replace_namespaced_deployment_scale("musd-relay", NS, scale)

    async def back() -> bool:
        return bool((await apps.read_namespaced_deployment("musd-relay", NS)).status.ready_replicas == 1)

    await until(back)


async def test_a_restart_raises_generation_and_revision(apps: Any) -> None:
    await restart(apps, "musd-relay")

    async def observed() -> bool:
        found = await apps.read_namespaced_deployment("musd-relay", NS)
        revision = found.metadata.annotations["deployment.kubernetes.io/revision"]
        return (found.metadata.generation, found.status.observed_generation, revision) == (2, 2, "2")

    await until(observed)


async def test_a_stale_write_conflicts(apps: Any) -> None:
    first = await apps.read_namespaced_deployment("musd-relay", NS)
    await restart(apps, "musd-relay")
    first.spec.replicas = 3
    with pytest.raises(ApiException) as refused:
        await apps.replace_namespaced_deployment("musd-relay", NS, first)
    assert (refused.value.status, status_of(refused.value)["reason"]) == (409, "Conflict")


async def test_json_and_merge_patches_work(core: Any) -> None:
    await core.patch_namespaced_config_map(
        "musd-contracts",
        NS,
        [{"op": "add", "path": "/data/a", "value": "1"}],
        _content_type="application/json-patch+json",
    )
    await core.patch_namespaced_config_map(
        "musd-contracts", NS, {"data": {"chain_id": None}}, _content_type="application/merge-patch+json"
    )
    assert (await core.read_namespaced_config_map("musd-contracts", NS)).data == {"a": "1"}


async def test_a_dry_run_changes_nothing(apps: Any) -> None:
    body = {"spec": {"replicas": 2}}
    shown = await apps.patch_namespaced_deployment("musd-relay", NS, body, dry_run="All")
    kept = await apps.read_namespaced_deployment("musd-relay", NS)
    assert (shown.spec.replicas, kept.spec.replicas) == (2, 1)


async def test_a_memory_limit_that_is_no_quantity_is_refused(apps: Any) -> None:
    container = {"name": "relay", "resources": {"limits": {"memory": "lots"}}}
    with pytest.raises(ApiException) as refused:
        await apps.patch_namespaced_deployment(
            "musd-relay", NS, {"spec": {"template": {"spec": {"containers": [container]}}}}
        )
    assert refused.value.status == 400


async def test_an_object_of_the_wrong_shape_is_refused(apps: Any) -> None:
    with pytest.raises(ApiException) as refused:
        await apps.patch_namespaced_deployment("musd-relay", NS, {"spec": "nonsense"})
    assert refused.value.status == 400


async def test_a_deployment_can_not_be_taken_away(apps: Any) -> None:
    with pytest.raises(ApiException) as refused:
        await apps.delete_namespaced_deployment("musd-relay", NS)
    assert refused.value.status == 405


async def test_a_deleted_pod_is_replaced(core: Any) -> None:
    name = await relay_pod(core)
    await core.delete_namespaced_pod(name, NS)

    async def replaced() -> bool:
        pods = await relay_pods(core)
        return len(pods) == 1 and pods[0].metadata.name != name

    await until(replaced)


async def test_server_side_apply_takes_over_and_then_guards_its_fields(core: Any) -> None:
    applied = await apply_secret(core, "musd-bot", "0x01")
    assert [(entry.manager, entry.operation) for entry in applied.metadata.managed_fields] == [("musd-bot", "Apply")]
    with pytest.raises(ApiException) as refused:
        await apply_secret(core, "somebody", "0x02")
    body = status_of(refused.value)
    assert (
        refused.value.status,
        body["message"],
    ) == (409, 'Apply failed with 1 conflict: conflict with "musd-bot" using v1: .data.relayer_private_key')
    forced = await apply_secret(core, "somebody", "0x02", force=True)
    assert base64.b64decode(forced.data["relayer_private_key"]).decode() == "0x02"


async def test_a_watch_tells_of_changes(core: Any, apps: Any) -> None:
    listed = await core.list_namespaced_pod(NS, label_selector=RELAY)
    await restart(apps, "musd-relay")
    kinds = []
    watcher = watch.Watch()
    async with asyncio.timeout(30):
        async for event in watcher.stream(
            core.list_namespaced_pod,
            NS,
            label_selector=RELAY,
            resource_version=listed.metadata.resource_version,
        ):
            kinds.append(event["type"])
            if event["type"] == "DELETED":
                watcher.stop()
    assert ("ADDED", {"ADDED", "MODIFIED", "DELETED"}) == (kinds[0], set(kinds))


async def test_a_watch_from_a_forgotten_version_is_told_so(core: Any) -> None:
    with pytest.raises(ApiException) as refused:
        async for _ in watch.Watch().stream(core.list_namespaced_pod, NS, resource_version="1"):
            pass
    assert refused.value.status == 410
