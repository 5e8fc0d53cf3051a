"""Reading what docker-compose runs: containers as `docker compose ps` and `logs` show them. It can't change anything.

Commands are run in a container as they are in a pod: only those that are known to read.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from aiodocker.containers import DockerContainer
from aiodocker.multiplexed import multiplexed_result_stream

from bot.adapters import containers, log_tail
from bot.adapters.docker_api import DockerApi
from bot.adapters.pod_commands import TEXT_AT_MOST, reads_only
from bot.ports import ClusterReads, ContainerReads, Executed, Pod, Usage

TIMEOUT = 4.0
"""Seconds that one question may take."""


class DockerReads:
    """Fulfils `ports.ContainerReads`: an application is one container."""

    def __init__(self, url: str, named: Mapping[str, str], *, timeout: float = TIMEOUT) -> None:
        """Read these containers and no others.

        Args:
            url: of the Docker API, such as ``unix:///var/run/docker.sock``, or of a proxy that lets reading pass.
            named: their names by the bot's word for them, such as ``{"musd-relay": "relay-relay-1"}``.
            timeout: seconds for one question.
        """
        self._docker = DockerApi(url, named, timeout=timeout)
        self.names = self._docker.names

    async def version(self) -> str:
        """Of the engine that answers."""
        return await self._docker.version()

    async def pods(self, app: str) -> Sequence[Pod]:
        """The container, in a pod's words.

        Raises:
            UnavailableError: there is none of that name, or Docker does not answer.
        """

        async def question(container: DockerContainer) -> Pod:
            return containers.summed_up(await container.show(), app, datetime.now(UTC))

        return [await self._docker.ask(app, "look at", question)]

    async def logs(self, app: str, tail: int, since: timedelta | None = None) -> Sequence[str]:
        """The last `tail` lines of the container's log: those of its earlier runs are in it, too."""

        async def question(container: DockerContainer) -> bytes:
            return await log_tail.newest(_written(container, tail, since))

        return log_tail.lines(await self._docker.ask(app, "read the log of", question))

    async def execute(self, app: str, command: Sequence[str]) -> Sequence[Executed]:
        """Run a command that only reads in the container, where it runs.

        Raises:
            RefusedError: the command is none of those that are known to read only.
        """
        reads_only(command)
        found = (await self.pods(app))[0]
        if found.last_exit is not None:
            return []

        async def question(container: DockerContainer) -> Executed:
            begun = await container.exec(list(command))
            written = bytearray()
            async with begun.start(detach=False) as stream:
                while (piece := await stream.read_out()) is not None:
                    written += piece.data[: TEXT_AT_MOST - len(written)]
            code = (await begun.inspect())["ExitCode"]
            return Executed(found.name, app, code, written.decode(errors="replace").strip())

        return [await self._docker.ask(app, "run a command in", question)]

    async def warnings(self, app: str) -> Sequence[str]:
        """What Docker itself holds against the container: failed health checks, why it could not start."""

        async def question(container: DockerContainer) -> Sequence[str]:
            return containers.complaints(await container.show())

        return await self._docker.ask(app, "look at", question)

    async def usage(self, app: str) -> Sequence[Usage] | None:
        """What it uses, measured now as `docker stats` does; nothing where it does not run."""

        async def question(container: DockerContainer) -> Sequence[Usage]:
            name = containers.own_name(await container.show())
            [measured] = await container.stats(stream=False)
            memory = measured.get("memory_stats") or {}
            if "usage" not in memory:
                return []
            cache = (memory.get("stats") or {}).get("inactive_file", 0)
            at = containers.moment(measured["read"]) or datetime.now(UTC)
            return [Usage(pod=name, memory=int(memory["usage"]) - int(cache), at=at)]

        return await self._docker.ask(app, "measure", question)


class InTheirPlaces:
    """Fulfils `ports.ClusterReads`: Docker is asked about what runs there, and Kubernetes about everything else."""

    def __init__(self, cluster: ClusterReads, docker: DockerReads) -> None:
        self._cluster = cluster
        self._docker = docker

    def composed(self, app: str) -> bool:
        """Whether the settings say that docker-compose runs it."""
        return app in self._docker.names

    async def pods(self, app: str) -> Sequence[Pod]:
        """The application's pods, or its container."""
        return await self._of(app).pods(app)

    async def logs(self, app: str, tail: int, since: timedelta | None = None) -> Sequence[str]:
        """The last lines of its log."""
        return await self._of(app).logs(app, tail, since)

    async def execute(self, app: str, command: Sequence[str]) -> Sequence[Executed]:
        """Run a command that reads, where the application runs."""
        return await self._of(app).execute(app, command)

    async def warnings(self, app: str) -> Sequence[str]:
        """What Kubernetes, or Docker, itself complains about."""
        return await self._of(app).warnings(app)

    async def usage(self, app: str) -> Sequence[Usage] | None:
        """What it uses."""
        return await self._of(app).usage(app)

    async def policies(self) -> Sequence[str]:
        """Kubernetes' NetworkPolicies."""
        return await self._cluster.policies()

    async def claims(self) -> Sequence[str]:
        """Kubernetes' volumes claimed."""
        return await self._cluster.claims()

    def _of(self, app: str) -> ContainerReads:
        return self._docker if self.composed(app) else self._cluster


async def _written(container: DockerContainer, tail: int, since: timedelta | None) -> AsyncIterator[bytes]:
    """A log, piece by piece. The client's own way would hold the whole of it."""
    tty = bool((await container.show())["Config"]["Tty"])
    asked: dict[str, int] = {"stdout": True, "stderr": True, "follow": False, "tail": tail}
    if since is not None:
        asked["since"] = int((datetime.now(UTC) - since).timestamp())
    reading = container.docker._query(f"containers/{container.id}/logs", params=asked)  # noqa: SLF001 - see above
    async with reading as response:
        async for piece in multiplexed_result_stream(response, is_tty=tty):  # type: ignore[no-untyped-call]  # the library's own
            yield piece.encode()
