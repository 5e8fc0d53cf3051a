"""`/musd database`: its disk, its backups, and proposals to back it up or to restore it."""

from collections.abc import Mapping
from typing import Any

from bot.actions.backup import BackUp
from bot.actions.restore import RestoreDatabase
from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import RefusedError
from handlers.infrastructure import open_from_command


async def database(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd database [backup | backups | restore <backup>|latest]`."""
    words = str(command.get("text", "")).split()[1:]
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "look at the database")
    channel, key = command["channel_id"], f"database:{command['trigger_id']}"
    match words:
        case []:
            await bot.backups.usage(channel, key=key)
        case ["backups"]:
            await bot.backups.list(channel, key=key)
        case ["backup"]:
            await open_from_command(bot, command, client, BackUp())
        case ["restore", name]:
            dump = await bot.backups.meant(name)
            action = RestoreDatabase(backup=dump.name, database=bot.backups.database.name)
            await open_from_command(bot, command, client, action)
        case _:
            raise RefusedError(
                f"`/musd database` does not know {' '.join(words)[:60]!r}.",
                means="Nothing was done.",
                next_step="`/musd database`, or `… backups`, `… backup`, `… restore <backup>|latest`.",
            )
