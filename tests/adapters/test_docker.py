"""What docker-compose runs, read and restarted: the real client against the practice engine."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.actions.restart import RaiseMemory, Restart
from bot.adapters.docker import DockerContainers
from bot.adapters.docker_reads import DockerReads
from bot.domain.probe import Finding, ok
from bot.drill.cluster import Cluster
from bot.drill.docker import CONTAINER, Docker
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, ClusterWrites, ContainerReads, Infrastructure, Pod, Writes
from tests.world.bench import Bench

RELAY = "musd-relay"
NAMED = {RELAY: CONTAINER}
NC = ["nc", "-z", "-w", "3"]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    one.state.pace = 0.2
    await one.start(tmp_path / "cluster")
    yield one
    await one.stop()


@pytest.fixture
async def engine(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Docker]:
    one = Docker(cluster)
    await one.start(tmp_path / "docker")
    yield one
    await one.stop()


@pytest.fixture
def reads(engine: Docker) -> DockerReads:
    return DockerReads(engine.url, NAMED)


@pytest.fixture
def containers(engine: Docker) -> DockerContainers:
    return DockerContainers(engine.url, NAMED)


def restarts(engine: Docker) -> int:
    return len([one for one in engine.seen if one["path"].partition("?")[0].endswith("/restart")])


async def nothing(_: object = None) -> Finding:
    return ok("answers 200")


async def supply() -> Any:
    raise UnavailableError("nobody asks")


@pytest.fixture
def bench(containers: DockerContainers) -> Bench:
    infra = Infrastructure(
        cluster=containers,
        health={RELAY: nothing},
        validators=(),
        canton_supply=supply,
        patience=timedelta(seconds=8),
    )
    return Bench(Writes(signed=None, pause=None, infra=infra))  # type: ignore[arg-type]  # nothing here signs


def test_the_ports_are_fulfilled(containers: DockerContainers, reads: DockerReads) -> None:
    writing: ClusterWrites = containers
    reading: ContainerReads = reads
    assert writing.names == (RELAY,)
    assert not hasattr(reading, "change")


async def becomes(reads: DockerReads, reason: str, *, restarts: int = 0) -> Pod:
    """The container, once it is in this state and was restarted so often."""
    async with asyncio.timeout(60):
        while True:
            [found] = await reads.pods(RELAY)
            if found.reason == reason and found.restarts >= restarts:
                return found
            await asyncio.sleep(0.02)


# --- Reading ---------------------------------------------------------------------------------------------------------


async def test_a_container_that_is_well(reads: DockerReads) -> None:
    found = await becomes(reads, "")
    assert (found.name, found.owner, found.phase, found.ready) == (CONTAINER, RELAY, "running", True)
    assert (found.health, found.memory_limit, found.restarts) == ("healthy", "512Mi", 0)
    assert (found.image, found.started_at is None) == ("ghcr.io/minted/musd-relay:1.14.2", False)


async def test_one_that_dies_at_every_start(cluster: Cluster, reads: DockerReads) -> None:
    await cluster.inflict({"fault": "crashloop"})
    found = await becomes(reads, "Restarting")
    assert (found.ready, found.last_end, found.last_exit, found.ended_at is None) == (False, "Error", 1, False)
    assert "FATAL config: RELAYER_PRIVATE_KEY is not set" in await reads.logs(RELAY, 100)


async def test_one_that_was_killed_for_its_memory(cluster: Cluster, reads: DockerReads) -> None:
    await cluster.inflict({"fault": "oomkilled"})
    found = await becomes(reads, "OOMKilled")
    assert (found.last_exit, found.memory_limit) == (137, "512Mi")
    assert await reads.usage(RELAY) == []
    assert "OOMKilled: it used more than its memory limit (512Mi)" in await reads.warnings(RELAY)


async def test_one_that_is_gone_was_killed_and_not_by_itself(cluster: Cluster, reads: DockerReads) -> None:
    await cluster.inflict({"fault": "relay-down"})
    assert (await becomes(reads, "Exited")).ready is False
    assert await reads.execute(RELAY, [*NC, "canton-participant", "7575"]) == []


async def test_a_failed_health_check_is_a_warning_with_its_words(cluster: Cluster, reads: DockerReads) -> None:
    await cluster.inflict({"fault": "relay-unhealthy", "reason": "supply mismatch"})
    assert (await becomes(reads, "Unhealthy")).health == "unhealthy"
    [said] = await reads.warnings(RELAY)
    assert said.endswith("returned error: 503 supply mismatch")


async def test_a_log_ends_where_it_was_asked_to_begin(cluster: Cluster, reads: DockerReads) -> None:
    await cluster.inflict({"fault": "hostile-logs"})  # long lines, odd bytes
    every = await reads.logs(RELAY, 5000)
    assert await reads.logs(RELAY, 3) == every[-3:]
    recent = await reads.logs(RELAY, 5000, timedelta(seconds=60))
    assert 0 < len(recent) < len(every)
    assert max(map(len, every)) == 2000


async def test_what_it_uses_is_measured_without_its_cache(reads: DockerReads) -> None:
    [used] = await reads.usage(RELAY) or ()
    assert (used.pod, used.memory) == (CONTAINER, 128 * 2**20)


async def test_a_command_that_reads_is_run_in_it(cluster: Cluster, reads: DockerReads) -> None:
    [well] = await reads.execute(RELAY, [*NC, "canton-participant", "7575"])
    await cluster.inflict({"fault": "egress-blocked", "kind": "canton"})
    [cut_off] = await reads.execute(RELAY, [*NC, "canton-participant", "7575"])
    assert (well.pod, well.owner, well.code, cut_off.code) == (CONTAINER, RELAY, 0, 1)
    assert "timed out" in cut_off.text


async def test_a_command_that_may_write_is_not_run(engine: Docker, reads: DockerReads) -> None:
    with pytest.raises(RefusedError, match="rm is not known to read only"):
        await reads.execute(RELAY, ["rm", "-rf", "/"])
    assert engine.seen == []


async def test_an_engine_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = DockerReads(f"unix://{tmp_path / 'nothing.sock'}", NAMED)
    with pytest.raises(UnavailableError, match="Docker does not answer: there is no such socket"):
        await away.pods(RELAY)


async def test_an_engine_that_hangs_up_or_hangs_is_unavailable(engine: Docker) -> None:
    reads = DockerReads(engine.url, NAMED, timeout=0.5)
    await engine.inflict({"fault": "down", "how": "close"})
    with pytest.raises(UnavailableError, match="Docker does not answer: the connection was closed"):
        await reads.logs(RELAY, 10)
    await engine.mend()
    await engine.inflict({"fault": "slow", "seconds": 60})
    with pytest.raises(UnavailableError, match="no answer within"):
        await reads.logs(RELAY, 10)


async def test_what_stands_before_docker_may_not_let_it_pass(engine: Docker, reads: DockerReads) -> None:
    await engine.inflict({"fault": "forbidden"})
    with pytest.raises(UnavailableError, match="does not let the bot look at relay-relay-1: administrative rules"):
        await reads.pods(RELAY)
    assert await reads.version() == "27.5.1"


async def test_a_container_nobody_made_is_said_for_good(engine: Docker) -> None:
    with pytest.raises(UnavailableError, match="There is no container relay-1") as said:
        await DockerReads(engine.url, {RELAY: "relay-1"}).pods(RELAY)
    assert said.value.lasting


async def test_something_else_that_answers_there_is_no_docker(cluster: Cluster) -> None:
    with pytest.raises(UnavailableError, match="Docker could not look at relay-relay-1: 404"):
        await DockerReads(cluster.relay_url, NAMED).pods(RELAY)
    with pytest.raises(UnavailableError, match="Docker's answer can't be read"):
        await DockerReads("no address at all", NAMED).pods(RELAY)


# --- Changing --------------------------------------------------------------------------------------------------------


async def test_a_container_is_restarted_and_its_health_asked(engine: Docker, bench: Bench) -> None:
    receipt = await bench.run(Restart(deployment=RELAY))
    assert (receipt.complete, restarts(engine)) == (True, 1), receipt
    assert [step.text for step in receipt.steps] == ["1 of 1 new containers ready", "answers 200"]


async def test_one_that_dies_again_is_not_taken_for_restarted(
    cluster: Cluster, reads: DockerReads, bench: Bench
) -> None:
    await cluster.inflict({"fault": "crashloop"})
    await becomes(reads, "Restarting")
    receipt = await bench.run(Restart(deployment=RELAY))
    assert not receipt.complete
    assert "relay-relay-1 is in Restarting (it starts and dies again)" in receipt.steps[0].text


async def test_the_same_change_twice_restarts_once(engine: Docker, containers: DockerContainers) -> None:
    before = await containers.look(RELAY)
    later = Change(mark=before.mark + "z")  # a moment after it, and before any that comes
    await containers.change(RELAY, later)
    await containers.change(RELAY, later)
    assert restarts(engine) == 1


async def test_one_that_has_just_started_by_itself_is_restarted_all_the_same(
    cluster: Cluster, engine: Docker, containers: DockerContainers, reads: DockerReads
) -> None:
    await cluster.inflict({"fault": "crashloop"})
    await becomes(reads, "Restarting", restarts=1)
    await containers.change(RELAY, Change(mark=(await containers.look(RELAY)).mark))
    assert restarts(engine) == 1


async def test_its_memory_is_raised_before_it_restarts(engine: Docker, bench: Bench, reads: DockerReads) -> None:
    receipt = await bench.run(RaiseMemory(deployment=RELAY))
    done = [one["path"].rpartition("/")[2].partition("?")[0] for one in engine.seen if one["method"] == "POST"]
    assert (receipt.complete, done) == (True, ["update", "restart"]), receipt
    assert (await reads.pods(RELAY))[0].memory_limit == "768Mi"


async def test_what_docker_refuses_is_said_in_its_words(engine: Docker, bench: Bench) -> None:
    await engine.inflict({"fault": "restart-fails"})
    receipt = await bench.run(Restart(deployment=RELAY))
    assert "no space left on device" in receipt.steps[0].text
    assert "It may have been stopped by that" in receipt.steps[0].text


async def test_a_container_nobody_configured_is_refused(containers: DockerContainers) -> None:
    with pytest.raises(RefusedError, match="no container 'nginx'"):
        await containers.look("nginx")
