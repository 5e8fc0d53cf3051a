"""`/musd announce`, *Edit…* on a draft, and the modal behind it."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.announcement import Occasion
from bot.engine.bot import Bot
from bot.errors import RefusedError
from bot.views import announce_modal, ids
from handlers.answering import afterwards, privately, turn_down


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the button, the modal, and links that were followed."""

    @app.action(ids.ANNOUNCE_EDIT)
    async def edit(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        afterwards(_open(bot, body, action["value"], client), privately(bot, respond))

    @app.view(ids.ANNOUNCE_SUBMIT)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        text = str(view["state"]["values"][ids.TEXT][ids.TEXT]["value"] or "").strip()
        if not text:
            await ack(response_action="errors", errors={ids.TEXT: "Write what is to be read there."})
            return
        try:
            await bot.announcements.edit(view["private_metadata"], body["user"]["id"], text)
        except RefusedError as refusal:
            await turn_down(bot, ack, refusal)
            return
        await ack()

    @app.action(ids.LINK)
    async def followed(ack: Any) -> None:
        await ack()


async def _open(bot: Bot, body: dict[str, Any], proposal_id: str, client: Any) -> None:
    draft = await bot.announcements.editable(proposal_id)
    await bot.proposals.allow(body["user"]["id"], draft.policy.propose, "edit an announcement")
    await client.views_open(trigger_id=body["trigger_id"], view=announce_modal(proposal_id, draft.announcement))


async def announce(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """`/musd announce pause|update|all-clear`: draft every announcement of that occasion."""
    words = str(command.get("text", "")).split()[1:]
    if len(words) != 1 or words[0] not in set(Occasion):
        raise RefusedError(
            "Announce what?", means="Nothing was drafted.", next_step=f"`/musd announce {'|'.join(Occasion)}`"
        )
    incident = await bot.store.incident_in(command["channel_id"])
    open_one = incident.id if incident and incident.is_open else None
    count = await bot.announcements.draft(
        command["user_id"], Occasion(words[0]), incident_id=open_one, place=command["channel_id"]
    )
    await respond(text=f"{count} drafts: an operator approves each.", response_type="ephemeral")
