"""The watch over Slack's socket, against the practice workspace and with the real SDK."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_socket import SlackSocket
from bot.drill.chain.anvil import free_port
from bot.drill.workspace.server import Workspace

ROOT = Path(__file__).parents[2]


class World:
    """A workspace, an app that answers `/musd`, and the watch over its socket."""

    def __init__(self, workspace: Workspace, port: int) -> None:
        self.workspace = workspace
        self.url = f"http://127.0.0.1:{port}"

    def socket(self, *, dead_after: float = 300.0) -> SlackSocket:
        """A watch, with pings in quick succession."""
        token = self.workspace.bot_token
        client = AsyncWebClient(token=token, base_url=f"{self.url}/api/")
        app = AsyncApp(client=client, signing_secret="unused")

        @app.command("/musd")
        async def _(ack: Any) -> None:
            await ack()

        handler = AsyncSocketModeHandler(app, self.workspace.app_token, ping_interval=0.5)
        return SlackSocket(handler.client, handler.connect_async, dead_after=dead_after)

    async def command(self) -> bool:
        """Whether somebody who types `/musd` is answered."""
        asked = {"user": "guardian-1", "channel": "musd-alerts", "text": "/musd help"}
        async with aiohttp.ClientSession() as session, session.post(f"{self.url}/person/command", json=asked) as answer:
            return bool((await answer.json())["ok"])


async def until(condition: Any, seconds: float = 20) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - only the workspace knows
            await asyncio.sleep(0.05)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A workspace on a port that it has again when it is started again."""
    port = free_port()
    made = Workspace(port, ROOT / "app-manifest.yml", ROOT / "bot" / "drill" / "page")
    await made.start(tmp_path / "slack")
    yield World(made, port)
    await made.stop()


async def test_a_silent_socket_is_left_for_one_that_hears(world: World) -> None:
    async with world.socket().open():
        await until(world.command)
        await world.workspace.inflict({"fault": "silent", "seconds": 60})
        assert await world.command() is False
        await until(world.command)


async def test_a_slack_that_is_away_at_the_start_is_found_once_it_is_there(world: World, tmp_path: Path) -> None:
    socket = world.socket()
    await world.workspace.stop()
    async with socket.open():
        assert await socket.connected() is False
        await world.workspace.start(tmp_path / "slack")
        await until(world.command)


async def test_a_socket_that_stays_away_makes_the_process_call_itself_deaf(world: World) -> None:
    socket = world.socket(dead_after=0.5)
    await world.workspace.stop()

    async def deaf() -> bool:
        return socket.deaf()

    async with socket.open():
        await until(deaf)


async def test_a_socket_that_hears_is_not_deaf_however_long_nobody_speaks(world: World) -> None:
    socket = world.socket(dead_after=3.0)
    async with socket.open():
        await until(world.command)
        await asyncio.sleep(4)
        assert socket.deaf() is False


async def test_closing_leaves_nothing_running(world: World) -> None:
    before = asyncio.all_tasks()
    async with world.socket().open():
        await until(world.command)
    await asyncio.sleep(0.2)
    assert [task for task in asyncio.all_tasks() - before if "slack" in repr(task.get_coro())] == []
