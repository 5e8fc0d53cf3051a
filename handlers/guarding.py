"""Before every listener: who asks for what, what came before, and whose a channel is.

A request that Slack signed is taken once: somebody who saw it on its way could send it again while its signature is
good. From a channel that is shared with another organisation the bot takes nothing.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.engine.bot import Bot
from bot.errors import RefusedError, UnavailableError
from handlers.answering import Asked, asked, privately, put_on_record, refused

log = structlog.get_logger()
_PATIENCE = 0.8
"""Seconds for each of the two questions here: the press itself is answered within three."""
_GOOD_FOR = timedelta(minutes=15)
"""Longer than a signature is taken: Bolt's five minutes, on either side of our clock."""
_CHANNEL = re.compile("[CDG][A-Z0-9]{7,}")

Next = Callable[[], Awaitable[Any]]


def register(app: AsyncApp, bot: Bot) -> None:
    """Stand before every listener, in this order; Bolt has looked at the signature before."""

    @app.middleware
    async def known(body: dict[str, Any], next: Next) -> None:  # noqa: A002 - Bolt's name
        asked.set(_asked(bot, body))
        await next()

    @app.middleware
    async def once(request: AsyncBoltRequest, next: Next) -> BoltResponse | None:  # noqa: A002 - Bolt's name
        signature = "".join(request.headers.get("x-slack-signature", ()))
        if not signature or await _is_new(bot, signature):  # a socket signs nothing
            await next()
            return None
        log.warning("a request came again, and was not taken")
        await put_on_record(RefusedError("This very request came before.", means="Nothing was done again."))
        return BoltResponse(status=200)

    @app.middleware
    async def ours(body: dict[str, Any], respond: Any, next: Next) -> BoltResponse | None:  # noqa: A002 - Bolt's name
        channel = _channel(body)
        if channel is None or not await _shared(bot, channel):
            await next()
            return None
        refusal = RefusedError(
            "This channel is shared with another organisation.",
            means="Nothing was done: the bot takes no orders there.",
            next_step="Use a channel of this workspace alone.",
        )
        refused(refusal, privately(bot, respond))
        return BoltResponse(status=200)


async def _is_new(bot: Bot, signature: str) -> bool:
    """Without an answer it counts as new: it can do nothing then that the same store would not have to keep."""
    try:
        return await asyncio.wait_for(bot.store.take_request(signature, datetime.now(UTC), _GOOD_FOR), _PATIENCE)
    except (UnavailableError, TimeoutError) as error:
        log.warning("nobody says whether a request came before", error=str(error) or "no answer in time")
        return True


async def _shared(bot: Bot, channel: str) -> bool:
    """Without an answer it counts as ours: each person's own account is looked at all the same."""
    try:
        return await asyncio.wait_for(bot.shared(channel), _PATIENCE)
    except (UnavailableError, TimeoutError) as error:
        log.warning("nobody says whose a channel is", channel=channel, error=str(error) or "no answer in time")
        return False


def _asked(bot: Bot, body: Mapping[str, Any]) -> Asked | None:
    """What a person wants, in the words of the audit log; None of an event, for which nobody asked."""
    if "command" in body:
        return Asked(bot, str(body["user_id"]), str(body.get("text", ""))[:200], str(body["channel_id"]))
    view, actions = body.get("view") or {}, body.get("actions") or [{}]
    what = actions[0].get("action_id") or body.get("callback_id") or view.get("callback_id")
    if not what:
        return None
    return Asked(bot, str(body["user"]["id"]), str(what), _channel(body) or _about(view))


def _about(view: Mapping[str, Any]) -> str:
    """A modal knows the channel it was opened from, or else the id of what it is about."""
    words = str(view.get("private_metadata", "")).split()
    return next((word for word in words if _CHANNEL.fullmatch(word)), "".join(words[-1:]))


def _channel(body: Mapping[str, Any]) -> str | None:
    """Where a command, a press or a shortcut comes from; a modal and an event come from nowhere that matters."""
    if "command" in body:
        return str(body["channel_id"])
    found = (body.get("channel") or {}).get("id")
    return str(found) if found else None
