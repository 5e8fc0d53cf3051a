"""What only people can judge: written down by them, on the incident's timeline (smUSD Share Price Anomaly, step 1)."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.engine.bot import Bot
from bot.views import ids, judge_modal
from handlers.answering import afterwards, privately
from handlers.proposing import whispering


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the button and for its modal's submission."""

    @app.action(ids.JUDGE)
    async def pressed(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_open(bot, client, body, action["value"]), privately(bot, respond))

    @app.view(ids.JUDGE)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        channel, thread = view["private_metadata"].split(" ")
        person, values = body["user"]["id"], view["state"]["values"]
        judged = values[ids.JUDGED][ids.JUDGED]["selected_option"]["value"]
        text = f"Judgement: {judged}. {values[ids.REASON][ids.REASON]['value'] or ''}"
        work = _write(bot, channel, thread, person, text, key=view["id"])
        afterwards(work, whispering(bot, channel, person))


async def _open(bot: Bot, client: Any, body: dict[str, Any], key: str) -> None:
    runbook, message = bot.runbooks.by_key[key], body["message"]
    question = next(one.judge for one in runbook.resolutions if one.judge)
    place = f"{body['channel']['id']} {message.get('thread_ts') or message['ts']}"
    await client.views_open(trigger_id=body["trigger_id"], view=judge_modal(place, question))


async def _write(bot: Bot, channel: str, thread: str, person: str, text: str, *, key: str) -> None:
    await bot.notes.write(channel, person, text, key=key)
    said = NoticeCard(State.OK, f"<@{person}> judges, and it is on the timeline:", quote=text, people=(person,))
    await bot.chat.post(channel, said, key=f"judged:{key}", thread=thread)
