"""Watches: a list request that stays open and is told of every change."""

import asyncio
import contextlib
import json
import time

from aiohttp import web

from bot.drill.cluster import objects
from bot.drill.cluster.failures import Object, RefusedError, bad_request, invalid
from bot.drill.cluster.request import Asked
from bot.drill.cluster.select import Test, both
from bot.drill.cluster.state import State
from bot.drill.cluster.store import Change
from bot.drill.cluster.tables import as_table

_LONGEST = 3600.0


async def send_changes(request: web.Request, state: State, asked: Asked) -> web.StreamResponse:
    """Stream changes, one JSON document a line, until ``timeoutSeconds`` or the client goes."""
    if "sendInitialEvents" in asked.query:
        why = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        raise invalid("ListOptions.meta.k8s.io", "", "sendInitialEvents", why)
    text = asked.query.get("resourceVersion", "")
    if text and not text.isdigit():
        raise bad_request(f'Invalid value: "{text}": resourceVersion must be a number')
    test = both(asked.query.get("labelSelector", ""), asked.query.get("fieldSelector", ""))
    until = time.monotonic() + min(float(asked.number("timeoutSeconds") or _LONGEST), _LONGEST)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # the client went away, as watchers do
        await _stream(_Stream(response, asked), state, asked, test, int(text or 0), until)
    return response


async def _stream(stream: "_Stream", state: State, asked: Asked, test: Test, version: int, until: float) -> None:
    """What is there (for a watch that begins at no version), then every change."""
    if not version:
        version = state.store.version
        for item in objects.listed(state, asked):
            await stream.send("ADDED", item)
    while time.monotonic() < until and not state.troubles.api_down:
        try:
            changes = state.store.changes_after(version)
        except RefusedError as refused:
            await stream.send("ERROR", refused.as_status())
            break
        for change in changes:
            version = change.version
            if change.plural == asked.kind.plural and (found := _seen_through(change, asked, test)):
                await stream.send(found, change.after)
        if not changes:
            await _news(state, until)


async def _news(state: State, until: float) -> None:
    with contextlib.suppress(TimeoutError):  # time to look whether the watch is over
        async with asyncio.timeout(min(until - time.monotonic(), 1.0)):
            await state.store.news()


def _seen_through(change: Change, asked: Asked, test: Test) -> str:
    """What a change is to somebody who sees only what `test` lets through; empty for nothing."""
    if asked.namespace not in {"", change.after["metadata"].get("namespace", "")}:
        return ""
    if asked.name and change.after["metadata"]["name"] != asked.name:
        return ""
    was = change.before is not None and test(change.before)
    if change.type == "DELETED":
        return "DELETED" if was else ""
    if test(change.after):
        return "MODIFIED" if was else "ADDED"
    return "DELETED" if was else ""


class _Stream:
    """Writes watch events, as tables where the client asked for those."""

    def __init__(self, response: web.StreamResponse, asked: Asked) -> None:
        self._response = response
        self._plural = asked.kind.plural
        self._table = "as=Table" in asked.headers.get("Accept", "")
        self._whole = asked.query.get("includeObject") == "Object"
        self._begun = False

    async def send(self, type_: str, item: Object) -> None:
        if self._table and type_ != "ERROR":
            version = int(item["metadata"]["resourceVersion"])
            item = as_table(self._plural, [item], version, whole=self._whole, continued=self._begun)
            self._begun = True
        await self._response.write(json.dumps({"type": type_, "object": item}).encode() + b"\n")
