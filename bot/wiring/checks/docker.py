"""Docker: whether the engine answers, where probes read it and where it restarts, and has the containers named."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from bot.adapters.docker_reads import TIMEOUT, DockerReads
from bot.domain.probe import Finding, Probe, ok
from bot.settings import Settings
from bot.wiring.adapters import compose_reads
from bot.wiring.checks.check import check

_ENGINE = "Check {}, and that the bot may open it: a socket's group, or what stands before it."


def checks(settings: Settings) -> Sequence[Probe[Any]]:
    """None where docker-compose runs nothing."""
    if not settings.docker_containers:
        return []
    ways = {"MUSD_DOCKER_READ_URL": settings.docker_read_url, "MUSD_DOCKER_URL": settings.docker_url}
    limit = TIMEOUT * settings.patience
    engines = [
        check(
            f"docker:{name}",
            f"Docker ({name})",
            partial(_engine, DockerReads(url, {}, timeout=limit)),
            mend=_ENGINE.format(name),
        )
        for name, url in ways.items()
        if url
    ]
    reads = compose_reads(settings)
    return [
        *engines,
        *(check(f"container:{name}", f"Container of {name}", partial(_container, reads, name)) for name in reads.names),
    ]


async def _engine(reads: DockerReads) -> Finding:
    return ok(f"answers, version {await reads.version()}")


async def _container(reads: DockerReads, name: str) -> Finding:
    """Whether it runs is another question, and the runbooks'."""
    [found] = await reads.pods(name)
    return ok(f"{found.name} is there: {found.phase}, image {found.image}")
