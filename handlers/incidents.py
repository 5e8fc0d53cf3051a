"""An incident's life: its buttons, its modals, `/musd incident …` and the message shortcut *Open incident*."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.cards import NoticeCard
from bot.domain.incident import SEVERITIES, Step, acknowledge, close, lead, reopen, resolve
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.engine.bot import Bot
from bot.engine.lifecycle import severity
from bot.errors import BotError, RefusedError
from bot.ports import MessageRef
from bot.views import ids, incident_list, open_modal, reason_modal
from handlers.answering import afterwards, privately, turn_down
from handlers.proposing import whispering

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for presses, submissions and the shortcut."""

    @app.action(ids.INCIDENT_STEP)
    async def step(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        work = _take(bot, action["value"], body["user"]["id"], action["action_id"].removeprefix("incident:"))
        afterwards(work, privately(bot, respond))

    @app.action(ids.INCIDENT_RESOLVE)
    async def why_over(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_ask_why(bot, client, body, action["value"], "resolve"), privately(bot, respond))

    @app.action(ids.INCIDENT_REOPEN)
    async def why_not(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_ask_why(bot, client, body, action["value"], "reopen"), privately(bot, respond))

    @app.view(ids.INCIDENT_REASON)
    async def explained(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        way, incident_id = view["private_metadata"].split(" ")
        person, reason = body["user"]["id"], _typed(view, ids.REASON)
        try:
            await bot.lifecycle.change(incident_id, person, _with_reason(way, reason))
        except BotError as error:
            await turn_down(bot, ack, error)
            return
        await ack()

    @app.shortcut(ids.INCIDENT_OPEN)
    async def shortcut(ack: Any, shortcut: dict[str, Any], client: Any) -> None:
        await ack()
        channel, person = shortcut["channel"]["id"], shortcut["user"]["id"]
        afterwards(_open_form(bot, client, shortcut), whispering(bot, channel, person))

    @app.view(ids.INCIDENT_OPEN)
    async def opened(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        title = _typed(view, ids.TITLE)
        if not title.strip():
            await ack(response_action="errors", errors={ids.TITLE: "Say what is wrong, in a line."})
            return
        await ack()
        chosen = view["state"]["values"][ids.SEVERITY][ids.SEVERITY]["selected_option"]["value"]
        channel, ts = view["private_metadata"].split(" ")
        person = body["user"]["id"]
        work = _open(bot, person, title, Severity(chosen), MessageRef(channel, ts))
        afterwards(work, whispering(bot, channel, person))


async def incident(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """`/musd incident open|list|ack|lead|severity|resolve|reopen|close|archive …`."""
    words = str(command.get("text", "")).split()[1:]
    way, rest = (words[0].lower(), words[1:]) if words else ("list", [])
    person = command["user_id"]
    if way == "list":
        await _list(bot, person, respond)
    elif way == "open":
        level = Severity(rest[0].lower()) if rest and rest[0].lower() in set(SEVERITIES) else Severity.HIGH
        title = " ".join(rest[1:] if rest and rest[0].lower() in set(SEVERITIES) else rest)
        await _answer(respond, bot, await bot.lifecycle.open(person, title, level))
    else:
        await _by_name(bot, command, way, rest)


async def _by_name(bot: Bot, command: Mapping[str, Any], way: str, rest: list[str]) -> None:
    """A step on the incident whose channel this is."""
    person, here = command["user_id"], await bot.notes.here(command["channel_id"])
    if way in {"ack", "acknowledge"}:
        await _take(bot, here.id, person, "acknowledge")
    elif way == "lead":
        mentioned = _MENTION.fullmatch(rest[0]) if rest else None
        someone = mentioned.group(1) if mentioned else person
        await bot.lifecycle.change(here.id, person, lambda one: lead(one, someone))
    elif way == "severity":
        await _take(bot, here.id, person, f"severity:{(rest or [''])[0].lower()}")
    elif way in {"resolve", "reopen"}:
        await bot.lifecycle.change(here.id, person, _with_reason(way, " ".join(rest)))
    elif way in {"close", "archive"}:
        await _take(bot, here.id, person, way)
    else:
        raise RefusedError(
            f"There is no `/musd incident {way[:30]}`.",
            means="Nothing was done.",
            next_step="There are: open, list, ack, lead, severity, resolve, reopen, close, archive.",
        )


async def _take(bot: Bot, incident_id: str, person: str, way: str) -> None:
    """A step that takes one press."""
    if way == "archive":
        await bot.lifecycle.archive(incident_id, person)
        return
    at = datetime.now(UTC)
    steps: Mapping[str, Step] = {
        "acknowledge": lambda one: acknowledge(one, person, at),
        "lead": lambda one: lead(one, person),
        "close": close,
    }
    name, _, level = way.partition(":")
    await bot.lifecycle.change(incident_id, person, steps.get(name) or severity(_level(level)))


def _level(word: str) -> Severity:
    if word not in set(SEVERITIES):
        raise RefusedError(
            f"{word[:20]!r} is no severity." if word else "Which severity?",
            means="Nothing was changed.",
            next_step=f"There are: {', '.join(SEVERITIES)}.",
        )
    return Severity(word)


def _with_reason(way: str, reason: str) -> Step:
    at = datetime.now(UTC)
    return (lambda one: resolve(one, reason, at)) if way == "resolve" else (lambda one: reopen(one, reason))


async def _ask_why(bot: Bot, client: Any, body: Mapping[str, Any], incident_id: str, way: str) -> None:
    await bot.proposals.allow(body["user"]["id"], Role.RESPONDER, f"{way} an incident")
    found = await bot.store.incident(incident_id)
    if found is None:
        raise RefusedError("There is no such incident.", means="Nothing was done.")
    await client.views_open(trigger_id=body["trigger_id"], view=reason_modal(way, found))


async def _open_form(bot: Bot, client: Any, shortcut: Mapping[str, Any]) -> None:
    await bot.proposals.allow(shortcut["user"]["id"], Role.RESPONDER, "open an incident")
    message = shortcut["message"]
    view = open_modal(f"{shortcut['channel']['id']} {message['ts']}", str(message.get("text") or ""))
    await client.views_open(trigger_id=shortcut["trigger_id"], view=view)


async def _open(bot: Bot, person: str, title: str, level: Severity, about: MessageRef) -> None:
    await bot.lifecycle.open(person, title, level, source=await bot.chat.permalink(about))


async def _list(bot: Bot, person: str, respond: Any) -> None:
    await bot.proposals.allow(person, Role.RESPONDER, "list incidents")
    message = incident_list(await bot.lifecycle.open_ones(), bot.redactor)
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


async def _answer(respond: Any, bot: Bot, opened: Any) -> None:
    card = NoticeCard(State.OK, f"Incident opened: {opened.title}. Its channel is being made; you will be invited.")
    message = bot.render(card)
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


def _typed(view: Mapping[str, Any], block: str) -> str:
    return str(view["state"]["values"].get(block, {}).get(block, {}).get("value") or "")
