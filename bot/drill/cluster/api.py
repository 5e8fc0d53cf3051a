"""The API server: takes requests in, asks who may, and answers as Kubernetes does."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.drill.cluster import objects
from bot.drill.cluster.access import Access, Demand, forbidden
from bot.drill.cluster.channels import execute
from bot.drill.cluster.commands import Commands
from bot.drill.cluster.failures import Object, RefusedError, no_such_path
from bot.drill.cluster.kinds import DISCOVERY, METRICS
from bot.drill.cluster.logs import send_logs
from bot.drill.cluster.metrics import usage
from bot.drill.cluster.request import Asked, locate, verb_of
from bot.drill.cluster.reviews import review
from bot.drill.cluster.state import State
from bot.drill.cluster.tables import as_table
from bot.drill.cluster.watch import send_changes

_ANYBODY = {"healthz": "ok", "livez": "ok", "readyz": "ok"}
_SEEN_KEPT = 5000


class Api:
    """The HTTP side of the cluster. `seen` is what clients sent, oldest first."""

    def __init__(self, state: State, access: Access, commands: Commands) -> None:
        self.seen: list[dict[str, Any]] = []
        self._state = state
        self._access = access
        self._commands = commands
        self._open: set[asyncio.Transport] = set()

    def app(self) -> web.Application:
        """The aiohttp application: one handler, since one table of kinds says what there is."""
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    def hang_up(self) -> None:
        """Cut every connection in use, watches and executions included."""
        for transport in list(self._open):
            transport.abort()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            return web.Response()  # hung up before it was even looked at
        self._open.add(transport)
        try:
            if self._state.troubles.api_down:
                self.hang_up()
                return web.Response(status=503)
            body = await request.read()
            self._note(request, body)
            if self._state.troubles.api_slow:
                await asyncio.sleep(self._state.troubles.api_slow)
            return await self._answer(request, body)
        except RefusedError as refused:
            return web.json_response(refused.as_status(), status=refused.code)
        finally:
            self._open.discard(transport)

    def _note(self, request: web.Request, body: bytes) -> None:
        content: Any = body.decode(errors="replace") or None
        with contextlib.suppress(ValueError):  # what is no JSON, such as an applied YAML, is kept as text
            content = json.loads(body) if body else None
        self.seen.append({"at": time.time(), "method": request.method, "path": request.path_qs, "body": content})
        del self.seen[:-_SEEN_KEPT]

    async def _answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        path = request.path.strip("/")
        if path in _ANYBODY:
            return web.Response(text=_ANYBODY[path])
        if path == "version":
            return web.json_response(DISCOVERY[path])
        user = self._access.user(request.headers.get("Authorization", ""))
        if request.method == "GET" and path in DISCOVERY:
            return web.json_response(DISCOVERY[path])
        found = locate(path)
        if found is None:
            raise no_such_path()
        kind, namespace, name, sub = found
        verb = verb_of(request.method, name, request.query)
        asked = Asked(kind, verb, namespace, name, sub, request.query, request.headers, body, user)
        self._access.insist(user, asked.demand)
        self._refuse_by_fault(user, asked.demand)
        return await self._dispatch(request, asked)

    def _refuse_by_fault(self, user: str, demand: Demand) -> None:
        for rule in self._state.troubles.forbidden:
            if rule["verb"] in {"*", demand.verb} and rule["resource"] in {"*", demand.resource}:
                raise forbidden(user, demand)

    async def _dispatch(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        streams: dict[str, Callable[[], Awaitable[web.StreamResponse]]] = {
            "log": lambda: send_logs(request, self._state, asked),
            "exec": lambda: execute(request, self._state, asked, self._commands),
        }
        if asked.sub in streams:
            return await streams[asked.sub]()
        if asked.kind.verbs == ("create",):
            return web.json_response(review(self._access, self._state, asked), status=201)
        if asked.verb == "watch":
            return await send_changes(request, self._state, asked)
        if asked.kind is METRICS or asked.verb == "list":
            return web.json_response(usage(self._state, asked) if asked.kind is METRICS else self._list(asked))
        if asked.verb == "get":
            item = objects.scale(self._state, asked) if asked.sub else objects.got(self._state, asked)
            return web.json_response(self._shown(asked, item))
        changed = objects.write(self._state, asked)
        return web.json_response(changed, status=201 if asked.verb == "create" else 200)

    def _list(self, asked: Asked) -> Object:
        items = objects.listed(self._state, asked)
        version = self._state.store.version
        if wants_table(asked):
            return as_table(asked.kind.plural, items, version, whole=wants_whole(asked))
        return {
            "kind": f"{asked.kind.kind}List",
            "apiVersion": asked.kind.group_version,
            "metadata": {"resourceVersion": str(version)},
            "items": items,
        }

    def _shown(self, asked: Asked, item: Object) -> Object:
        if not asked.sub and wants_table(asked):
            version = int(item["metadata"]["resourceVersion"])
            return as_table(asked.kind.plural, [item], version, whole=wants_whole(asked))
        return item


def wants_table(asked: Asked) -> bool:
    """Whether the client would rather have a ``Table``."""
    return "as=Table" in asked.headers.get("Accept", "")


def wants_whole(asked: Asked) -> bool:
    """Whether a table's rows should carry whole objects."""
    return asked.query.get("includeObject") == "Object"
