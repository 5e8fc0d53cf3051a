"""The web page's side: its files, the stream of changes, and the guard that keeps other sites out."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from bot.drill.workspace.state import State

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_KEEP_ALIVE_SECONDS = 15.0


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse whatever another web site made a browser send, and names that only pretend to be loopback."""
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if host not in _LOOPBACK:
        return web.json_response({"ok": False, "error": "forbidden_host"}, status=403)
    if origin is not None and origin != f"http://{request.host}":
        return web.json_response({"ok": False, "error": "forbidden_origin"}, status=403)
    if site not in {"none", "same-origin"} and request.headers.get("Sec-Fetch-Mode") != "navigate":
        return web.json_response({"ok": False, "error": "forbidden_origin"}, status=403)
    return await handler(request)


class Page:
    """Serves the folder of static files and tells every open page what changed."""

    def __init__(self, folder: Path, state: State) -> None:
        self._folder = folder.resolve()
        self._streams: set[asyncio.Queue[str | None]] = set()
        state.listeners.append(self._changed)

    def add_routes(self, app: web.Application) -> None:
        """``/``, ``/page/changes`` and ``/page/…``."""
        app.router.add_get("/", self._index)
        app.router.add_get("/page/changes", self._changes)
        app.router.add_get("/page/{path:.+}", self._file)

    def _changed(self, channel: str | None) -> None:
        for stream in self._streams:
            stream.put_nowait(channel)

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return self._serve("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._serve(request.match_info["path"])

    def _serve(self, path: str) -> web.StreamResponse:
        wanted = (self._folder / path).resolve()
        if not wanted.is_relative_to(self._folder) or not wanted.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(
            wanted,
            headers={
                "Content-Security-Policy": CSP,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-cache",
            },
        )

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: one ``{"channel": …}`` for each change, several of the same at once made one."""
        stream: asyncio.Queue[str | None] = asyncio.Queue()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        await response.write(b": connected\n\n")
        self._streams.add(stream)
        try:
            while True:
                await response.write(await _next(stream))
        except ConnectionError:
            return response
        finally:
            self._streams.discard(stream)


async def _next(stream: asyncio.Queue[str | None]) -> bytes:
    try:
        changed = {await asyncio.wait_for(stream.get(), _KEEP_ALIVE_SECONDS): None}
    except TimeoutError:
        return b": still here\n\n"
    while not stream.empty():
        changed[stream.get_nowait()] = None
    return b"".join(f"data: {json.dumps({'channel': channel})}\n\n".encode() for channel in changed)
