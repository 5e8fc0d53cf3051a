"""How every handler answers: at once, and afterwards whatever happens. No error of ours is ever lost on a person."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog

from bot.engine.bot import Bot
from bot.errors import BotError, RefusedError, UnavailableError
from bot.views import message_modal, refusal

log = structlog.get_logger()

Tell = Callable[[BotError], Awaitable[object]]
"""Says an error to the person who asked, and to nobody else."""

_running: set[asyncio.Task[None]] = set()
"""Work behind an answer that was already given; held here, since the loop holds tasks only weakly."""


@dataclass(frozen=True)
class Asked:
    """Who wants what of the bot: the command, press, submission or shortcut that is being handled."""

    bot: Bot
    person: str
    what: str
    subject: str
    """What it is about, as the audit log has it: the channel it came from, or else an id of ours."""


asked: ContextVar[Asked | None] = ContextVar("asked", default=None)
"""Set anew for each request before any listener sees it (`guarding`), and inherited by all work on it. None: nobody
asked, it is an event."""


async def put_on_record(error: BotError) -> None:
    """Make a refusal an audit row, unless it is one already: every refusal a person is told of passes here."""
    request = asked.get()
    if request is None or error.on_record or not isinstance(error, RefusedError):
        return
    error.on_record = True
    detail = {"what": request.what, "why": error.happened}
    try:
        await request.bot.audit(request.person, "refused", detail, request.subject)
    except UnavailableError:
        log.exception("a refusal could not be put on record", **detail)  # whoever asked is told all the same


def afterwards(work: Coroutine[Any, Any, object], tell: Tell) -> None:
    """Run `work` behind the acknowledgement.

    Bolt would lose an acknowledgement to an exception right behind it, and an exception in the background to nobody:
    so every piece of work goes through here.
    """
    task = asyncio.create_task(_told(work, tell))
    _running.add(task)
    task.add_done_callback(_running.discard)


def refused(error: BotError, tell: Tell) -> None:
    """Say an error behind the acknowledgement."""
    afterwards(_raise(error), tell)


async def _raise(error: BotError) -> None:
    raise error


async def _told(work: Coroutine[Any, Any, object], tell: Tell) -> None:
    try:
        try:
            await work
        except BotError as error:
            await put_on_record(error)
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


async def turn_down(bot: Bot, ack: Any, error: BotError) -> None:
    """Answer a modal's submission with a refusal: the modal says why."""
    await ack(response_action="update", view=message_modal("Refused", error.sentences(), bot.redactor))
    await put_on_record(error)


def privately(bot: Bot, respond: Callable[..., Awaitable[object]]) -> Tell:
    """Tell through the `response_url` of a command or a press: works also where the bot is no member."""

    async def tell(error: BotError) -> None:
        message = refusal(error, bot.redactor)
        await respond(text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False)

    return tell
