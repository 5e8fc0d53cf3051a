"""``exec`` over WebSocket: the protocols ``v5.channel.k8s.io`` and ``v4.channel.k8s.io``.

Every message begins with a byte that names its channel. The exit status travels as a ``Status`` on the error
channel; v5 adds a message by which the client closes stdin.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from bot.drill.cluster.commands import Commands, Run, Stdin
from bot.drill.cluster.failures import Object, RefusedError, bad_request
from bot.drill.cluster.kubelet import is_running, remove
from bot.drill.cluster.request import Asked
from bot.drill.cluster.state import State, owner_of

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255


class _CutShortError(Exception):
    """A fault ends the command before it has finished."""


@dataclass
class _Cut:
    """A fault that waits for the next command: so many bytes of stdout, then the end."""

    left: int
    code: int | None
    """The exit code it ends with; None where the pod itself goes away."""


class _Channels:
    """The writing side of one execution."""

    def __init__(self, socket: web.WebSocketResponse, cut: _Cut | None) -> None:
        self._socket = socket
        self._cut = cut

    async def out(self, chunk: bytes) -> None:
        """Write to stdout, as far as a fault lets it through."""
        cut = self._cut
        await self._socket.send_bytes(bytes([_STDOUT]) + (chunk if cut is None else chunk[: cut.left]))
        if cut is not None:
            cut.left -= len(chunk)
            if cut.left <= 0:
                raise _CutShortError

    async def err(self, chunk: bytes) -> None:
        """Write to stderr."""
        await self._socket.send_bytes(bytes([_STDERR]) + chunk)


async def execute(request: web.Request, state: State, asked: Asked, commands: Commands) -> web.StreamResponse:
    """Run a command in a pod. Raises `RefusedError` before the upgrade where there is nothing to run it in."""
    pod = state.store.get("pods", asked.namespace, asked.name)
    argv = tuple(request.query.getall("command", []))
    _check(pod, asked, argv)
    socket = web.WebSocketResponse(protocols=_PROTOCOLS, max_msg_size=2**24, compress=False)
    if request.method != "GET" or not socket.can_prepare(request).ok:
        raise bad_request("unable to upgrade: only WebSocket connections are served")
    await socket.prepare(request)
    if socket.ws_protocol not in _PROTOCOLS:
        await socket.close(code=1002, message=b"no common subprotocol")
        return socket
    # As the real one does: an empty message tells the client that the channels are open.
    await socket.send_bytes(bytes([_STDOUT]))
    cut = _take_cut(state)
    channels = _Channels(socket, cut)
    run = Run(argv, asked.name, owner_of(pod), Stdin(), channels.out, channels.err)
    code = await _run_to_end(socket, commands, run, cut, takes_input=asked.flag("stdin"))
    if cut is not None and cut.code is None:
        remove(state, pod)
        if request.transport is not None:
            request.transport.abort()
    elif code is not None and not socket.closed:
        with contextlib.suppress(ConnectionError):  # gone in this very moment: nobody is left to tell
            await socket.send_bytes(bytes([_ERROR]) + json.dumps(_exit_status(code)).encode())
            await socket.close()
    return socket


def _check(pod: Object, asked: Asked, argv: tuple[str, ...]) -> None:
    names = [str(container["name"]) for container in pod["spec"]["containers"]]
    container = asked.query.get("container", "") or names[0]
    if container not in names:
        raise bad_request(f"container {container} is not valid for pod {asked.name}")
    if not argv:
        raise bad_request("you must specify at least 1 command for the container")
    if not is_running(pod):
        why = f'unable to upgrade connection: container not found ("{container}")'
        raise RefusedError(500, "InternalError", f"Internal error occurred: {why}")


def _take_cut(state: State) -> _Cut | None:
    troubles = state.troubles
    if troubles.gone_after >= 0:
        after, troubles.gone_after = troubles.gone_after, -1
        return _Cut(after, None)
    fault = troubles.exec_exit
    if not fault:
        return None
    if fault["times"] == 1:
        troubles.exec_exit = {}
    elif fault["times"]:
        fault["times"] -= 1
    return _Cut(fault["after"], fault["code"])


async def _run_to_end(
    socket: web.WebSocketResponse, commands: Commands, run: Run, cut: _Cut | None, *, takes_input: bool
) -> int | None:
    """The exit code; None where the client went away before the end."""
    if cut is not None and cut.left <= 0:
        return cut.code
    running = asyncio.create_task(commands.run(run))
    reading = asyncio.create_task(_read(socket, run.stdin, takes_input=takes_input))
    try:
        await asyncio.wait({running, reading}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            return None
        with contextlib.suppress(_CutShortError):
            code = running.result()
            return code if cut is None else cut.code
    except ConnectionError:
        return None
    else:
        return cut.code if cut is not None else None
    finally:
        for task in (running, reading):
            task.cancel()
        await asyncio.gather(running, reading, return_exceptions=True)


async def _read(socket: web.WebSocketResponse, stdin: Stdin, *, takes_input: bool) -> None:
    """Pass stdin on until the client goes away."""
    if not takes_input:
        await stdin.close()
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, content = message.data[0], message.data[1:]
        if channel == _STDIN and content:
            await stdin.feed(content)
        elif channel == _CLOSE and content == bytes([_STDIN]):
            await stdin.close()


def _exit_status(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
