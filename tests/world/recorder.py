"""Between the bot and a practice system: passes everything on, and keeps what was said."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web


class Recorder:
    """What was heard: path, body, status and answer of each request."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.heard: list[tuple[str, Any, int, Any]] = []

    async def pass_on(self, request: web.Request) -> web.Response:
        """Ask the system the same."""
        body = await request.json() if request.can_read_body else None
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            ClientSession(headers=headers) as session,
            session.request(request.method, self.target + request.path, json=body) as answer,
        ):
            said = await answer.json()
        path = re.sub("/v2/users/[^/]+/", "/v2/users/{user-id}/", request.path)
        self.heard.append((path, body, answer.status, said))
        return web.json_response(said, status=answer.status)


@asynccontextmanager
async def recording(target: str) -> AsyncIterator[Recorder]:
    """A recorder in front of `target`, at its own `url`."""
    recorder = Recorder(target)
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", recorder.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    recorder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield recorder
    finally:
        await runner.cleanup()
