"""`/musd update`, *Post update…*, and the modal behind both."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.domain.incident import Incident
from bot.engine.bot import Bot
from bot.errors import RefusedError
from bot.views import ids, update_modal
from handlers.answering import afterwards, privately, turn_down


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the button and the modal."""

    @app.action(ids.UPDATE_OPEN)
    async def asked(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: Any) -> None:
        await ack()
        work = _open(bot, client, await bot.store.incident(action["value"]), body["user"]["id"], body["trigger_id"])
        afterwards(work, privately(bot, respond))

    @app.view(ids.UPDATE_SUBMIT)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        text = str(values[ids.TEXT][ids.TEXT]["value"] or "").strip()
        if not text:
            await ack(response_action="errors", errors={ids.TEXT: "Say how it goes, in a sentence."})
            return
        person = body["user"]["id"]
        try:
            await bot.updates.allow(person)
        except RefusedError as refusal:
            await turn_down(bot, ack, refusal)
            return
        await ack()
        chosen = [one["value"] for one in values.get(ids.PLACES, {}).get(ids.PLACES, {}).get("selected_options") or []]
        afterwards(bot.updates.post(person, view["private_metadata"], text, chosen), _unheard)


async def update(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd update`, in an incident's channel."""
    incident = await bot.store.incident_in(command["channel_id"])
    await _open(bot, client, incident, command["user_id"], command["trigger_id"])


async def _open(bot: Bot, client: Any, incident: Incident | None, person: str, trigger_id: str) -> None:
    await bot.updates.allow(person)
    if incident is None or not incident.is_open:
        raise RefusedError(
            "There is no open incident here.", means="Nothing was posted.", next_step="Go to the incident's channel."
        )
    await client.views_open(trigger_id=trigger_id, view=update_modal(incident, bot.updates.places(incident)))


async def _unheard(_: object) -> None:
    """The incident was resolved while the modal stood open: its channel says so already."""
