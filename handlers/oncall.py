"""`/musd oncall` and `/musd page <role> <text>`."""

from collections.abc import Mapping
from typing import Any

from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.views import render


async def oncall(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """The table *On-Call Contacts* as it is now, to the asker."""
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "see who is on call")
    message = render(await bot.oncall.board(), bot.redactor)
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


async def page(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """Wake a role's people."""
    role, _, text = str(command.get("text", "")).partition(" ")[2].strip().partition(" ")
    called = await bot.calling.call(command["user_id"], role.lower(), text, command["channel_id"])
    await respond(text=f"Paging {called.label}. What came of it is said here.", response_type="ephemeral")
