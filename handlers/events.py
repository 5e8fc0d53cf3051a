"""What happens in Slack by itself: people join, channels are renamed, archived or deleted, messages are marked.

Slack may send an event again: everything here is keyed by the event's own time, so that twice is once.
"""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.engine.bot import Bot
from bot.errors import BotError, RefusedError
from bot.ports import MessageRef
from handlers.answering import afterwards

MARK = "memo"
"""The reaction, :memo:, that puts a message on the timeline."""

log = structlog.get_logger()


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for events."""

    @app.event("member_joined_channel")
    async def joined(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.joined(event["channel"], event["user"], event["event_ts"]))

    @app.event("channel_rename")
    async def renamed(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.renamed(event["channel"]["id"], event["channel"]["name"], event["event_ts"]))

    @app.event("group_rename")
    async def private_renamed(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.renamed(event["channel"]["id"], event["channel"]["name"], event["event_ts"]))

    @app.event("channel_archive")
    async def archived(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.archived(event["channel"], event["event_ts"]))

    @app.event("group_archive")
    async def private_archived(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.archived(event["channel"], event["event_ts"]))

    @app.event("channel_deleted")
    async def deleted(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.deleted(event["channel"], event["event_ts"]))

    @app.event("group_deleted")
    async def private_deleted(event: dict[str, Any]) -> None:
        _quietly(bot.lifecycle.deleted(event["channel"], event["event_ts"]))

    @app.event("reaction_added")
    async def marked(event: dict[str, Any]) -> None:
        item = event["item"]
        if event["reaction"] == MARK and item.get("type") == "message":
            _quietly(_mark(bot, MessageRef(item["channel"], item["ts"]), event["user"]))


async def _mark(bot: Bot, message: MessageRef, person: str) -> None:
    """People react with :memo: elsewhere too, and without a role: that is no mistake to be told of."""
    with suppress(RefusedError):
        await bot.notes.mark(message, person)


def _quietly(work: Coroutine[Any, Any, object]) -> None:
    """Nobody asked, so nobody is told; what goes wrong is logged."""

    async def tell(error: BotError) -> None:
        log.warning("an event could not be handled", error=error.sentences())

    afterwards(work, tell)
