"""Buttons: offers, votes. A button carries an opaque id; what it stands for is looked up."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.actions.pause import EmergencyPause
from bot.actions.unpause import ExecuteUnpause, Unpause
from bot.domain.approval import Choice
from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import BotError, TypeItError
from bot.views import ids
from handlers.answering import afterwards, privately, refused
from handlers.approving import open_typed, open_why
from handlers.commands import diagnose, meant, show_status
from handlers.modals import open_pause
from handlers.proposing import open_propose
from handlers.unpausing import open_unpause


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for presses."""

    @app.action(ids.VOTE_APPROVE)
    async def approve(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        try:
            await _vote(bot, ack, body, action, respond, Choice.APPROVE)
        except TypeItError as wanted:
            await ack()
            afterwards(open_typed(bot, client, body, action["value"], wanted), privately(bot, respond))

    @app.action(ids.VOTE_DECLINE)
    async def decline(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        """The safe way waits for no words: they are asked for behind it."""
        if await _vote(bot, ack, body, action, respond, Choice.DECLINE):
            afterwards(open_why(client, body, action["value"]), privately(bot, respond))

    @app.action(ids.OFFER_PRESS)
    async def offered(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_offered(bot, body, action["value"], client), privately(bot, respond))

    @app.action(ids.DIAGNOSE_AGAIN)
    async def again(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(_again(bot, body, action["value"]), privately(bot, respond))

    @app.action(ids.STATUS_AGAIN)
    async def status(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(_status(bot, body, action["value"]), privately(bot, respond))

    @app.action(ids.SIGNAL_OPEN)
    async def open_incident(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(_open_incident(bot, body["user"]["id"], action["value"]), privately(bot, respond))


async def _vote(bot: Bot, ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, choice: Choice) -> bool:
    """The vote is stored before the press is acknowledged: once Slack has its answer, no crash can lose it.

    Returns:
        Whether it was stored now.
    """
    person, proposal_id = body["user"]["id"], action["value"]
    try:
        await bot.proposals.vote(proposal_id, person, choice)
    except TypeItError:
        raise
    except BotError as refusal:
        await ack()
        refused(refusal, privately(bot, respond))
        return False
    await ack()
    afterwards(bot.proposals.settle(proposal_id), privately(bot, respond))
    return True


async def _offered(bot: Bot, body: dict[str, Any], offer_id: str, client: Any) -> None:
    offer = await bot.proposals.offered(offer_id)
    where = {
        "person": body["user"]["id"],
        "trigger_id": body["trigger_id"],
        "channel": body["channel"]["id"],
        "incident_id": offer.incident_id,
    }
    if isinstance(offer.action, EmergencyPause):
        await open_pause(bot, client, **where, preselected=offer.action.contracts)
    elif isinstance(offer.action, Unpause | ExecuteUnpause):
        await open_unpause(bot, client, offer.action, **where)
    else:
        await open_propose(bot, client, offer.action, **where)


async def _again(bot: Bot, body: dict[str, Any], runbook: str) -> None:
    """Diagnose once more, in the same thread."""
    await bot.proposals.allow(body["user"]["id"], Role.RESPONDER, "run a diagnosis")
    message = body["message"]
    channel = body["channel"]["id"]
    thread = message.get("thread_ts") or message["ts"]
    await diagnose(bot, meant(bot, runbook), channel, key=f"diagnosis:{body['trigger_id']}", thread=thread)


async def _status(bot: Bot, body: dict[str, Any], board: str) -> None:
    await bot.proposals.allow(body["user"]["id"], Role.RESPONDER, "ask for the status")
    channel, trigger = body["channel"]["id"], body["trigger_id"]
    if board == "canton":
        await bot.canton.show(channel, key=f"canton:{trigger}")
    else:
        await show_status(bot, channel, trigger)


async def _open_incident(bot: Bot, person: str, signal_key: str) -> None:
    await bot.proposals.allow(person, Role.RESPONDER, "open an incident")
    await bot.triage.open_from_warning(signal_key)
