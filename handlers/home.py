"""App Home: drawn when somebody opens it, and again by its buttons."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import BotError
from bot.views import home, ids, message_modal, render, status_modal
from handlers.answering import Tell, afterwards
from handlers.modals import open_pause


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for its opening and its buttons."""

    @app.event("app_home_opened")
    async def opened(event: dict[str, Any], client: Any) -> None:
        if event.get("tab", "home") == "home":
            afterwards(_draw(bot, client, event["user"]), _aloud(bot, client, ""))

    @app.action(ids.HOME_AGAIN)
    async def again(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        afterwards(_draw(bot, client, body["user"]["id"]), _aloud(bot, client, body["trigger_id"]))

    @app.action(ids.HOME_PAUSE)
    async def pause(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        work = open_pause(
            bot,
            client,
            person=body["user"]["id"],
            trigger_id=body["trigger_id"],
            channel=bot.settings.alerts_channel,
            incident_id=None,
        )
        afterwards(work, _aloud(bot, client, body["trigger_id"]))

    @app.action(ids.HOME_STATUS)
    async def status(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        afterwards(_status(bot, client, body), _aloud(bot, client, body["trigger_id"]))


async def _draw(bot: Bot, client: Any, person: str) -> None:
    board = await bot.home.board(person, await bot.missing())
    await client.views_publish(user_id=person, view=home(board, bot.redactor))


async def _status(bot: Bot, client: Any, body: dict[str, Any]) -> None:
    await bot.proposals.allow(body["user"]["id"], Role.RESPONDER, "ask for the status")
    waiting = message_modal("Status", "⏳ Asking every source…")
    opened = await client.views_open(trigger_id=body["trigger_id"], view=waiting)
    board = status_modal(render(await bot.status.read(), bot.redactor))
    await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=board)


def _aloud(bot: Bot, client: Any, trigger_id: str) -> Tell:
    """Home has no channel to whisper in: a refusal is a modal of its own, where a press allows one."""

    async def tell(error: BotError) -> None:
        if trigger_id:
            view = message_modal("Refused", error.sentences(), bot.redactor)
            await client.views_open(trigger_id=trigger_id, view=view)

    return tell
