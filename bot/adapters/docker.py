"""The docker-compose flavour: containers restarted through the Docker API, as `docker compose restart relay` does it.

A container is a deployment of one: it is stopped before it starts again, so two never run at once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiodocker.containers import DockerContainer

from bot.adapters import containers
from bot.adapters.docker_api import DockerApi
from bot.errors import RefusedError
from bot.ports import Change, Deployment, Pod

_STOP_WITHIN = 10
"""Seconds a container gets to end before it is killed: Docker's own default."""
_TIMEOUT = 15.0 + _STOP_WITHIN
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


class DockerContainers:
    """Fulfils `ports.ClusterWrites` with containers. It can't change their environment, which compose makes."""

    def __init__(self, url: str, named: Mapping[str, str]) -> None:
        """Change these containers and no others.

        Args:
            url: of the Docker API, such as ``unix:///var/run/docker.sock``.
            named: their names by the bot's word for them, such as ``{"musd-relay": "relay-relay-1"}``.
        """
        self._docker = DockerApi(url, named, timeout=_TIMEOUT)
        self.names = self._docker.names
        self.single: tuple[str, ...] = ()
        self.where = "docker"

    def by_hand(self, name: str) -> str:
        """``docker inspect``."""
        return f"docker inspect {self._docker.own(name)}"

    async def look(self, name: str) -> Deployment:
        """How it stands now. One that has ended is wanted all the same."""
        found, pod = await self._shown(name)
        return Deployment(
            name=pod.name,
            kind="container",
            replicas=1,
            overlaps=False,
            image=pod.image,
            memory=pod.memory_limit,
            mark=_mark(pod.started_at),
            settled=True,
            present=1,
            updated=int(found["State"]["Running"]),
            available=int(pod.ready),
            failure=found["State"].get("Error", ""),
        )

    async def pods(self, name: str) -> Sequence[Pod]:
        """The container, in a pod's words."""
        return [(await self._shown(name))[1]]

    async def change(self, name: str, change: Change, *, dry: bool = False) -> None:
        """Restart it, unless it was since the change's mark: the same change twice restarts once.

        One that dies again and again starts by itself all the time. Docker counts those starts, and forgets the count
        when somebody restarts it: only a start that none was counted for was a restart.
        """
        if change.env:
            raise RefusedError(
                "A container's environment can't be changed while it exists.",
                means="Nothing was changed.",
                next_step="Change the compose file, then `docker compose up -d`.",
            )
        _, before = await self._shown(name)
        if dry:
            return
        if change.memory is not None and change.memory != before.memory_limit:
            size = _bytes(change.memory)
            await self._docker.ask(name, "change", lambda container: _limited(container, size), writes=True)
        if change.replicas == 0:
            await self._docker.ask(name, "stop", lambda container: container.stop(t=_STOP_WITHIN), writes=True)
        elif change.mark is not None and (before.restarts or _mark(before.started_at) < change.mark):
            await self._docker.ask(name, "restart", lambda container: container.restart(t=_STOP_WITHIN), writes=True)

    async def _shown(self, name: str) -> tuple[Mapping[str, Any], Pod]:
        async def question(container: DockerContainer) -> tuple[Mapping[str, Any], Pod]:
            found = await container.show()
            return found, containers.summed_up(found, name, datetime.now(UTC))

        return await self._docker.ask(name, "look at", question)


async def _limited(container: DockerContainer, size: int) -> None:
    """`docker update --memory`, swap with it, since a limit above the swap's is refused."""
    body = {"Memory": size, "MemorySwap": size}
    await container.docker._query_json(f"containers/{container.id}/update", method="POST", data=body)  # noqa: SLF001 - the library has no word for it


def _mark(started_at: datetime | None) -> str:
    """When it was started, as marks are written: to the second, in UTC."""
    return started_at.isoformat(timespec="seconds") if started_at else ""


def _bytes(memory: str) -> int:
    for unit, size in _UNITS.items():
        if memory.endswith(unit) and memory.removesuffix(unit).isdigit():
            return int(memory.removesuffix(unit)) * size
    raise RefusedError(f"{memory[:20]!r} is no memory limit for a container.", next_step="Write it as 768Mi or 2Gi.")
