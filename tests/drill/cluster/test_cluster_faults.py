"""How the practice cluster breaks, shows it and is mended."""

import asyncio
from typing import Any

import aiohttp
import pytest
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from bot.drill.cluster import Cluster
from bot.drill.cluster.chatter import PLANTED_JWT, PLANTED_KEY
from bot.drill.part import UnknownFaultError
from tests.world.cluster import (
    NS,
    health,
    relay_pod,
    relay_pods,
    restart,
    run_in,
    until,
    waiting_for,
)


async def test_a_crash_loop_shows_and_tells_why(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "crashloop", "message": "FATAL config: no CANTON_HOST"})

    async def twice() -> bool:
        return bool((await relay_pods(core))[0].status.container_statuses[0].restart_count >= 2)

    await until(twice)
    pod = (await relay_pods(core))[0]
    found = pod.status.container_statuses[0]
    assert (
        found.state.waiting.reason,
        found.last_state.terminated.reason,
        found.last_state.terminated.exit_code,
    ) == ("CrashLoopBackOff", "Error", 1)
    for previous in (False, True):
        text = await core.read_namespaced_pod_log(pod.metadata.name, NS, previous=previous)
        assert text.splitlines()[-1] == "FATAL config: no CANTON_HOST"
    events = await core.list_namespaced_event(NS, field_selector=f"involvedObject.name={pod.metadata.name}")
    assert "BackOff" in {event.reason for event in events.items}


async def test_a_crash_loop_outlives_a_restart_and_ends_when_mended(cluster: Cluster, core: Any, apps: Any) -> None:
    await cluster.inflict({"fault": "crashloop"})
    await restart(apps, "musd-relay")

    async def all_crash() -> bool:
        pods = await relay_pods(core)
        return len(pods) == 2 and all(
            pod.status.container_statuses and pod.status.container_statuses[0].restart_count for pod in pods
        )

    await until(all_crash)
    await cluster.mend()

    async def one_is_well() -> bool:
        pods = await relay_pods(core)
        return len(pods) == 1 and pods[0].status.container_statuses[0].ready

    await until(one_is_well)
    assert (await health(cluster))[0] == 200


async def test_a_crash_loop_until_restart_ends_with_the_restart(cluster: Cluster, core: Any, apps: Any) -> None:
    await cluster.inflict({"fault": "crashloop", "until": "restart"})
    await restart(apps, "musd-relay")

    async def one_is_well() -> bool:
        pods = await relay_pods(core)
        return len(pods) == 1 and bool(pods[0].status.container_statuses) and pods[0].status.container_statuses[0].ready

    await until(one_is_well)


async def test_memory_that_suffices_heals_an_oom_kill(cluster: Cluster, core: Any, apps: Any) -> None:
    await cluster.inflict({"fault": "oomkilled", "needs": 700})

    async def killed() -> bool:
        last = (await relay_pods(core))[0].status.container_statuses[0].last_state.terminated
        return last is not None and (last.reason, last.exit_code) == ("OOMKilled", 137)

    await until(killed)
    more = {"name": "relay", "resources": {"limits": {"memory": "768Mi"}}}
    await apps.patch_namespaced_deployment("musd-relay", NS, {"spec": {"template": {"spec": {"containers": [more]}}}})

    async def one_is_well() -> bool:
        pods = await relay_pods(core)
        return len(pods) == 1 and pods[0].status.container_statuses[0].ready

    await until(one_is_well)
    container = (await relay_pods(core))[0].spec.containers[0]
    assert (
        container.resources.limits["memory"],
        container.resources.limits["cpu"],
        bool(container.env),
    ) == ("768Mi", "500m", True)


@pytest.mark.parametrize(("fault", "reason"), [("image-pull", "ImagePullBackOff"), ("crashloop", "CrashLoopBackOff")])
async def test_a_broken_deployment_waits_with_the_reason(cluster: Cluster, core: Any, fault: str, reason: str) -> None:
    await cluster.inflict({"fault": fault, "deployment": "liquidation-bot"})

    async def waits() -> bool:
        return await waiting_for(core, "app=liquidation-bot") == reason

    await until(waits)


async def test_a_pod_without_room_is_unschedulable(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "pending"})

    async def unschedulable() -> bool:
        pods = await relay_pods(core)
        return bool(pods) and (pods[0].status.conditions or [])[0].reason == "Unschedulable"

    await until(unschedulable)


async def test_a_used_up_quota_shows_on_the_deployment(cluster: Cluster, apps: Any) -> None:
    await cluster.inflict({"fault": "quota"})
    await restart(apps, "musd-relay")

    async def refused() -> bool:
        conditions = (await apps.read_namespaced_deployment("musd-relay", NS)).status.conditions
        return any(found.type == "ReplicaFailure" and "exceeded quota" in found.message for found in conditions)

    await until(refused)


