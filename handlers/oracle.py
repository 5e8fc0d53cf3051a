"""`/musd oracle`: proposals about who writes the oracle's prices, and where they come from."""

from collections.abc import Mapping
from typing import Any

from bot.actions.oracle import PauseOracleUpdates, ResumeOracleUpdates, SwitchOracleSource
from bot.domain.action import Action
from bot.engine.bot import Bot
from bot.errors import RefusedError
from handlers.infrastructure import open_from_command


async def oracle(bot: Bot, command: Mapping[str, Any], _respond: Any, client: Any) -> None:
    """`/musd oracle pause|resume|switch [source]`."""
    words = str(command.get("text", "")).lower().split()[1:]
    await open_from_command(bot, command, client, _meant(words))


def _meant(words: list[str]) -> Action:
    match words:
        case ["pause"]:
            return PauseOracleUpdates()
        case ["resume"]:
            return ResumeOracleUpdates()
        case ["switch"]:
            return SwitchOracleSource()
        case ["switch", source]:
            return SwitchOracleSource(source=source)
    raise RefusedError(
        "Do what with the oracle?",
        means="Nothing was done.",
        next_step="`/musd oracle pause`, `/musd oracle resume`, or `/musd oracle switch` and the source.",
    )
