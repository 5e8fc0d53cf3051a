"""`/musd rotate`: a proposal to rotate the relay's key, a validator's, or the Canton token."""

from collections.abc import Mapping
from typing import Any

from bot.domain.policy import ROTATE
from bot.engine.bot import Bot
from handlers.infrastructure import open_from_command


async def rotate(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd rotate relay 0xNEW | validator-2 | token [--compromised]`."""
    await bot.proposals.allow(command["user_id"], ROTATE.propose, "propose a rotation")
    action = await bot.rotating.meant(str(command.get("text", "")).split()[1:])
    await open_from_command(bot, command, client, action)
