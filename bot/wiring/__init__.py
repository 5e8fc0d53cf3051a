"""The composition root: the only module that builds adapters. `serve` is how the bot starts and stops."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.actions import every_action_has_a_row
from bot.adapters.slack_socket import SlackSocket
from bot.adapters.slack_web import web_client
from bot.engine.bot import Bot
from bot.engine.leading import lead
from bot.settings import Settings
from bot.wiring import doctor
from bot.wiring.adapters import outside
from bot.wiring.engine import engine
from bot.wiring.port import Port

log = structlog.get_logger()


async def serve(
    settings: Settings,
    *,
    routes: Sequence[Callable[[web.Application, Bot], None]],
    listeners: Sequence[Callable[[AsyncApp, Bot], None]],
    slack_door: Callable[[web.Application, AsyncApp], None],
) -> None:
    """Run the bot until SIGINT or SIGTERM: open the doors, and lead, or stand by until whoever leads is gone.

    Args:
        settings: of this process.
        routes: what the HTTP port takes.
        listeners: what Slack sends.
        slack_door: where Slack's requests come in, in HTTP mode.

    Raises:
        ConfigurationError: the bot can't start like this.
    """
    every_action_has_a_row()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
        secret = settings.slack_signing_secret.get_secret_value()
        slack = AsyncApp(name="musd-bot", client=client, logger=None, signing_secret=secret)
        socket = _socket(settings, slack)
        bot = await stack.enter_async_context(_bot(settings, client, socket, stop))
        for listen in listeners:
            listen(slack, bot)
        port = Port(settings)
        for route in routes:
            route(port.app, bot)
        if socket is None:
            slack_door(port.app, slack)
        await stack.enter_async_context(port.open())
        if socket is not None:
            await stack.enter_async_context(socket.open())
        log.info("serving", port=settings.http_port)
        await stop.wait()
        log.info("stopping")


def _socket(settings: Settings, slack: AsyncApp) -> SlackSocket | None:
    """None in HTTP mode."""
    if settings.slack_mode == "http":
        return None
    handler = AsyncSocketModeHandler(slack, settings.slack_app_token.get_secret_value(), ping_interval=10)
    return SlackSocket(handler.client, handler.connect_async)


@asynccontextmanager
async def _bot(settings: Settings, client: Any, socket: SlackSocket | None, stop: asyncio.Event) -> AsyncIterator[Bot]:
    """Everything below the doors, leading or standing by."""
    async with AsyncExitStack() as stack:
        out = await outside(settings, client, stack)
        checks = {"slack": socket.connected} if socket else {}
        bot, work = engine(
            settings,
            out,
            examinations=doctor.checks(settings, client, out.rpcs, out.writes.ledger),
            checks=checks,
            deaf=socket.deaf if socket else lambda: False,
        )
        stack.push_async_callback(out.durable.close)
        await stack.enter_async_context(_until_over(lead(out.lock, out.durable, work), stop))
        yield bot


@asynccontextmanager
async def _until_over(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> AsyncIterator[None]:
    """Run `work` beside the block. Its end, whatever it is, stops the bot; its error is raised behind the block."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
