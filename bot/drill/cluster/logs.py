"""``GET …/pods/NAME/log``."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime

from aiohttp import web

from bot.drill.cluster.failures import Object, bad_request
from bot.drill.cluster.request import Asked
from bot.drill.cluster.state import Line, State

_FOLLOWED = 600.0
"""Seconds after which a followed log ends."""


async def send_logs(request: web.Request, state: State, asked: Asked) -> web.StreamResponse:
    """The lines of a container's log, and with ``follow`` those that come."""
    pod = state.store.get("pods", asked.namespace, asked.name)
    _check_container(pod, asked.query.get("container", ""))
    lines = _lines(state, pod, asked)
    text = b"".join(_written(asked, line) for line in lines)
    if (most := asked.number("limitBytes")) is not None:
        text = text[:most]
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):  # the client went away; a followed log often ends so
        await response.write(text)
        if asked.flag("follow"):
            await _follow(response, state, asked, lines[-1][0] if lines else time.time())
    return response


def _check_container(pod: Object, wanted: str) -> None:
    names = [container["name"] for container in pod["spec"]["containers"]]
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")


def _lines(state: State, pod: Object, asked: Asked) -> list[Line]:
    name = pod["metadata"]["name"]
    container = pod["spec"]["containers"][0]["name"]
    if asked.flag("previous"):
        before = state.journal.lines(name, previous=True)
        if before is None:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        lines = before
    else:
        lines = state.journal.lines(name) or []
        if not lines:
            raise bad_request(_why_silent(pod, container))
    since = _since(asked)
    lines = [line for line in lines if line[0] >= since]
    tail = asked.number("tailLines")
    return lines if tail is None or tail < 0 else lines[len(lines) - min(tail, len(lines)) :]


def _why_silent(pod: Object, container: str) -> str:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    reason = statuses[0]["state"].get("waiting", {}).get("reason", "") if statuses else ""
    if reason in {"ErrImagePull", "ImagePullBackOff"}:
        reason = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}[
            reason
        ]
    where = f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: '
    return where + (reason or "PodInitializing")


def _since(asked: Asked) -> float:
    seconds = asked.number("sinceSeconds")
    if seconds is not None:
        if seconds < 1:
            raise bad_request(f"sinceSeconds: Invalid value: {seconds}: must be greater than 0")
        return time.time() - seconds
    if text := asked.query.get("sinceTime", ""):
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError as error:
            raise bad_request(f"sinceTime: {error}") from error
    return 0.0


def _written(asked: Asked, line: Line) -> bytes:
    at, text = line
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ") if asked.flag("timestamps") else ""
    return f"{moment}{text}\n".encode(errors="replace")


async def _follow(response: web.StreamResponse, state: State, asked: Asked, last: float) -> None:
    until = time.monotonic() + _FOLLOWED
    while time.monotonic() < until and not state.troubles.api_down:
        await asyncio.sleep(0.2)
        if state.store.find("pods", asked.namespace, asked.name) is None:
            return
        for line in state.journal.lines(asked.name) or []:
            if line[0] > last:
                last = line[0]
                await response.write(_written(asked, line))
