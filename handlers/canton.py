"""`/musd canton …`: the ledger as it is now, and what may be put to its guardians."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from bot.actions.canton.motions import PutMotion
from bot.domain.canton import Motion, Purpose
from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import RefusedError, UnavailableError
from bot.views import render
from handlers.proposing import open_propose

Subcommand = Callable[[Bot, Mapping[str, Any], Callable[..., Awaitable[object]], Any], Awaitable[None]]


async def canton(bot: Bot, command: Mapping[str, Any], respond: Callable[..., Awaitable[object]], client: Any) -> None:
    """`/musd canton [what]`."""
    words = str(command.get("text", "")).split()[1:]
    what = SUBCOMMANDS.get(words[0].lower() if words else "status")
    if what is None:
        raise RefusedError(
            f"There is no `/musd canton {words[0][:40]}`.",
            means="Nothing was done.",
            next_step=f"There are: {', '.join(SUBCOMMANDS)}.",
        )
    await what(bot, command, respond, client)


async def _status(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "ask about Canton")
    try:
        await bot.canton.show(command["channel_id"], key=f"canton:{command['trigger_id']}")
    except (UnavailableError, RefusedError):
        # The bot is no member there, so it can't post or edit: the whole board at once, to the asker.
        board = render(await bot.canton.read(), bot.redactor)
        await respond(text=board.text, blocks=board.blocks, response_type="ephemeral")


async def _unpause(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """All services: which of them are paused is the plan's business."""
    await _open(bot, command, client, Motion(purpose=Purpose.UNPAUSE, services=bot.settings.services))


async def _cap(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    motion = Motion(purpose=Purpose.SUPPLY_CAP, amount=_amount(_word(command, 0), "`/musd canton cap 12000000`"))
    await _open(bot, command, client, motion)


async def _burn(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    motion = Motion(purpose=Purpose.BURN, amount=_amount(_word(command, 0), "`/musd canton burn 250000`"))
    await _open(bot, command, client, motion)


async def _price(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """An ordinary update, or where it moves by more than half the override."""
    price = _amount(_word(command, 1), "`/musd canton price CTN 0.17`")
    action = await bot.pricing.update(_word(command, 0).upper(), price)
    await _open(bot, command, client, action.motion, action.sources)


async def _open(
    bot: Bot, command: Mapping[str, Any], client: Any, motion: Motion, sources: tuple[str, ...] = ()
) -> None:
    if not bot.settings.ledger_url:
        raise RefusedError("No Canton participant is configured.", next_step="Set MUSD_LEDGER_URL.")
    incident = await bot.store.incident_in(command["channel_id"])
    await open_propose(
        bot,
        client,
        PutMotion(motion=motion, sources=sources),
        person=command["user_id"],
        trigger_id=command["trigger_id"],
        channel=command["channel_id"],
        incident_id=incident.id if incident and incident.is_open else None,
    )


def _word(command: Mapping[str, Any], place: int) -> str:
    """What stands behind `/musd canton price`; empty where nothing does."""
    words = str(command.get("text", "")).split()[2:]
    return words[place] if place < len(words) else ""


def _amount(text: str, example: str) -> Decimal:
    try:
        amount = Decimal(text.replace(",", ""))
    except ArithmeticError:
        amount = Decimal(0)
    if not amount.is_finite() or not 0 < amount < _MOST:
        raise RefusedError(
            f"{text[:40]!r} is no amount above zero." if text else "How much?",
            means="Nothing was proposed.",
            next_step=f"Such as {example}.",
        )
    return amount


_MOST = Decimal(10) ** 20
"""Above what a Daml `Numeric 18` holds."""

SUBCOMMANDS: Mapping[str, Subcommand] = {
    "status": _status,
    "unpause": _unpause,
    "price": _price,
    "cap": _cap,
    "burn": _burn,
}
"""By their second word."""
