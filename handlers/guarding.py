"""Whose a channel is: from one that is shared with another organisation the bot takes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.engine.bot import Bot
from bot.errors import RefusedError, UnavailableError
from handlers.answering import privately

log = structlog.get_logger()
_PATIENCE = 0.8
"""Seconds for Slack to say whose a channel is: the press itself is answered within three."""


def register(app: AsyncApp, bot: Bot) -> None:
    """Stand before every listener."""

    @app.middleware
    async def ours(body: dict[str, Any], ack: Any, respond: Any, next: Callable[[], Awaitable[Any]]) -> None:  # noqa: A002 - Bolt's name
        channel = _channel(body)
        if channel is None or not await _shared(bot, channel):
            await next()
            return
        await ack()
        await bot.audit(_person(body), "refused", {"what": "shared channel", "channel": channel})
        refusal = RefusedError(
            "This channel is shared with another organisation.",
            means="Nothing was done: the bot takes no orders there.",
            next_step="Use a channel of this workspace alone.",
        )
        await privately(bot, respond)(refusal)


async def _shared(bot: Bot, channel: str) -> bool:
    """Without an answer it counts as ours: each person's own account is looked at all the same."""
    try:
        return await asyncio.wait_for(bot.shared(channel), _PATIENCE)
    except (UnavailableError, TimeoutError) as error:
        log.warning("nobody says whose a channel is", channel=channel, error=str(error) or "no answer in time")
        return False


def _channel(body: Mapping[str, Any]) -> str | None:
    """Where a command, a press or a shortcut comes from; a modal and an event come from nowhere that matters."""
    if "command" in body:
        return str(body["channel_id"])
    found = (body.get("channel") or {}).get("id")
    return str(found) if found else None


def _person(body: Mapping[str, Any]) -> str:
    return str(body.get("user_id") or (body.get("user") or {}).get("id") or "")
