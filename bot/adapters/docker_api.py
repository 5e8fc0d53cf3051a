"""The connection to a Docker engine: the configured containers and no others, and its errors in words for people."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp
from aiodocker import Docker
from aiodocker.exceptions import DockerError

from bot.adapters.trouble import reason
from bot.errors import RefusedError, UnavailableError

T = TypeVar("T")

_FORBIDDEN, _ABSENT, _BROKEN, _NO_HTTP = {401, 403}, 404, 500, 600
"""The client has numbers of its own, above HTTP's, for an engine it could not reach."""
_SOCKET = {
    errno.EACCES: "the bot may not open its socket",
    errno.ENOENT: "there is no such socket",
}
_TEXT_AT_MOST = 500


class ContainerAbsentError(UnavailableError):
    """There is no such container: asking again does not bring it."""

    @property
    def lasting(self) -> bool:
        """Yes: a name is wrong, or somebody has removed it."""
        return True


class DockerApi:
    """Asks about containers by the bot's word for them. Connects when it is asked, and hangs up behind the answer."""

    def __init__(self, url: str, containers: Mapping[str, str], *, timeout: float) -> None:
        """Ask one engine.

        Args:
            url: of the Docker API, such as ``unix:///var/run/docker.sock``.
            containers: their names by the bot's word for them, such as ``{"musd-relay": "relay-relay-1"}``.
            timeout: seconds for one question.
        """
        self._url = url
        self._containers = containers
        self._timeout = timeout
        self.names = tuple(containers)

    def own(self, name: str) -> str:
        """The container's name.

        Raises:
            RefusedError: the settings have none for this.
        """
        if name not in self._containers:
            raise RefusedError(
                f"There is no container {name!r} that this bot may ask for.",
                means="Nothing was changed.",
                next_step=f"MUSD_DOCKER_CONTAINERS names {', '.join(self._containers) or 'none'}.",
            )
        return self._containers[name]

    async def version(self) -> str:
        """What answers there, such as ``27.0``."""
        found = await self._answered(lambda docker: docker.version(), "say its version", "")
        return str(found.get("Version", "unknown"))

    async def ask(self, name: str, what: str, question: Callable[[Any], Awaitable[T]], *, writes: bool = False) -> T:
        """The answer to a question about a container, which is handed an aiodocker `DockerContainer`.

        Args:
            name: by the bot's word for it.
            what: in words, such as ``look at``.
            question: asked once.
            writes: whether it changes something: what is turned down is then refused.

        Raises:
            RefusedError: a change was turned down, or there is no container of that name in the settings.
            UnavailableError: no sensible answer.
        """
        own = self.own(name)
        return await self._answered(lambda docker: question(docker.containers.container(own)), what, own, writes=writes)

    async def _answered(
        self, question: Callable[[Docker], Awaitable[T]], what: str, own: str, *, writes: bool = False
    ) -> T:
        try:
            async with asyncio.timeout(self._timeout), Docker(url=self._url) as docker:
                return await question(docker)
        except DockerError as error:
            why = _turned_down(error, what, own)
            if writes and error.status < _NO_HTTP:
                # A restart that fails in its second half has stopped the container.
                means = "Nothing was changed." if error.status < _BROKEN else "It may have been stopped by that."
                raise RefusedError(why.happened, means=means, next_step=why.next_step) from None
            raise why from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _silent(reason(error, timeout=self._timeout)) from None
        except (KeyError, TypeError, ValueError) as error:
            raise UnavailableError(
                f"Docker's answer can't be read: {type(error).__name__}.",
                next_step="Check MUSD_DOCKER_URL: something else may answer there.",
            ) from None


def _silent(why: str) -> UnavailableError:
    return UnavailableError(f"Docker does not answer: {why}.", next_step="Check MUSD_DOCKER_URL.")


def _turned_down(error: DockerError, what: str, own: str) -> UnavailableError:
    if error.status >= _NO_HTTP:
        return _silent(_unreached(error))
    said = str(error.message).strip()[:_TEXT_AT_MOST].rstrip(".")
    if error.status == _ABSENT and "no such container" in said.lower():
        return ContainerAbsentError(
            f"There is no container {own}.",
            next_step="`docker ps -a` has the names; MUSD_DOCKER_CONTAINERS has to name one of them.",
        )
    if error.status in _FORBIDDEN:
        return UnavailableError(
            f"Docker does not let the bot {what} {own}: {said or 'forbidden'}.",
            next_step="Whatever stands before Docker's socket has to let it pass.",
        )
    return UnavailableError(
        f"Docker could not {what} {own}: {said or f'HTTP {error.status}'}.",
        next_step="`docker ps -a` shows how it stands, if MUSD_DOCKER_URL leads to Docker at all.",
    )


def _unreached(error: DockerError) -> str:
    """Why there was no connection: the client keeps that in the error behind its own."""
    behind = error.__context__
    if isinstance(behind, OSError) and behind.errno in _SOCKET:
        return _SOCKET[behind.errno]
    return reason(behind) if behind is not None else "it can't be reached"
