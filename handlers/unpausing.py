"""`/musd unpause`, *Unpause…* and *Execute the unpause…*: the modal, and what its submission does."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.actions.pause import contract_name
from bot.actions.unpause import RUNS_AGAIN, ExecuteUnpause, Unpause, in_order
from bot.engine.bot import Bot
from bot.engine.unpausing import reason
from bot.errors import RefusedError
from bot.views import ids, loading_modal, unpause_modal
from handlers.answering import afterwards, turn_down
from handlers.proposing import whispering


def register(app: AsyncApp, bot: Bot) -> None:
    """Listen for the modal's submission."""

    @app.view(ids.UNPAUSE_SUBMIT)
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        person = body["user"]["id"]
        if wrong := _wrong(view):
            await ack(response_action="errors", errors=wrong)
            return
        offer_id, channel = view["private_metadata"].split(" ")
        try:
            await bot.proposals.allow(person, Unpause.policy.propose, "propose an unpause", Unpause.policy)
        except RefusedError as refusal:
            await turn_down(bot, ack, refusal)
            return
        await ack()
        afterwards(_propose(bot, person, offer_id, channel, view), whispering(bot, channel, person))


async def unpause(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd unpause`."""
    if not bot.settings.pausable:
        raise RefusedError("No contract of the emergency pause has an address here.", means="There is nothing to do.")
    incident = await bot.store.incident_in(command["channel_id"])
    await open_unpause(
        bot,
        client,
        Unpause(contracts=in_order(bot.settings.pausable, bot.settings.pausable)),
        person=command["user_id"],
        trigger_id=command["trigger_id"],
        channel=command["channel_id"],
        incident_id=incident.id if incident and incident.is_open else None,
    )


async def open_unpause(
    bot: Bot,
    client: Any,
    action: Unpause | ExecuteUnpause,
    *,
    person: str,
    trigger_id: str,
    channel: str,
    incident_id: str | None,
) -> None:
    """Open the modal at once, then fill it with what is paused now.

    Raises:
        RefusedError: the person may not propose it.
    """
    await bot.proposals.may_propose(person, action)
    opened = await client.views_open(trigger_id=trigger_id, view=loading_modal())
    offer = await bot.proposals.offer(action, incident_id)
    order = in_order(bot.settings.pausable, bot.settings.pausable) if isinstance(action, Unpause) else ()
    contracts = [(name, contract_name(name), RUNS_AGAIN.get(name, "it works again")) for name in order]
    paused = await bot.unpausing.paused(order)
    view = unpause_modal(f"{offer.id} {channel}", contracts, paused, action.cause, action.fix)
    await client.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=view)


async def _propose(bot: Bot, person: str, offer_id: str, channel: str, view: Mapping[str, Any]) -> None:
    offer = await bot.proposals.offered(offer_id)
    texts = {"cause": _text(view, ids.CAUSE), "fix": _text(view, ids.FIX)}
    action = (
        ExecuteUnpause(**texts)
        if isinstance(offer.action, ExecuteUnpause)
        else Unpause(contracts=in_order(bot.settings.pausable, _ticked(view)), **texts)
    )
    await bot.proposals.propose(action, person, reason(action), incident_id=offer.incident_id, place=channel)


def _wrong(view: Mapping[str, Any]) -> dict[str, str]:
    wrong = {field: "Write it down." for field in (ids.CAUSE, ids.FIX) if not _text(view, field)}
    has_boxes = any(block.get("block_id") == ids.CONTRACTS for block in view["blocks"])
    return wrong | ({ids.CONTRACTS: "Tick at least one contract."} if has_boxes and not _ticked(view) else {})


def _ticked(view: Mapping[str, Any]) -> list[str]:
    ticked = view["state"]["values"].get(ids.CONTRACTS, {}).get(ids.CONTRACTS, {}).get("selected_options") or []
    return [option["value"] for option in ticked]


def _text(view: Mapping[str, Any], field: str) -> str:
    return str(view["state"]["values"].get(field, {}).get(field, {}).get("value") or "").strip()
