"""The pause modal: opened by a button or a command, and what its submission does."""

from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.actions.pause import STOPS, EmergencyPause
from bot.domain.canton import counterparts
from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import RefusedError
from bot.views import ids, pause_modal
from handlers.answering import afterwards, turn_down
from handlers.proposing import whispering


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the modal's submission."""

    @app.view(ids.PAUSE_SUBMIT)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        person = body["user"]["id"]
        ticked, reason = _fields(view)
        if not ticked:
            await ack(response_action="errors", errors={ids.CONTRACTS: "Tick at least one contract."})
            return
        try:
            await bot.proposals.allow(person, EmergencyPause.policy.propose, "propose a pause")
        except RefusedError as refusal:
            await turn_down(bot, ack, refusal)
            return
        await ack()
        offer_id, channel = view["private_metadata"].split(" ")
        afterwards(_propose(bot, person, offer_id, channel, ticked, reason), whispering(bot, channel, person))


async def open_pause(
    bot: Bot,
    client: Any,
    *,
    person: str,
    trigger_id: str,
    channel: str,
    incident_id: str | None,
    preselected: tuple[str, ...] | None = None,
) -> None:
    """Open the modal for a pause on this incident, or on none; all contracts are ticked where `preselected` is None.

    Raises:
        RefusedError: the person is no responder, or no contract of the pause is configured.
    """
    await bot.proposals.allow(person, Role.RESPONDER, "propose a pause")
    pausable = bot.settings.pausable
    if not pausable:
        raise RefusedError(
            "No contract of the emergency pause has an address here.",
            means="There is nothing this bot could pause.",
            next_step="Set BORROW_MODULE, SMUSD, DIRECT_MINT and BLE_BRIDGE.",
        )
    offer = await bot.proposals.offer(EmergencyPause(contracts=pausable), incident_id)
    contracts = [(name, *STOPS.get(name, (name, ""))) for name in pausable]
    await client.views_open(trigger_id=trigger_id, view=pause_modal(f"{offer.id} {channel}", contracts, preselected))


async def _propose(bot: Bot, person: str, offer_id: str, channel: str, ticked: set[str], reason: str) -> None:
    offer = await bot.proposals.offered(offer_id)
    # The configured order counts, never the order in which boxes were ticked.
    contracts = tuple(name for name in bot.settings.pausable if name in ticked)
    services = counterparts(contracts, bot.settings.pausable, bot.settings.services)
    action = EmergencyPause(contracts=contracts, services=services, canton_by=bot.settings.canton_pause_by)
    await bot.proposals.propose(action, person, reason, incident_id=offer.incident_id, place=channel)


def _fields(view: dict[str, Any]) -> tuple[set[str], str]:
    values = view["state"]["values"]
    ticked = values.get(ids.CONTRACTS, {}).get(ids.CONTRACTS, {}).get("selected_options") or []
    reason = values.get(ids.REASON, {}).get(ids.REASON, {}).get("value") or ""
    return {option["value"] for option in ticked}, reason
