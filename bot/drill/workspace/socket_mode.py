"""Socket Mode: the app's websockets, the envelopes sent over any one of them, and their acknowledgements."""

import asyncio
import contextlib
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from bot.drill.workspace.records import APP_ID, Json

MOST_SOCKETS = 10
PING_SECONDS = 10.0
LEAVING_SECONDS = 2.0
"""How long a socket stays open after it was told to go, so that what is under way can be acknowledged."""


@dataclass(eq=False)
class Socket:
    """One open websocket."""

    ws: web.WebSocketResponse
    request: web.Request
    silent_until: float = 0.0
    leaving: bool = False

    @property
    def silent(self) -> bool:
        """Whether it looks open and carries nothing."""
        return time.monotonic() < self.silent_until


class Sockets:
    """All sockets of the app. Payloads go round them; an acknowledgement may come over any."""

    def __init__(self) -> None:
        self.open: list[Socket] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = 0
        self._closing: set[asyncio.Task[None]] = set()

    def ticket(self) -> str:
        """A word that lets one websocket in."""
        made = secrets.token_urlsafe(16)
        self._tickets.add(made)
        return made

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One websocket from hello to its end."""
        if request.query.get("ticket") not in self._tickets:
            raise web.HTTPForbidden(text="unknown or used ticket: ask apps.connections.open for a new address")
        if len(self.open) >= MOST_SOCKETS:
            raise web.HTTPTooManyRequests(text="too_many_websockets")
        self._tickets.discard(request.query["ticket"])
        ws = web.WebSocketResponse(autoping=False, timeout=1.0, max_msg_size=16 * 1024 * 1024)
        await ws.prepare(request)
        socket = Socket(ws, request)
        self.open.append(socket)
        pings = asyncio.create_task(_ping(socket))
        try:
            await ws.send_json(self._hello())
            async for message in ws:
                await self._received(socket, message)
        except ConnectionError:
            pass  # the app is gone; what it had not acknowledged times out
        finally:
            pings.cancel()
            self.open.remove(socket)
        return ws

    async def send(self, kind: str, payload: Json, retry: Json, *, answered: bool) -> Any:
        """Send an envelope to the next socket and wait for its acknowledgement, however long that takes.

        Cancel to stop waiting. Raises `ConnectionError` when there is no socket.
        """
        envelope_id = str(uuid.uuid4())
        envelope = {"envelope_id": envelope_id, "type": kind, "accepts_response_payload": answered, **retry}
        acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = acknowledged
        try:
            await self._write(json.dumps({**envelope, "payload": payload}))
            return await acknowledged
        finally:
            del self._waiting[envelope_id]

    async def _write(self, envelope: str) -> None:
        """Send to the socket whose turn it is; one that turns out to be dead passes it on."""
        self._turn += 1
        ready = [one for one in self.open if not one.leaving]
        first = self._turn % max(1, len(ready))
        for socket in ready[first:] + ready[:first]:
            if socket.silent:
                return
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_str(envelope)
                return
        raise ConnectionError("no socket is connected")

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every socket to go and come back elsewhere, as Slack does every few hours."""
        for socket in self.open:
            socket.leaving = True
            with contextlib.suppress(ConnectionError):
                await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "practice"}})
            task = asyncio.create_task(_close_later(socket))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def drop(self) -> None:
        """Cut every connection without a word."""
        for socket in list(self.open):
            socket.leaving = True
            if socket.request.transport is not None:
                socket.request.transport.abort()

    def silence(self, seconds: float) -> None:
        """Let the present sockets look open and carry nothing; those that connect afterwards work."""
        for socket in self.open:
            socket.silent_until = time.monotonic() + seconds

    async def close(self) -> None:
        """End every socket."""
        for task in list(self._closing):
            task.cancel()
        for socket in list(self.open):
            await socket.ws.close(code=WSCloseCode.GOING_AWAY, drain=False)

    async def _received(self, socket: Socket, message: WSMessage) -> None:
        if socket.silent:
            return
        if message.type is WSMsgType.PING:
            await socket.ws.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            self._acknowledged(message.data)

    def _acknowledged(self, text: str) -> None:
        """What is no acknowledgement, or too late to be one, is ignored, as Slack does."""
        try:
            answer = json.loads(text)
            waiting = self._waiting.get(answer["envelope_id"])
        except (ValueError, TypeError, KeyError):
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload"))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len([one for one in self.open if not one.leaving]),
            "debug_info": {"host": "practice", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": APP_ID},
        }


async def _ping(socket: Socket) -> None:
    """Slack pings its clients, and some of them leave when it stops."""
    while True:
        await asyncio.sleep(PING_SECONDS)
        if not socket.silent:
            with contextlib.suppress(ConnectionError):
                await socket.ws.ping(b"Ping from practice")


async def _close_later(socket: Socket) -> None:
    await asyncio.sleep(LEAVING_SECONDS)
    await socket.ws.close()
