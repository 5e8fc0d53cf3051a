"""What the small stand-ins share: one loopback port, the requests they saw, and the ways of being out of order.

A stand-in is a `StandIn` with routes, a state to remember, and its faults. Paths below ``/practice`` are doors for
people and tests: no fault stops them and they are not among what the stand-in has seen.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.drill.part import Fault, UnknownFaultError, read_json, write_json

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NUMBERS = {"seconds", "times", "percent", "amount"}
"""Arguments of faults that are numbers."""
SEEN_AT_MOST = 2000
"""How many requests are kept: the newest ones."""


def down(target: str) -> Fault:
    """The fault of not being reachable."""
    return Fault(
        target, "down", "does not answer", {"how": "503 (the default) or close: the connection is dropped, unanswered"}
    )


def slow(target: str) -> Fault:
    """The fault of answering late."""
    return Fault(target, "slow", "answers late", {"seconds": "how late, 5 unless said"})


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """A time as JSON has it here: ISO 8601, UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_stamp(text: str) -> datetime:
    """The time an ISO 8601 text names; UTC where it names no zone. Raises `ValueError` for anything else."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def readable(raw: bytes) -> Any:
    """A request's body as `StandIn.seen` keeps it: JSON, else text, else its length; an empty object when empty."""
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        text = raw.decode(errors="replace")
        return text if len(text) < 10_000 and "\ufffd" not in text else f"{len(raw)} bytes"


class StandIn:
    """A part of the practice world that is one aiohttp application."""

    name: str
    faults: tuple[Fault, ...]

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Json] = []
        """Every request that reached it: ``{at, method, path, body, status}``, oldest first."""
        self.broken: dict[str, Json] = {}
        """Each fault inflicted and not yet mended, with the request that inflicted it."""
        self._folder: Path | None = None
        self._runner: web.AppRunner | None = None

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What it answers."""
        raise NotImplementedError

    def remember(self) -> Json:
        """Its state as JSON."""
        return {}

    def recall(self, state: Json) -> None:
        """Continue from what `remember` returned."""

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """How this system words an error of its own making; `status` is 429, 500 or 503."""
        raise web.HTTPException(text=f"{status} {request.path}")

    async def start(self, folder: Path) -> None:
        """Listen on a free loopback port; continue from what `folder` holds."""
        self._folder = folder
        saved = read_json(folder / "state.json", None)
        if saved is not None:
            self.seen = saved["seen"]
            self.recall(saved["state"])
        application = web.Application(middlewares=[self._reception], client_max_size=8 * 1024**2)
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Save, and close every connection. Does nothing the second time."""
        if self._runner is None:
            return
        self.save()
        runner, self._runner = self._runner, None
        await runner.cleanup()

    def save(self) -> None:
        """Write the present state to the folder given at `start`."""
        if self._folder is not None:
            write_json(self._folder / "state.json", {"seen": self.seen, "state": self.remember()})

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `UnknownFaultError` for a fault it lacks, `ValueError` for a wrong argument."""
        known = {fault.fault: fault for fault in self.faults}
        fault = known.get(str(request.get("fault")))
        if fault is None:
            raise UnknownFaultError(f"{self.name} knows no fault {request.get('fault')!r}; it has {', '.join(known)}")
        arguments = fault.arguments or {}
        if unknown := set(request) - {"target", "fault", *arguments}:
            takes = ", ".join(arguments) or "no argument"
            raise ValueError(f"the fault {fault.fault} of {self.name} takes {takes}, not {', '.join(sorted(unknown))}")
        for name in NUMBERS & set(request):
            try:
                float(request[name])
            except (TypeError, ValueError):
                raise ValueError(f"{name} must be a number, not {request[name]!r}") from None
        self.broken[fault.fault] = dict(request)

    async def mend(self) -> None:
        """Undo every fault."""
        self.broken.clear()

    def take(self, fault: str) -> bool:
        """Whether that fault strikes now: always while it lasts, or one of its ``times``, which are then one fewer."""
        request = self.broken.get(fault)
        if request is None:
            return False
        if "times" in request:
            request["times"] = int(request["times"]) - 1
            if request["times"] <= 0:
                del self.broken[fault]
        return True

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """The answer of a stand-in that is out of order in a way of its own, or None when it is well."""

    @web.middleware
    async def _reception(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/practice/"):
            return await handler(request)
        if "down" in self.broken:
            return self._be_down(request)
        entry = await self._note(request)
        if "slow" in self.broken:
            await asyncio.sleep(float(self.broken["slow"].get("seconds", 5)))
        try:
            answer = await self.trouble(request) or await handler(request)
        except web.HTTPException as refusal:
            entry["status"] = refusal.status
            raise
        entry["status"] = answer.status
        return answer

    async def _note(self, request: web.Request) -> Json:
        entry = {
            "at": stamp(now()),
            "method": request.method,
            "path": request.path_qs,
            "body": readable(await request.read()),
            "status": None,
        }
        self.seen.append(entry)
        del self.seen[:-SEEN_AT_MOST]
        return entry

    def _be_down(self, request: web.Request) -> web.StreamResponse:
        if self.broken["down"].get("how") == "close" and request.transport is not None:
            request.transport.abort()
            return web.Response(status=503)
        return self.refuse(503, request)
