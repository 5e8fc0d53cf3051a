"""A workspace on a free port, the doors of the people in it, and a genuine Bolt app connected over a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.workspace import Workspace

SCOPES = [
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:write",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
]
EVENTS = [
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "channel_deleted",
    "channel_rename",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
]
MANIFEST = {
    "display_information": {"name": "musd-bot"},
    "features": {
        "slash_commands": [{"command": "/musd", "description": "Incidents", "should_escape": True}],
        "shortcuts": [
            {"name": "Open incident", "type": "global", "callback_id": "open", "description": "Open an incident"},
            {"name": "Note", "type": "message", "callback_id": "note", "description": "Put on the timeline"},
        ],
    },
    "oauth_config": {"scopes": {"bot": SCOPES}},
    "settings": {"event_subscriptions": {"bot_events": EVENTS}, "socket_mode_enabled": True},
}


class Doors:
    """The doors, as a test asks them."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def get(self, door: str, **query: str) -> Any:
        """Ask a door that shows something."""
        async with self._session.get(f"{self.url}/person/{door}", params=query) as answer:
            return await answer.json()

    async def post(self, door: str, **body: Any) -> Any:
        """Ask a door that does something."""
        async with self._session.post(f"{self.url}/person/{door}", json=body) as answer:
            return await answer.json()

    async def texts(self, channel: str, user: str = "") -> list[str]:
        """What people and the bot wrote there; notices of Slack's own are left out."""
        query = {"channel": channel, **({"user": user} if user else {})}
        return [one["text"] for one in await self.get("messages", **query) if one["subtype"] is None]

    async def last(self, channel: str) -> Any:
        """The latest message there."""
        return (await self.get("messages", channel=channel))[-1]


async def until(condition: Callable[[], Awaitable[Any] | Any], seconds: float = 30.0) -> Any:
    """Wait until the condition holds, and return what it answered."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.01)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    return until


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "app-manifest.yml"
    path.write_text(yaml.safe_dump(MANIFEST))
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>practice</title>")
    return folder


@pytest.fixture
async def workspace(tmp_path: Path, manifest: Path, page: Path) -> AsyncIterator[Workspace]:
    started = Workspace(0, manifest, page)
    await started.start(tmp_path / "slack")
    yield started
    await started.stop()


@pytest.fixture
async def doors(workspace: Workspace) -> AsyncIterator[Doors]:
    async with aiohttp.ClientSession() as session:
        yield Doors(workspace.url, session)


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    return AsyncWebClient(token=workspace.bot_token, base_url=f"{workspace.url}/api/")


@pytest.fixture
def app(workspace: Workspace, client: AsyncWebClient) -> AsyncApp:
    """A Bolt app without listeners; a test adds its own and then asks for `connect`."""
    return AsyncApp(client=client, signing_secret=workspace.signing_secret)


@pytest.fixture
async def connect(workspace: Workspace) -> AsyncIterator[Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]]:
    """Connects an app over a socket; called twice, two sockets are open."""
    handlers: list[AsyncSocketModeHandler] = []

    async def connecting(app: AsyncApp) -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(app, workspace.app_token, ping_interval=1)
        handlers.append(handler)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it unannotated
        return handler

    yield connecting
    for handler in handlers:
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it unannotated
