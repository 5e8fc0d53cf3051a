"""The cluster stand-in as a part of the practice world."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.drill.cluster import chatter, controller, faults, kubelet, network
from bot.drill.cluster.access import Access, write_kubeconfig
from bot.drill.cluster.api import Api
from bot.drill.cluster.commands import Commands, Handler, Output, Run, Stdin
from bot.drill.cluster.doors import Doors
from bot.drill.cluster.manifests import NAMESPACE, first_objects
from bot.drill.cluster.programs import install
from bot.drill.cluster.state import State, owner_of
from bot.drill.cluster.tls import self_signed
from bot.drill.part import Fault, read_json, write_json

_log = logging.getLogger(__name__)
_ROUND = 0.05
"""Seconds between two rounds of the controllers, while something changes."""
_QUIET_ROUND = 0.25
"""The same where nothing does."""
_AGE = 4 * 86400.0
"""Seconds a new world has been running."""


class Cluster:
    """A Kubernetes cluster with namespace ``musd``, its API server, and the relay's health endpoint."""

    name = "cluster"
    faults: tuple[Fault, ...] = tuple(fault for fault, _ in faults.FAULTS.values())

    def __init__(self) -> None:
        self.url = ""
        """The API server over plain HTTP; the kubeconfig uses HTTPS, without which kubectl sends no token."""
        self.relay_url = ""
        """Base of the relay's own HTTP port: ``GET {relay_url}/health``."""
        self.kubeconfig = Path()
        """Contexts ``reader`` and ``writer``; known once `start` has returned."""
        self.canton_addresses: set[str] = set()
        """``host:port`` of what else counts as Canton when a pod tries to reach it."""
        self.state = State()
        self.access = Access()
        self._commands = Commands(self.state)
        install(self._commands, self.state, self.canton_addresses)
        self._api = Api(self.state, self.access, self._commands)
        self._folder = Path()
        self._doors: Doors | None = None
        self._relay: Doors | None = None
        self._clock: asyncio.Task[None] | None = None

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Every request of a client to the API server: ``{at, method, path, body}``, oldest first."""
        return self._api.seen

    def on_exec(self, beginning: str | Sequence[str], handler: Handler) -> None:
        """Answer executed command lines that begin with these words; see `bot.drill.cluster.commands.Run`."""
        self._commands.on(beginning, handler)

    async def run_in(self, pod: str, argv: Sequence[str], out: Output, err: Output) -> int:
        """Run a command in a pod, by another way in than the API server's; its exit code."""
        owner = owner_of(self.state.store.get("pods", NAMESPACE, pod))
        nothing = Stdin()
        await nothing.close()
        return await self._commands.run(Run(tuple(argv), pod, owner, nothing, out, err))

    async def start(self, folder: Path) -> None:
        """Begin, or continue from `folder`; listens on free loopback ports and writes the kubeconfig."""
        self._folder = folder
        saved = read_json(folder / "cluster.json", None)
        now = time.time()
        if saved is None:
            first_objects(self.state.store, now - _AGE)
            self._settle(now)
        else:
            self.state.restore(saved["state"])
            self.access.tokens = saved["tokens"]
        context, certificate = await asyncio.to_thread(self_signed, folder)
        self._doors = Doors(self._api.app(), (None, context))
        self.url, secure_url = await self._doors.open()
        if self.state.troubles.api_down:
            await self._doors.shut()
        relay = web.Application()
        relay.router.add_get("/health", self._health)
        self._relay = Doors(relay, (None,))
        (self.relay_url,) = await self._relay.open()
        self.kubeconfig = folder / "kubeconfig"
        write_kubeconfig(self.kubeconfig, secure_url, certificate, self.access)
        self._clock = asyncio.create_task(self._turn())

    async def stop(self) -> None:
        """Save, hang up on everybody and stop listening."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        self.save()
        self._api.hang_up()
        for doors in filter(None, (self._doors, self._relay)):
            await doors.close()

    def save(self) -> None:
        """Write ``cluster.json``."""
        write_json(self._folder / "cluster.json", {"state": self.state.as_json(), "tokens": self.access.tokens})

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something; see `faults`. Raises `UnknownFaultError`."""
        faults.inflict(self.state, request)
        if self.state.troubles.api_down and self._doors is not None:
            await self._doors.shut()
            self._api.hang_up()

    async def mend(self) -> None:
        """Undo every fault; what was broken recovers within a few seconds."""
        faults.mend(self.state)
        if self._doors is not None:
            await self._doors.open()

    async def _health(self, request: web.Request) -> web.StreamResponse:
        found = network.relay_health(self.state, time.time())
        if found is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        code, body = found
        return web.json_response(body, status=code)

    def _settle(self, now: float) -> None:
        """Let the first pods have run for a while: a new world is a healthy one, not one that is starting."""
        for moment in (now - _AGE + 60 * step for step in range(5)):
            controller.reconcile(self.state, moment)
            kubelet.look_after_pods(self.state, moment)
        for event in self.state.store.all_of("events"):
            self.state.store.delete("events", event["metadata"]["namespace"], event["metadata"]["name"])
        chatter.remember_the_past(self.state, now)
        chatter.write_lines(self.state, now)

    async def _turn(self) -> None:
        seen = -1
        while True:
            changed, seen = self.state.store.version != seen, self.state.store.version
            await asyncio.sleep((_ROUND if changed else _QUIET_ROUND) * min(max(self.state.pace, 0.2), 1))
            try:
                self._round(time.time())
            except Exception:  # noqa: BLE001 - a fault in one round must not stop the clock for good
                _log.exception("the practice cluster's controllers stumbled; they go on with the next round")

    def _round(self, now: float) -> None:
        controller.reconcile(self.state, now)
        kubelet.look_after_pods(self.state, now)
        chatter.write_lines(self.state, now)
