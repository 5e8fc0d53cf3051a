"""The docker-compose flavour: containers restarted through the Docker API, as `docker compose restart relay` does it.

A container is a deployment of one: it is stopped before it starts again, so two never run at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from bot.adapters.trouble import reason
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, Deployment, Pod

T = TypeVar("T")

_TIMEOUT = 15.0
_STOP_WITHIN = 10
"""Seconds a container gets to end before it is killed: Docker's own default."""
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_ABSENT, _NO_HTTP = 404, 600
"""The client has numbers of its own, above HTTP's, for an engine it could not reach."""


class DockerContainers:
    """Fulfils `ports.ClusterWrites` with containers. It can't change their environment, which compose makes."""

    def __init__(self, url: str, containers: Mapping[str, str]) -> None:
        """Change these containers and no others.

        Args:
            url: of the Docker API, such as ``unix:///var/run/docker.sock``.
            containers: their names by the bot's word for them, such as ``{"musd-relay": "relay-relay-1"}``.
        """
        self._url = url
        self._containers = containers
        self.names = tuple(containers)
        self.single: tuple[str, ...] = ()
        self.where = "docker"

    async def look(self, name: str) -> Deployment:
        """How it stands now. One that has ended is wanted all the same."""
        found = await self._asked(name, "look at", lambda container: container.show())
        state, limit = found["State"], found["HostConfig"].get("Memory", 0)
        well = state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy"
        return Deployment(
            name=found["Name"].lstrip("/"),
            kind="container",
            replicas=1,
            overlaps=False,
            image=found["Config"]["Image"],
            memory=f"{limit // _UNITS['Mi']}Mi" if limit else "",
            mark=_mark(state["StartedAt"]),
            settled=True,
            present=1,
            updated=int(state["Running"]),
            available=int(well),
            failure=state.get("Error", ""),
        )

    async def pods(self, name: str) -> Sequence[Pod]:
        """The container, in a pod's words."""
        found = await self._asked(name, "look at", lambda container: container.show())
        state = found["State"]
        killed = "OOMKilled" if state.get("OOMKilled") else ""
        troubled = killed or ("CrashLoopBackOff" if state.get("Restarting") else "Error" if state["ExitCode"] else "")
        reason_ = "" if state["Running"] and not state.get("Restarting") else troubled
        ready = bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"
        return [Pod(found["Name"].lstrip("/"), state["Status"], ready, reason_, found.get("RestartCount", 0))]

    async def change(self, name: str, change: Change, *, dry: bool = False) -> None:
        """Restart it, unless it has started since the change's mark: the same change twice restarts once."""
        if change.env:
            raise RefusedError(
                "A container's environment can't be changed while it exists.",
                means="Nothing was changed.",
                next_step="Change the compose file, then `docker compose up -d`.",
            )
        before = await self.look(name)
        if dry:
            return
        if change.memory is not None and change.memory != before.memory:
            size = _bytes(change.memory)
            await self._asked(name, "change", lambda container: _limited(container, size))
        if change.replicas == 0:
            await self._asked(name, "stop", lambda container: container.stop(t=_STOP_WITHIN))
        elif change.mark is not None and before.mark < change.mark:
            await self._asked(name, "restart", lambda container: container.restart(timeout=_STOP_WITHIN))

    async def _asked(self, name: str, what: str, question: Callable[[Any], Awaitable[T]]) -> T:
        own = self._containers.get(name)
        if own is None:
            raise RefusedError(
                f"There is no container {name!r} that this bot may change.",
                means="Nothing was changed.",
                next_step=f"MUSD_DOCKER_CONTAINERS names {', '.join(self._containers) or 'none'}.",
            )
        try:
            async with asyncio.timeout(_TIMEOUT + _STOP_WITHIN), Docker(url=self._url) as docker:
                return await question(docker.containers.container(own))
        except DockerError as error:
            if error.status >= _NO_HTTP:
                raise UnavailableError(f"Docker does not answer on {self._url}.") from None
            gone = error.status == _ABSENT
            said = f"There is no container {own}." if gone else f"Docker could not {what} {own}: {error.message}."
            raise RefusedError(said, means="Nothing was changed.") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"Docker does not answer: {reason(error, timeout=_TIMEOUT)}.") from None


async def _limited(container: Any, size: int) -> None:
    """`docker update --memory`, swap with it, since a limit above the swap's is refused."""
    body = {"Memory": size, "MemorySwap": size}
    await container.docker._query_json(f"containers/{container.id}/update", method="POST", data=body)  # noqa: SLF001 - the library has no word for it


def _mark(started_at: str) -> str:
    """When it was started, as marks are written: to the second, in UTC."""
    return datetime.fromisoformat(f"{started_at[:19]}+00:00").isoformat(timespec="seconds")


def _bytes(memory: str) -> int:
    for unit, size in _UNITS.items():
        if memory.endswith(unit) and memory.removesuffix(unit).isdigit():
            return int(memory.removesuffix(unit)) * size
    raise RefusedError(f"{memory[:20]!r} is no memory limit for a container.", next_step="Write it as 768Mi or 2Gi.")
