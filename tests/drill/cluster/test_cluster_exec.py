"""Commands executed in pods."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.stream import WsApiClient

from bot.drill.cluster import Cluster, Run
from bot.drill.cluster.programs import HEARTBEAT
from tests.world.cluster import (
    NS,
    RELAY,
    relay_pod,
    restart,
    run_in,
    settings,
    until,
    waiting_for,
)


@pytest.mark.parametrize("protocol", ["v4", "v5"])
async def test_a_command_gives_output_and_success(cluster: Cluster, core: Any, protocol: str) -> None:
    pod = await relay_pod(core)
    assert (0, f"{pod}\n".encode(), b"") == await run_in(cluster, pod, "cat", "/etc/hostname", protocol=protocol)


async def test_an_unknown_command_is_127(cluster: Cluster, core: Any) -> None:
    pod = await relay_pod(core)
    assert await run_in(cluster, pod, "frobnicate") == (127, b"", b"sh: 1: frobnicate: not found\n")


async def test_stdin_arrives_and_its_end_is_seen(cluster: Cluster, core: Any) -> None:
    sent = bytes(range(256)) * 400
    assert (0, sent, b"") == await run_in(cluster, await relay_pod(core), "cat", stdin=sent)


async def test_a_handler_of_ones_own_is_found_by_the_first_words(cluster: Cluster) -> None:
    async def dump(run: Run) -> int:
        for _ in range(3):
            await run.out(b"x" * 1000)
        return await run.fail("warning: " + " ".join(run.argv[1:]), 3)

    cluster.on_exec("pg_dump", dump)
    found = await run_in(cluster, "canton-postgres-0", "pg_dump", "-U", "canton")
    assert found == (3, b"x" * 3000, b"warning: -U canton\n")


async def test_a_slow_reader_holds_the_sender_back(cluster: Cluster) -> None:
    waiting = asyncio.Event()
    most = 0

    async def slow(run: Run) -> int:
        nonlocal most
        await waiting.wait()
        async for piece in run.stdin:
            most = max(most, len(piece))
        return 0

    cluster.on_exec("psql", slow)
    asyncio.get_running_loop().call_later(0.3, waiting.set)
    found = await run_in(cluster, "canton-postgres-0", "psql", stdin=b"y" * 1_000_000)
    assert (found[0], most) == (0, 1_000_000)


async def test_the_client_leaving_ends_the_command(cluster: Cluster, core: Any) -> None:
    ended = asyncio.Event()

    async def forever(run: Run) -> int:
        try:
            await run.out(b"begun")
            await asyncio.sleep(60)
        finally:
            ended.set()
        return 0

    cluster.on_exec("sleep", forever)
    async with WsApiClient(await settings(cluster)) as api:
        core_of_exec: Any = client.CoreV1Api(api)
        connect = await core_of_exec.connect_get_namespaced_pod_exec(
            await relay_pod(core), NS, command=["sleep"], stdout=True, _preload_content=False
        )
        async with connect as socket:
            await socket.receive()
    async with asyncio.timeout(30):
        await ended.wait()


async def test_a_heartbeat_stays_fresh_unless_stopped(cluster: Cluster, core: Any) -> None:
    pods = (await core.list_namespaced_pod(NS, label_selector="app=musd-validator")).items
    await cluster.inflict({"fault": "heartbeat-stale", "which": "2"})
    ages = []
    for pod in pods:
        _, beat, _ = await run_in(cluster, pod.metadata.name, "stat", "-c", "%Y", HEARTBEAT, context="reader")
        _, now, _ = await run_in(cluster, pod.metadata.name, "date", "+%s", context="reader")
        ages.append(int(now) - int(beat) < 5)
    assert ages == [True, False, True]


async def test_a_stopped_heartbeat_beats_again_after_a_restart(cluster: Cluster, core: Any, apps: Any) -> None:
    await cluster.inflict({"fault": "heartbeat-stale", "which": "2", "until": "restart"})
    await restart(apps, "musd-validator-2")

    async def fresh() -> bool:
        pods = (await core.list_namespaced_pod(NS, label_selector="validator=2")).items
        if len(pods) != 1 or not pods[0].status.container_statuses[0].ready:
            return False
        _, beat, _ = await run_in(cluster, pods[0].metadata.name, "stat", "-c", "%Y", HEARTBEAT)
        return time.time() - int(beat) < 5

    await until(fresh)


@pytest.mark.parametrize(
    ("kind", "answers"),
    [("canton", [28, 0]), ("ethereum", [0, 28]), (None, [28, 28])],
    ids=["canton", "ethereum", "both"],
)
async def test_blocked_egress_shows_from_inside(
    cluster: Cluster, core: Any, kind: str | None, answers: list[int]
) -> None:
    await cluster.inflict({"fault": "egress-blocked"} | ({"kind": kind} if kind else {}))
    pod = await relay_pod(core)
    urls = ("http://canton-participant:7575/livez", "https://ethereum-rpc.musd.internal")
    assert [(await run_in(cluster, pod, "curl", "-sS", "-m", "5", url))[0] for url in urls] == answers


@pytest.mark.parametrize(("fault", "share"), [(None, b"38%"), ({"fault": "disk-full"}, b"100%")])
async def test_the_disk_shows_how_full_it_is(cluster: Cluster, fault: dict[str, str] | None, share: bytes) -> None:
    if fault:
        await cluster.inflict(fault)
    _, out, _ = await run_in(cluster, "canton-postgres-0", "df", "-P", "/var/lib/postgresql/data")
    assert share == out.splitlines()[1].split()[4]


async def test_a_command_can_be_killed_half_way(cluster: Cluster) -> None:
    async def dump(run: Run) -> int:
        await run.out(b"x" * 1000)
        return 0

    cluster.on_exec("pg_dump", dump)
    await cluster.inflict({"fault": "exec-exit", "code": 137, "after": 400})
    assert await run_in(cluster, "canton-postgres-0", "pg_dump") == (137, b"x" * 400, b"")
    assert await run_in(cluster, "canton-postgres-0", "pg_dump") == (0, b"x" * 1000, b"")


async def test_a_pod_can_vanish_under_a_command(cluster: Cluster, core: Any) -> None:
    pod = await relay_pod(core)
    await cluster.inflict({"fault": "pod-gone-mid-exec", "after": 5})
    assert await run_in(cluster, pod, "cat", "/etc/hostname") == (None, b"musd-", b"")
    with pytest.raises(ApiException):
        await core.read_namespaced_pod(pod, NS)


async def test_nothing_runs_in_a_container_that_does_not(cluster: Cluster, core: Any) -> None:
    await cluster.inflict({"fault": "crashloop"})

    async def crashed() -> bool:
        return await waiting_for(core, RELAY) == "CrashLoopBackOff"

    await until(crashed)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await run_in(cluster, await relay_pod(core), "cat", "/etc/hostname")
    assert refused.value.status == 500


async def test_a_database_that_is_down_says_so(cluster: Cluster) -> None:
    await cluster.inflict({"fault": "postgres-down"})
    ready = await run_in(cluster, "canton-postgres-0", "pg_isready")
    dump = await run_in(cluster, "canton-postgres-0", "pg_dump", "-U", "canton")
    assert (ready[:2], dump[0]) == ((2, b"/var/run/postgresql:5432 - no response\n"), 1)
