"""The Docker API over a Unix socket: a stand-in of its container endpoints, spoken to by the real client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.actions.restart import RaiseMemory, Restart
from bot.adapters.docker import DockerContainers
from bot.domain.probe import Finding, ok
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, ClusterWrites, Infrastructure, Writes
from tests.world.bench import Bench


@dataclass
class Engine:
    """One container, and what was asked of it."""

    started: datetime = datetime(2026, 3, 4, tzinfo=UTC)
    memory: int = 512 * 2**20
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def app(self) -> web.Application:
        """The endpoints that are used."""
        app = web.Application()
        app.router.add_get("/{version}/containers/relay-relay-1/json", self._show)
        app.router.add_post("/{version}/containers/relay-relay-1/restart", self._restart)
        app.router.add_post("/{version}/containers/relay-relay-1/update", self._update)
        app.router.add_get("/version", self._version)
        app.router.add_get("/{version}/version", self._version)
        return app

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.47", "Version": "27.0"})

    async def _show(self, _: web.Request) -> web.Response:
        state = {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "StartedAt": self.started.isoformat().replace("+00:00", "Z"),
        }
        found: dict[str, Any] = {"Id": "abc", "Name": "/relay-relay-1", "State": state, "RestartCount": 0}
        return web.json_response(found | {"HostConfig": {"Memory": self.memory}, "Config": {"Image": "musd-relay:1"}})

    async def _restart(self, _: web.Request) -> web.Response:
        if self.broken:
            return web.json_response({"message": "no space left on device"}, status=500)
        self.asked.append("restart")
        self.started = datetime.now(UTC)
        return web.Response(status=204)

    async def _update(self, request: web.Request) -> web.Response:
        self.memory = (await request.json())["Memory"]
        self.asked.append("update")
        return web.json_response({"Warnings": []})


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    one = Engine()
    runner = web.AppRunner(one.app())
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "docker.sock")).start()
    yield one
    await runner.cleanup()


@pytest.fixture
def containers(engine: Engine, tmp_path: Path) -> DockerContainers:
    assert engine
    return DockerContainers(f"unix://{tmp_path / 'docker.sock'}", {"musd-relay": "relay-relay-1"})


async def nothing(_: object = None) -> Finding:
    return ok("answers 200")


async def supply() -> Any:
    raise UnavailableError("nobody asks")


@pytest.fixture
def bench(containers: DockerContainers) -> Bench:
    infra = Infrastructure(
        cluster=containers,
        health={"musd-relay": nothing},
        validators=(),
        canton_supply=supply,
        patience=timedelta(seconds=3),
    )
    return Bench(Writes(signed=None, pause=None, infra=infra))  # type: ignore[arg-type]  # nothing here signs


def test_the_port_is_fulfilled(containers: DockerContainers) -> None:
    port: ClusterWrites = containers
    assert port.names == ("musd-relay",)


async def test_a_container_is_restarted_and_its_health_asked(engine: Engine, bench: Bench) -> None:
    receipt = await bench.run(Restart(deployment="musd-relay"))
    assert (receipt.complete, engine.asked, receipt.steps[1].text) == (True, ["restart"], "answers 200")


async def test_the_same_change_twice_restarts_once(engine: Engine, containers: DockerContainers) -> None:
    mark = datetime.now(UTC).isoformat(timespec="seconds")
    await containers.change("musd-relay", Change(mark=mark))
    await containers.change("musd-relay", Change(mark=mark))
    assert engine.asked == ["restart"]


async def test_its_memory_is_raised_before_it_restarts(engine: Engine, bench: Bench) -> None:
    receipt = await bench.run(RaiseMemory(deployment="musd-relay"))
    assert (receipt.complete, engine.asked, engine.memory) == (True, ["update", "restart"], 768 * 2**20)


async def test_what_docker_refuses_is_said_in_its_words(engine: Engine, bench: Bench) -> None:
    engine.broken = True
    receipt = await bench.run(Restart(deployment="musd-relay"))
    assert "no space left on device" in receipt.steps[0].text


async def test_an_engine_that_is_away_is_unavailable(tmp_path: Path) -> None:
    away = DockerContainers(f"unix://{tmp_path / 'nothing.sock'}", {"musd-relay": "relay-relay-1"})
    with pytest.raises(UnavailableError, match="Docker does not answer"):
        await away.look("musd-relay")


async def test_a_container_nobody_configured_is_refused(containers: DockerContainers) -> None:
    with pytest.raises(RefusedError, match="no container 'nginx'"):
        await containers.look("nginx")
