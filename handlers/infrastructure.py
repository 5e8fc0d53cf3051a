"""`/musd restart` and `/musd memory`: proposals about the protocol's deployments."""

from collections.abc import Mapping
from typing import Any

from bot.actions.restart import RaiseMemory, Restart, RestartAll
from bot.domain.action import Action
from bot.engine.bot import Bot
from bot.engine.naming import meant
from bot.errors import RefusedError
from handlers.proposing import open_propose


async def restart(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd restart <deployment>|all`."""
    words = _words(command)
    if not words:
        raise RefusedError(
            "Restart what?",
            means="Nothing was done.",
            next_step=f"`/musd restart all`, or one of: {', '.join(bot.settings.deployment_names)}.",
        )
    wanted = words[0].lower()
    action = RestartAll() if wanted == "all" else Restart(deployment=meant(wanted, bot.settings.deployment_names))
    await open_from_command(bot, command, client, action)


async def memory(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd memory <deployment> [limit]`."""
    words = _words(command)
    if not words:
        raise RefusedError(
            "Raise whose memory limit?",
            means="Nothing was done.",
            next_step=f"`/musd memory relay 1Gi`, for one of: {', '.join(bot.settings.deployment_names)}.",
        )
    name = meant(words[0].lower(), bot.settings.deployment_names)
    await open_from_command(
        bot, command, client, RaiseMemory(deployment=name, limit=words[1] if len(words) > 1 else "")
    )


def _words(command: Mapping[str, Any]) -> list[str]:
    return str(command.get("text", "")).split()[1:]


async def open_from_command(bot: Bot, command: Mapping[str, Any], client: Any, action: Action) -> None:
    """Ask why, then propose, on the incident whose channel this is."""
    incident = await bot.store.incident_in(command["channel_id"])
    await open_propose(
        bot,
        client,
        action,
        person=command["user_id"],
        trigger_id=command["trigger_id"],
        channel=command["channel_id"],
        incident_id=incident.id if incident and incident.is_open else None,
    )
