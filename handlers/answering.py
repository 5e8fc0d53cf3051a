"""How every handler answers: at once, and afterwards whatever happens. No error of ours is ever lost on a person."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from bot.engine.bot import Bot
from bot.errors import BotError, RefusedError
from bot.views import refusal

log = structlog.get_logger()

Tell = Callable[[BotError], Awaitable[object]]
"""Says an error to the person who asked, and to nobody else."""

_running: set[asyncio.Task[None]] = set()
"""Work behind an answer that was already given; held here, since the loop holds tasks only weakly."""


def afterwards(work: Coroutine[Any, Any, object], tell: Tell) -> None:
    """Run `work` behind the acknowledgement.

    Bolt would lose an acknowledgement to an exception right behind it, and an exception in the background to nobody:
    so every piece of work goes through here.
    """
    task = asyncio.create_task(_told(work, tell))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _told(work: Coroutine[Any, Any, object], tell: Tell) -> None:
    try:
        try:
            await work
        except BotError as error:
            await tell(error)
        except Exception:
            log.exception("a handler failed")
            await tell(
                BotError(
                    "Something in the bot itself broke.",
                    means="Nothing was approved by this; whatever ran before goes on.",
                    next_step="Try again; the log has the details.",
                )
            )
    except Exception:
        log.exception("a person could not be told")


def privately(bot: Bot, respond: Callable[..., Awaitable[object]], *, person: str = "", what: str = "") -> Tell:
    """Tell through the `response_url` of a command or a press: works also where the bot is no member.

    Args:
        bot: that was asked.
        respond: Bolt's own, for this request.
        person: who asked, where a refusal is to be an audit row.
        what: they asked for.
    """

    async def tell(error: BotError) -> None:
        if person and isinstance(error, RefusedError) and not error.on_record:
            await bot.audit(person, "refused", {"what": what[:200], "why": error.happened})
        message = refusal(error, bot.redactor)
        await respond(text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False)

    return tell
