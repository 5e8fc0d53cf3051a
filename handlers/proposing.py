"""From an offer to a Proposal: the modal that asks why, and its submission. For every Action but the pause."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.action import Action
from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.engine.bot import Bot
from bot.errors import BotError, RefusedError
from bot.views import ids, propose_modal
from handlers.answering import Tell, afterwards, turn_down


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the modal's submission."""

    @app.view(ids.PROPOSE_SUBMIT)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        person = body["user"]["id"]
        offer_id, channel = view["private_metadata"].split(" ")
        try:
            offer = await bot.proposals.offered(offer_id)
            await bot.proposals.may_propose(person, offer.action)
        except RefusedError as refusal:
            await turn_down(bot, ack, refusal)
            return
        await ack()
        reason = view["state"]["values"].get(ids.REASON, {}).get(ids.REASON, {}).get("value") or ""
        work = bot.proposals.propose(offer.action, person, reason, incident_id=offer.incident_id, place=channel)
        afterwards(work, whispering(bot, channel, person))


async def open_propose(
    bot: Bot, client: Any, action: Action, *, person: str, trigger_id: str, channel: str, incident_id: str | None
) -> None:
    """Ask why, then propose.

    Raises:
        RefusedError: the person may not propose it.
    """
    await bot.proposals.may_propose(person, action)
    offer = await bot.proposals.offer(action, incident_id)
    view = propose_modal(f"{offer.id} {channel}", action.title, action.policy, bot.redactor)
    await client.views_open(trigger_id=trigger_id, view=view)


def whispering(bot: Bot, channel: str, person: str) -> Tell:
    """Tell an error to this person, in the channel they were in."""

    async def tell(error: BotError) -> None:
        await bot.chat.whisper(channel, person, NoticeCard(State.BAD, error.sentences()))

    return tell
