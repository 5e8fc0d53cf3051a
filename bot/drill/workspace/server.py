"""The workspace as one part of the practice world: its server, its folder, its faults."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.drill.part import Fault
from bot.drill.workspace import answers, doors, exchange
from bot.drill.workspace.core import Slack
from bot.drill.workspace.faults import FAULTS, Faults
from bot.drill.workspace.manifest import read_manifest
from bot.drill.workspace.page import Page, guard
from bot.drill.workspace.web_api import WebApi


class Workspace:
    """A Slack workspace on loopback, for a bot that cannot tell the difference."""

    name = "slack"
    faults: tuple[Fault, ...] = FAULTS

    def __init__(self, port: int, manifest: Path, page: Path) -> None:
        self._port = port
        self._manifest = manifest
        self._slack = Slack()
        self._api = WebApi(self._slack)
        self._faults = Faults(self._slack, self._api)
        self._runner: web.AppRunner | None = None
        self.app = web.Application(middlewares=[guard], client_max_size=64 * 1024 * 1024)
        self._add_routes(Page(page, self._slack.state))

    @property
    def slack(self) -> Slack:
        """What it remembers, and what people did in it."""
        return self._slack

    def _add_routes(self, page: Page) -> None:
        slack, api, router = self._slack, self._api, self.app.router

        async def response(request: web.Request) -> web.Response:
            return await answers.serve(slack, request)

        async def upload(request: web.Request) -> web.Response:
            return await exchange.upload(slack, request)

        async def download(request: web.Request) -> web.StreamResponse:
            return await exchange.download(slack, request)

        async def calls(_request: web.Request) -> web.Response:
            return web.json_response(list(api.calls))

        async def unknown(_request: web.Request) -> web.Response:
            return web.json_response(api.unknown)

        router.add_route("*", "/api/{method}", api.handle)
        router.add_get("/link/", slack.delivery.sockets.serve)
        router.add_post("/response/{token}", response)
        router.add_post("/upload/{id}", upload)
        router.add_get("/files/{id}/{name}", download)
        router.add_get("/seen/slack", calls)
        router.add_get("/seen/unknown", unknown)
        doors.add_routes(self.app, slack)
        page.add_routes(self.app)

    @property
    def url(self) -> str:
        """Where it listens: ``http://127.0.0.1:…``, known once it has started."""
        return self._slack.url

    @property
    def bot_token(self) -> str:
        """The bot's ``xoxb-`` token, the same for as long as the folder is kept."""
        return self._slack.state.tokens["bot"]

    @property
    def app_token(self) -> str:
        """The ``xapp-`` token that opens sockets."""
        return self._slack.state.tokens["app"]

    @property
    def signing_secret(self) -> str:
        """What requests to `request_url` are signed with."""
        return self._slack.state.tokens["signing"]

    @property
    def request_url(self) -> str | None:
        """Where commands, interactions and events are posted to; None for Socket Mode."""
        return self._slack.delivery.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._slack.delivery.request_url = url

    async def start(self, folder: Path) -> None:
        """Read the manifest, continue from the folder, and listen."""
        self._slack.folder = folder
        self._slack.manifest = read_manifest(self._manifest)
        self._slack.state.load(folder)
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._slack.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Save, cut what is under way and close the port."""
        self.save()
        await self._slack.delivery.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def save(self) -> None:
        """Write what changed to the folder."""
        self._slack.state.save(self._slack.folder)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever anything in the workspace changed."""
        self._slack.state.listeners.append(lambda _channel: callback())

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something: see `faults`. Raises `UnknownFaultError`."""
        await self._faults.inflict(request)

    async def mend(self) -> None:
        """Undo every fault that can be undone."""
        self._faults.mend()
