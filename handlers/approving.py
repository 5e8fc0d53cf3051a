"""Votes that take more than a press: a word or a code typed, the reason of a decline; and taking a proposal back."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.approval import Choice
from bot.engine.bot import Bot
from bot.errors import BotError, TypeItError
from bot.views import ids, typed_modal, why_modal
from handlers.answering import afterwards, privately
from handlers.proposing import whispering


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the modals' submissions and for *Withdraw*."""

    @app.view(ids.VOTE_TYPED)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        """The vote is stored before the submission is acknowledged, as with a press."""
        person, typed = body["user"]["id"], _filled(view)
        proposal_id, channel = view["private_metadata"].split(" ")
        word, code = typed.get(ids.TYPED), typed.get(ids.CODE)
        try:
            await bot.proposals.vote(proposal_id, person, Choice.APPROVE, typed=word, code=code)
        except BotError as refusal:
            await ack(response_action="errors", errors={[*typed][-1]: refusal.sentences()[:2000]})
            return
        await ack()
        afterwards(bot.proposals.settle(proposal_id), whispering(bot, channel, person))

    @app.view(ids.VOTE_WHY)
    async def explained(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        person, reason = body["user"]["id"], _filled(view).get(ids.REASON, "")
        proposal_id, channel = view["private_metadata"].split(" ")
        afterwards(bot.proposals.explain(proposal_id, person, reason), whispering(bot, channel, person))

    @app.action(ids.VOTE_WITHDRAW)
    async def withdrawn(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any) -> None:
        await ack()
        afterwards(bot.proposals.withdraw(action["value"], body["user"]["id"]), privately(bot, respond))


async def open_typed(bot: Bot, client: Any, body: dict[str, Any], proposal_id: str, wanted: TypeItError) -> None:
    """Ask for the word, the code, or both."""
    where = f"{proposal_id} {body['channel']['id']}"
    view = typed_modal(where, wanted.what, wanted.word, code=wanted.code, redactor=bot.redactor)
    await client.views_open(trigger_id=body["trigger_id"], view=view)


async def open_why(client: Any, body: dict[str, Any], proposal_id: str) -> None:
    """Ask for the reason of a decline that is in already."""
    view = why_modal(f"{proposal_id} {body['channel']['id']}")
    await client.views_open(trigger_id=body["trigger_id"], view=view)


def _filled(view: dict[str, Any]) -> dict[str, str]:
    """What was typed, by the input's name."""
    values = view["state"]["values"]
    return {name: (box.get(name) or {}).get("value") or "" for name, box in values.items()}
