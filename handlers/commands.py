"""`/musd …`: status, pause, help, and a helpful answer to anything else."""

import difflib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.policy import Role
from bot.domain.runbook import Runbook
from bot.engine.bot import Bot
from bot.engine.pictures import EVERY
from bot.errors import RefusedError, UnavailableError
from bot.ports import Reads
from bot.views import help_message, render
from handlers import (
    announcing,
    auditing,
    canton,
    database,
    incidents,
    infrastructure,
    logs,
    oncall,
    oracle,
    record,
    rotating,
    supply,
    unpausing,
    updating,
)
from handlers.answering import afterwards, privately
from handlers.modals import open_pause

Subcommand = Callable[[Bot, Mapping[str, Any], Callable[..., Awaitable[object]], Any], Awaitable[None]]


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the slash command."""

    @app.command("/musd")
    async def musd(ack: Any, command: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_dispatch(bot, command, respond, client), privately(bot, respond))


async def _dispatch(bot: Bot, command: Mapping[str, Any], respond: Any, client: Any) -> None:
    words = str(command.get("text", "")).split()
    name = words[0].lower() if words else "help"
    await bot.audit(command["user_id"], "command", {"text": str(command.get("text", ""))[:200]}, command["channel_id"])
    subcommand = SUBCOMMANDS.get(name)
    if subcommand is None:
        raise _mistyped(name)
    await subcommand(bot, command, respond, client)


async def _status(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "ask for the status")
    try:
        await show_status(bot, command["channel_id"], command["trigger_id"])
    except (UnavailableError, RefusedError):
        # The bot is no member there, so it can't post or edit: the whole board at once, to the asker.
        board = render(await bot.status.read(), bot.redactor)
        await respond(text=board.text, blocks=board.blocks, response_type="ephemeral")


async def show_status(bot: Bot, channel: str, trigger: str) -> None:
    """The board, and the last 24 hours as a picture in its thread."""
    message = await bot.status.show(channel, key=f"status:{trigger}")
    await bot.pictures.show(message.channel, EVERY, key=f"status:{trigger}", thread=message.ts)


async def _doctor(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "ask the doctor")
    try:
        await bot.doctor.show(command["channel_id"], key=f"doctor:{command['trigger_id']}")
    except (UnavailableError, RefusedError):  # the bot is no member there
        card = render(await bot.doctor.examine(), bot.redactor)
        await respond(text=card.text, blocks=card.blocks, response_type="ephemeral")


async def _pause(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    words = str(command.get("text", "")).lower().split()[1:] or ["all"]
    if words[0] not in bot.settings.sets:
        raise RefusedError(
            f"There is no set {words[0][:40]!r} to pause.",
            means="Nothing was done.",
            next_step=f"`/musd pause` with one of: {', '.join(bot.settings.sets)}.",
        )
    incident = await bot.store.incident_in(command["channel_id"])
    await open_pause(
        bot,
        client,
        person=command["user_id"],
        trigger_id=command["trigger_id"],
        channel=command["channel_id"],
        incident_id=incident.id if incident and incident.is_open else None,
        preselected=bot.settings.sets[words[0]],
    )


async def _diagnose(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "run a diagnosis")
    words = str(command.get("text", "")).split()[1:]
    channel, key = command["channel_id"], f"diagnosis:{command['trigger_id']}"
    incident = await bot.store.incident_in(channel)
    runbook = meant(bot, words[0] if words else (incident.runbook if incident else None) or "")
    try:
        await diagnose(bot, runbook, channel, key=key)
    except UnavailableError:  # the bot is no member there, so it can't post or edit
        card = render(await bot.diagnosis.read(runbook), bot.redactor)
        await respond(text=card.text, blocks=card.blocks, response_type="ephemeral")


def meant(bot: Bot, wanted: str) -> Runbook[Reads]:
    """The runbook of this key, or for this alert.

    Raises:
        RefusedError: there is none, with the likely one.
    """
    runbook = bot.runbooks.by_key.get(wanted.lower()) or bot.runbooks.by_alert.get(wanted)
    if runbook is None:
        near = difflib.get_close_matches(wanted.lower(), bot.runbooks.by_key, n=1, cutoff=0.4)
        likely = f"Did you mean `/musd diagnose {near[0]}`? " if near else ""
        raise RefusedError(
            f"There is no runbook {wanted[:40]!r}." if wanted else "Which runbook?",
            means="Nothing was asked.",
            next_step=f"{likely}There are: {', '.join(bot.runbooks.by_key)}.",
        )
    return runbook


async def diagnose(bot: Bot, runbook: Runbook[Reads], channel: str, *, key: str, thread: str | None = None) -> None:
    """Run a runbook's diagnosis there: in a thread, or in the thread of the incident whose channel it is."""
    incident = await bot.store.incident_in(channel)
    open_one = incident if incident and incident.is_open else None
    thread = thread or (open_one.card if open_one else None)
    await bot.diagnosis.post(runbook, channel, key, thread=thread, incident_id=open_one.id if open_one else None)


async def _help(_bot: Bot, _command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    message = help_message()
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": _status,
    "diagnose": _diagnose,
    "doctor": _doctor,
    "pause": _pause,
    "incident": incidents.incident,
    "note": record.note,
    "timeline": record.timeline,
    "postmortem": record.postmortem,
    "unpause": unpausing.unpause,
    "restart": infrastructure.restart,
    "memory": infrastructure.memory,
    "oracle": oracle.oracle,
    "logs": logs.logs,
    "canton": canton.canton,
    "announce": announcing.announce,
    "update": updating.update,
    "oncall": oncall.oncall,
    "page": oncall.page,
    "database": database.database,
    "rotate": rotating.rotate,
    "supply": supply.supply,
    "audit": auditing.audit,
    "help": _help,
}


def _mistyped(name: str) -> RefusedError:
    near = difflib.get_close_matches(name, SUBCOMMANDS, n=1, cutoff=0.5)
    meant = f"Did you mean `/musd {near[0]}`?" if near else "`/musd help` lists what there is."
    return RefusedError(f"There is no `/musd {name[:40]}`.", means="Nothing was done.", next_step=meant)
