"""`/musd supply cap <mUSD>` and `/musd supply burn <mUSD left> <holder>`: on Ethereum, for people with the keys."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from bot.actions.supply import BurnExcess, SetSupplyCap
from bot.domain.action import Action
from bot.engine.bot import Bot
from bot.errors import RefusedError
from handlers.proposing import open_propose


async def supply(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """Ask why, then propose it."""
    incident = await bot.store.incident_in(command["channel_id"])
    await open_propose(
        bot,
        client,
        _wanted(str(command.get("text", "")).split()[1:]),
        person=command["user_id"],
        trigger_id=command["trigger_id"],
        channel=command["channel_id"],
        incident_id=incident.id if incident and incident.is_open else None,
    )


def _wanted(words: list[str]) -> Action:
    try:
        match words:
            case ["cap", cap]:
                return SetSupplyCap(cap=_amount(cap))
            case ["burn", down_to, holder]:
                return BurnExcess(down_to=_amount(down_to), holder=holder)
    except (ValidationError, InvalidOperation):
        pass  # not an amount, or not an address
    raise RefusedError(
        "That is no change of the supply.",
        means="Nothing was done.",
        next_step="`/musd supply cap 40000000`, or `/musd supply burn 39000000 0x…`: what may be left, and whose.",
    )


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("_", ""))
