"""Restarting: each deployment watched to its end, one after another, never two relays at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from kubernetes_asyncio import client

from bot.actions.restart import RaiseMemory, Restart, RestartAll, RestartSome
from bot.adapters.deployments import KubernetesDeployments
from bot.adapters.kube_api import KubeApi
from bot.domain.action import Outcome
from bot.domain.probe import State
from bot.drill.cluster import Cluster
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, Infrastructure
from tests.actions.conftest import NAMES
from tests.world.bench import Bench, Mortal, Remembered, proposed
from tests.world.cluster import settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
RELAY = Restart(deployment="musd-relay")
T = TypeVar("T")


@pytest_asyncio.fixture(loop_scope="module")
async def core(cluster: Cluster) -> AsyncIterator[Any]:
    async with client.ApiClient(await settings(cluster)) as api:
        yield client.CoreV1Api(api)


def patched(cluster: Cluster) -> list[Any]:
    """What was really written, dry runs left out."""
    return [one for one in cluster.seen if one["method"] == "PATCH" and "dryRun" not in one["path"]]


async def test_a_deployment_is_restarted_as_kubectl_does_it(cluster: Cluster, bench: Bench) -> None:
    receipt = await bench.run(Restart(deployment="canton-participant"))
    [patch] = patched(cluster)
    mark = patch["body"]["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
    assert (receipt.complete, receipt.steps[0].evidence["restarted at"]) == (True, mark)


async def test_the_pods_are_new_ones(bench: Bench, infra: Infrastructure) -> None:
    before = [pod.name for pod in await infra.cluster.pods("musd-relay")]
    await bench.run(RELAY)
    after = await infra.cluster.pods("musd-relay")
    assert [pod.ready for pod in after] == [True]
    assert not {pod.name for pod in after} & set(before)


async def test_two_relays_never_run_at_once(bench: Bench, core: Any) -> None:
    most = 0

    async def count() -> None:
        nonlocal most
        while True:
            pods = (await core.list_namespaced_pod("musd", label_selector="app=musd-relay")).items
            most = max(most, len(pods))
            await asyncio.sleep(0.02)

    counting = asyncio.create_task(count())
    receipt = await bench.run(RELAY)
    counting.cancel()
    assert (receipt.complete, most) == (True, 1)


async def test_its_health_is_asked_afterwards(bench: Bench) -> None:
    receipt = await bench.run(RELAY)
    assert [(step.name, step.text) for step in receipt.steps[1:]] == [("musd-relay: health", "answers 200")]


async def test_a_validators_heartbeat_is_seen_to_move(bench: Bench) -> None:
    receipt = await bench.run(RestartSome(deployments=("musd-validator-1", "musd-validator-3")))
    assert receipt.complete
    assert [step.name for step in receipt.steps] == [
        "musd-validator-1",
        "musd-validator-1: health",
        "musd-validator-3",
        "musd-validator-3: health",
    ]


async def test_all_of_them_go_one_after_another_and_the_bot_is_none_of_them(cluster: Cluster, bench: Bench) -> None:
    receipt = await bench.run(RestartAll())
    order = [one["path"].partition("?")[0].rpartition("/")[2] for one in patched(cluster)]
    assert receipt.complete
    assert list(dict.fromkeys(order)) == list(NAMES)


async def test_the_first_that_is_not_well_ends_it(cluster: Cluster, bench: Bench, infra: Infrastructure) -> None:
    bench.writes = replace(bench.writes, infra=replace(infra, patience=timedelta(seconds=2)))
    await cluster.inflict({"fault": "rollout-stuck", "deployment": "musd-validator-1"})
    receipt = await bench.run(RestartAll())
    ended = {step.name: (step.outcome, step.text) for step in receipt.steps}
    assert ended["musd-relay"] == (Outcome.NOT_BEGUN, "musd-validator-1 before it is not well")
    assert [one for one in patched(cluster) if "validator-2" in one["path"]] == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("image-pull", "its image can't be pulled"),
        ("crashloop", "starts and dies again"),
        ("quota", "exceeded quota"),
        ("pending", "no node has room"),
    ],
)
async def test_a_rollout_that_never_ends_says_why(
    cluster: Cluster, bench: Bench, infra: Infrastructure, fault: str, words: str
) -> None:
    bench.writes = replace(bench.writes, infra=replace(infra, patience=timedelta(seconds=2.5)))
    await cluster.inflict({"fault": fault, "deployment": "canton-participant"})
    receipt = await bench.run(Restart(deployment="canton-participant"))
    assert receipt.steps[0].outcome is Outcome.FAILED
    assert words in receipt.steps[0].text
    assert any(words in told for told in bench.told)


async def test_memory_is_raised_by_half_and_the_plan_has_before_and_after(
    cluster: Cluster, bench: Bench, infra: Infrastructure
) -> None:
    await cluster.inflict({"fault": "oomkilled"})
    action = RaiseMemory(deployment="musd-relay")
    plan = (await proposed(action, bench.writes)).plan
    receipt = await bench.run(action)
    assert "512Mi → 768Mi" in plan.steps[0].call
    assert (receipt.complete, (await infra.cluster.look("musd-relay")).memory) == (True, "768Mi")


async def test_a_limit_is_never_lowered(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="no memory limit above the present 512Mi"):
        await proposed(RaiseMemory(deployment="musd-relay", limit="256Mi"), bench.writes)


async def test_an_unknown_deployment_is_refused_with_those_there_are(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="There is no deployment 'nginx'") as caught:
        await proposed(Restart(deployment="nginx"), bench.writes)
    assert "musd-relay" in caught.value.next_step


async def test_what_somebody_scaled_to_0_is_not_started_by_a_restart(cluster: Cluster, bench: Bench) -> None:
    async with client.ApiClient(await settings(cluster)) as api:
        apps: Any = client.AppsV1Api(api)
        await apps.patch_namespaced_deployment_scale("canton-participant", "musd", {"spec": {"replicas": 0}})
    [step] = (await bench.run(Restart(deployment="canton-participant"))).steps
    assert (step.outcome, "scaled to 0 by somebody" in step.text) == (Outcome.FAILED, True)


async def test_what_the_bot_itself_stopped_gets_its_pods_back(bench: Bench, infra: Infrastructure) -> None:
    await infra.cluster.change("canton-participant", Change(replicas=0))
    receipt = await bench.run(Restart(deployment="canton-participant"))
    found = await infra.cluster.look("canton-participant")
    assert (receipt.complete, found.replicas, found.parked) == (True, 1, 0)


async def test_a_token_that_may_not_write_is_told_in_the_plan(cluster: Cluster, bench: Bench) -> None:
    await cluster.inflict({"fault": "forbidden", "verb": "patch"})
    [step] = (await proposed(RELAY, bench.writes)).plan.steps
    assert (step.simulation, "Grant its role: patch on deployments" in step.simulated) == (State.BAD, True)


async def test_forbidden_at_the_run_changes_nothing(cluster: Cluster, bench: Bench) -> None:
    await cluster.inflict({"fault": "forbidden", "verb": "patch"})
    [step] = (await bench.run(RELAY)).steps
    assert (step.outcome, "Nothing was changed" in step.text) == (Outcome.FAILED, True)


async def test_a_conflict_changes_nothing_and_says_so(cluster: Cluster, bench: Bench) -> None:
    proposal_first = await proposed(RELAY, bench.writes)
    assert proposal_first.plan.steps[0].simulation is State.OK
    await cluster.inflict({"fault": "conflict", "times": 5})
    [step] = (await bench.run(RELAY)).steps
    assert (step.outcome, "Somebody else changed it" in step.text) == (Outcome.FAILED, True)


async def test_an_api_server_that_is_away_is_no_plan(cluster: Cluster, bench: Bench) -> None:
    await cluster.inflict({"fault": "api-down"})
    with pytest.raises(UnavailableError, match="Kubernetes does not answer"):
        await proposed(RELAY, bench.writes)


async def test_one_that_goes_away_under_a_change_leaves_it_open_and_says_how_to_look(
    cluster: Cluster, bench: Bench
) -> None:
    class Lost(Remembered):
        async def step(self, name: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
            if name == "canton-participant change":
                await cluster.inflict({"fault": "api-down"})
            return await super().step(name, work, returns)

    [step] = (await bench.run(Restart(deployment="canton-participant"), Lost())).steps
    assert (step.outcome, "Whether the change arrived is not known" in step.text) == (Outcome.UNKNOWN, True)
    assert "kubectl -n musd get deployment canton-participant -o yaml; then propose again" in step.text


async def test_another_namespace_is_named_with_what_to_grant(
    cluster: Cluster, bench: Bench, infra: Infrastructure
) -> None:
    kube = KubeApi("elsewhere", cluster.kubeconfig, context="writer", timeout=2)
    there = replace(infra, cluster=KubernetesDeployments(kube, {"musd-relay": "musd-relay"}, ()))
    with pytest.raises(UnavailableError, match="may not read deployment musd-relay in elsewhere") as caught:
        await proposed(RELAY, replace(bench.writes, infra=there))
    await kube.close()
    assert "get on deployments in elsewhere" in caught.value.next_step


async def test_a_death_at_any_step_restarts_all_the_same(bench: Bench, infra: Infrastructure) -> None:
    journal = Mortal("restart")
    receipt = await bench.run(RELAY, journal)
    found = await infra.cluster.look("musd-relay")
    assert (receipt.complete, journal.deaths) == (True, 2 * len(journal.finished))
    assert (found.replicas, found.available, found.mark) == (1, 1, receipt.steps[0].evidence["restarted at"])
