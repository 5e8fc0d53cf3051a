"""A program in a pod with its input and its output, piece by piece (`kubectl exec -i`): nothing is held as a whole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes_asyncio import client
from kubernetes_asyncio.stream import WsApiClient

from bot.adapters.kube_api import KubeApi
from bot.adapters.pod_commands import exit_code, not_opened
from bot.errors import RefusedError, UnavailableError

_STDIN, _STDOUT, _STDERR, _STATUS, _CLOSE = b"\x00", 1, 2, 3, b"\xff\x00"
_PROTOCOL = "v5.channel.k8s.io"
"""The version in which the input can be closed."""
_ERRORS_AT_MOST = 4000
"""Characters of what it complains of that are kept: the last ones."""
_KILLED = 137


class Running:
    """A program that runs in a pod."""

    def __init__(self, socket: Any, what: str) -> None:
        self._socket = socket
        self._what = what
        self._errors = ""
        self.code: int | None = None
        """Its exit code, once `pieces` is at its end; None where the connection ended before the program did."""

    async def write(self, piece: bytes) -> None:
        """To its input. A program that has ended already takes nothing more, which is no error."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(_STDIN + piece)

    async def close_input(self) -> None:
        """No more will come."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(_CLOSE)

    async def pieces(self) -> AsyncIterator[bytes]:
        """What it writes, as it comes."""
        async for message in self._socket:
            piece = message.data if isinstance(message.data, bytes) else str(message.data).encode()
            if piece[:1] and piece[0] == _STDOUT and piece[1:]:
                yield piece[1:]
            elif piece[:1] and piece[0] == _STDERR:
                self._errors = (self._errors + piece[1:].decode(errors="replace"))[-_ERRORS_AT_MOST:]
            elif piece[:1] and piece[0] == _STATUS:
                self.code = exit_code(piece[1:])

    def insist(self) -> None:
        """It has ended well.

        Raises:
            UnavailableError: nobody saw its end: the pod or the connection went away under it, or it was killed.
            RefusedError: it said no.
        """
        if self.code == 0:
            return
        said = f": {self._errors.strip()}" if self._errors.strip() else "."
        if self.code is None:
            raise UnavailableError(f"{self._what} did not come to its end: the pod or the connection went away{said}")
        if self.code == _KILLED:
            raise UnavailableError(f"{self._what} was killed (exit 137, out of memory as a rule){said}")
        raise RefusedError(f"{self._what} ended with exit code {self.code}{said}")


class PodExec:
    """Runs programs in the pods of one application, under a credential that may."""

    def __init__(self, kube: KubeApi, selector: str) -> None:
        """`selector`: the labels of its pods; the first one that runs serves."""
        self._kube = kube
        self._selector = selector

    @asynccontextmanager
    async def run(self, command: Sequence[str], *, takes_input: bool = False) -> AsyncIterator[Running]:
        """Start a program; leaving the block ends the connection, and with it the program.

        Raises:
            UnavailableError: no such pod runs, or the API server does not answer.
        """
        pod = await self._pod()
        what = f"{command[0]} in {pod.metadata.name}"
        settings = await self._kube.ask(_settings, f"run {command[0]} in a pod", "create on pods/exec")
        async with WsApiClient(settings) as api_client:
            session = api_client.rest_client.pool_manager
            api_client.rest_client.pool_manager = aiohttp.ClientSession(connector=session.connector, trust_env=False)
            session.detach()
            api: Any = client.CoreV1Api(api_client)
            api_client.set_default_header("sec-websocket-protocol", _PROTOCOL)

            async def question(_: Any) -> Any:
                opening = await api.connect_get_namespaced_pod_exec(
                    pod.metadata.name,
                    self._kube.namespace,
                    container=pod.spec.containers[0].name,
                    command=list(command),
                    stdin=takes_input,
                    stdout=True,
                    stderr=True,
                    _preload_content=False,
                )
                try:
                    async with asyncio.timeout(self._kube.timeout):
                        return await opening
                except aiohttp.WSServerHandshakeError as error:
                    raise not_opened(error) from None

            socket = await self._kube.ask(question, f"run {command[0]} in a pod", "create on pods/exec")
            try:
                yield Running(socket, what)
            finally:
                await socket.close()

    async def text(self, command: Sequence[str], given: bytes = b"") -> str:
        """All that a short program writes.

        Raises:
            UnavailableError: as `run`; nobody saw its end.
            RefusedError: it said no.
        """
        async with self.run(command, takes_input=bool(given)) as running:
            if given:
                await running.write(given)
                await running.close_input()
            written = [piece async for piece in running.pieces()]
        running.insist()
        return b"".join(written).decode(errors="replace")

    async def _pod(self) -> Any:
        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).list_namespaced_pod(
                self._kube.namespace, label_selector=self._selector, _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list pods", "list on pods")
        running = [pod for pod in found.items if pod.status.phase == "Running" and not pod.metadata.deletion_timestamp]
        if not running:
            raise UnavailableError(f"No pod with the labels {self._selector} runs in {self._kube.namespace}.")
        return min(running, key=lambda pod: str(pod.metadata.name))


async def _settings(api: Any) -> Any:
    return api.configuration