async def test_a_stuck_rollout_exceeds_its_deadline(cluster: Cluster, apps: Any) -> None:
    await cluster.inflict({"fault": "rollout-stuck"})
    body = {"spec": {"progressDeadlineSeconds": 1, "template": {"metadata": {"annotations": {"again": "1"}}}}}
    await apps.patch_namespaced_deployment("musd-relay", NS, body)

    async def exceeded() -> bool:
        conditions = (await apps.read_namespaced_deployment("musd-relay", NS)).status.conditions
        return any(found.reason == "ProgressDeadlineExceeded" for found in conditions)

    await until(exceeded)


async def test_validators_can_be_down_two_at_once(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "validator-down", "which": "1,3"})

    async def down() -> bool:
        pods = (await core.list_namespaced_pod(NS, label_selector="app=musd-validator")).items
        return [pod.status.container_statuses[0].ready for pod in pods] == [False, True, False]

    await until(down)


async def test_an_unhealthy_relay_answers_503_with_the_reason(cluster: Cluster) -> None:
    await cluster.inflict({"fault": "relay-unhealthy", "reason": "supply mismatch"})
    status, body = await health(cluster)
    assert (status, body["mismatchReason"]) == (503, "supply mismatch")


async def test_a_relay_that_is_down_refuses_connections_until_restarted(cluster: Cluster, core: Any, apps: Any) -> None:
    await cluster.inflict({"fault": "relay-down"})
    with pytest.raises(aiohttp.ClientConnectionError):
        await health(cluster)
    assert await relay_pods(core) == []
    await restart(apps, "musd-relay")

    async def back() -> bool:
        try:
            return (await health(cluster))[0] == 200
        except aiohttp.ClientConnectionError:
            return False

    await until(back)


async def test_a_missing_network_policy_cuts_the_relay_off_until_mended(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "networkpolicy-missing"})
    pod = await relay_pod(core)
    url = "http://canton-participant:7575/livez"
    assert (await run_in(cluster, pod, "wget", "-q", "-O-", url))[::2] == (1, b"wget: download timed out\n")
    assert (await health(cluster))[0] == 503
    await cluster.mend()
    assert await run_in(cluster, pod, "wget", "-q", "-O-", url) == (0, b"OK\n", b"")


async def test_an_api_that_is_down_hangs_up(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "api-down"})
    with pytest.raises(aiohttp.ClientConnectionError):
        await core.list_namespaced_pod(NS)
    await cluster.mend()
    assert len(await relay_pods(core)) == 1


async def test_an_api_that_is_slow_takes_that_long(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "api-slow", "seconds": 30})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await core.list_namespaced_pod(NS)


async def test_a_forbidden_verb_is_403_and_the_review_agrees(
    cluster: Cluster, apps: Any, api: client.ApiClient
) -> None:
    await cluster.inflict({"fault": "forbidden", "verb": "patch", "resource": "deployments"})
    with pytest.raises(ApiException) as refused:
        await restart(apps, "musd-relay")
    attributes = client.V1ResourceAttributes(namespace=NS, verb="patch", group="apps", resource="deployments")
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    review = await client.AuthorizationV1Api(api).create_self_subject_access_review(
        client.V1SelfSubjectAccessReview(spec=spec)
    )
    assert (refused.value.status, review.status.allowed) == (403, False)


async def test_conflicts_last_as_often_as_asked(cluster: Cluster, apps: Any) -> None:
    await cluster.inflict({"fault": "conflict", "times": 1})
    with pytest.raises(ApiException) as refused:
        await restart(apps, "musd-relay")
    await restart(apps, "musd-relay")
    assert refused.value.status == 409


async def test_hostile_logs_hold_what_must_not_get_out(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "hostile-logs"})
    text = await core.read_namespaced_pod_log(await relay_pod(core), NS)
    planted = ("<!channel>", "\x1b[31m", "\u202e", "```", PLANTED_KEY, PLANTED_JWT)
    assert [secret in text for secret in planted] == [True] * 6


async def test_an_unknown_fault_lists_the_known_ones(cluster: Cluster) -> None:
    with pytest.raises(UnknownFaultError, match=r"crashloop, oomkilled, image-pull"):
        await cluster.inflict({"fault": "earthquake"})


async def test_an_unknown_deployment_is_named(cluster: Cluster) -> None:
    with pytest.raises(UnknownFaultError, match="there is no deployment 'bridge'"):
        await cluster.inflict({"fault": "crashloop", "deployment": "bridge"})


@pytest.mark.parametrize("fault", [fault.fault for fault in Cluster.faults])
async def test_every_fault_works_as_it_is_and_is_mended(cluster: Cluster, core: Any, fault: str) -> None:
    await cluster.inflict({"fault": fault})
    await asyncio.sleep(0.1)
    await cluster.mend()

    async def all_well() -> bool:
        pods = (await core.list_namespaced_pod(NS)).items
        return len(pods) == 9 and all(
            pod.status.container_statuses and pod.status.container_statuses[0].ready for pod in pods
        )

    await until(all_well)
    assert (await health(cluster))[0] == 200
