"""An incident's record: its checklist, its timeline with people's notes, its logs, its post-mortem."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.cards import NoticeCard
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.engine.bot import Bot
from bot.ports import MessageRef
from bot.views import ids, postmortem_modal
from handlers.answering import afterwards, privately
from handlers.logs import collected
from handlers.proposing import whispering


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for presses, submissions and the shortcut."""

    @app.action(ids.CHECKLIST)
    async def tick(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        item, person = action["action_id"].removeprefix("checklist:"), body["user"]["id"]
        afterwards(bot.lifecycle.tick(action["value"], item, person), privately(bot, respond))

    @app.action(ids.TIMELINE_OPEN)
    async def opened(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        work = _page(bot, body["user"]["id"], action["value"], 0, respond, replace=False)
        afterwards(work, privately(bot, respond))

    @app.action(ids.TIMELINE_PAGE)
    async def page(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        incident_id, number = action["value"].split(" ")
        work = _page(bot, body["user"]["id"], incident_id, int(number), respond, replace=True)
        afterwards(work, privately(bot, respond))

    @app.action(ids.LOGS_COLLECT)
    async def collect(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        work = collected(bot, action["value"], body["user"]["id"], body["trigger_id"])
        afterwards(work, privately(bot, respond))

    @app.shortcut(ids.TIMELINE_ADD)
    async def add(ack: Any, shortcut: dict[str, Any]) -> None:
        await ack()
        channel, person = shortcut["channel"]["id"], shortcut["user"]["id"]
        message = MessageRef(channel, shortcut["message"]["ts"])
        afterwards(_mark(bot, message, person), whispering(bot, channel, person))

    @app.action(ids.POSTMORTEM_DRAFT)
    async def draft(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(bot.postmortems.draft(action["value"], body["user"]["id"]), privately(bot, respond))

    @app.action(ids.POSTMORTEM_EDIT)
    async def edit(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_edit(bot, client, body, action["value"]), privately(bot, respond))

    @app.view(ids.POSTMORTEM_EDIT)
    async def edited(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        person, incident_id = body["user"]["id"], view["private_metadata"]
        fields = {name: box.get(name, {}).get("value") or "" for name, box in view["state"]["values"].items()}
        incident = await bot.store.incident(incident_id)
        channel = (incident.channel if incident else None) or bot.settings.alerts_channel
        afterwards(bot.postmortems.edit(incident_id, person, fields), whispering(bot, channel, person))

    @app.action(ids.POSTMORTEM_DONE)
    async def done(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(bot.postmortems.done(action["value"], body["user"]["id"]), privately(bot, respond))


async def note(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """`/musd note <text>`, in an incident's channel."""
    text = str(command.get("text", "")).partition(" ")[2]
    await bot.notes.write(command["channel_id"], command["user_id"], text, key=command["trigger_id"])
    message = bot.render(NoticeCard(State.OK, "On the timeline."))
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


async def timeline(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """`/musd timeline`, in an incident's channel: its last page, for whoever asked."""
    incident = await bot.notes.here(command["channel_id"])
    message = bot.render(await bot.notes.page(incident.id, command["user_id"]))
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


async def postmortem(bot: Bot, command: Mapping[str, Any], _respond: Any, _client: Any) -> None:
    """`/musd postmortem [done]`, in an incident's channel."""
    incident, person = await bot.notes.here(command["channel_id"]), command["user_id"]
    if str(command.get("text", "")).split()[1:] == ["done"]:
        await bot.postmortems.done(incident.id, person)
    else:
        await bot.postmortems.draft(incident.id, person)


async def _page(bot: Bot, person: str, incident_id: str, number: int, respond: Any, *, replace: bool) -> None:
    """Turning a page replaces the one that was shown; the first press leaves what it was on alone."""
    message = bot.render(await bot.notes.page(incident_id, person, number))
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=replace)


async def _mark(bot: Bot, message: MessageRef, person: str) -> None:
    await bot.notes.mark(message, person)
    await bot.chat.whisper(message.channel, person, NoticeCard(State.OK, "This message is on the timeline."))


async def _edit(bot: Bot, client: Any, body: Mapping[str, Any], incident_id: str) -> None:
    await bot.proposals.allow(body["user"]["id"], Role.RESPONDER, "edit a post-mortem")
    view = postmortem_modal(await bot.postmortems.record(incident_id))
    await client.views_open(trigger_id=body["trigger_id"], view=view)
