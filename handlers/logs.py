"""`/musd logs <service> [lines] [--since 15m]`, and `/musd logs collect` in an incident's channel."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.engine.logbook import LINES, MOST
from bot.engine.naming import meant
from bot.errors import RefusedError, UnavailableError

_SINCE = re.compile(r"(\d{1,5})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = timedelta(days=7)


async def logs(bot: Bot, command: Mapping[str, Any], _respond: Any, _client: Any) -> None:
    """Show a service's log where it was asked for: in the thread of the incident, where that is its channel."""
    await bot.proposals.allow(command["user_id"], Role.RESPONDER, "read logs")
    words = str(command.get("text", "")).split()[1:]
    if words == ["collect"]:
        await _collect(bot, command)
        return
    services = bot.settings.log_names
    lines, since, rest = parsed(words)
    if not rest:
        raise _usage(f"Whose log? There are: {', '.join(services)}.")
    service = meant(rest[0].lower(), services)
    channel = command["channel_id"]
    incident = await bot.store.incident_in(channel)
    thread = incident.card if incident and incident.is_open else None
    await bot.logbook.show(service, lines, since, channel, thread=thread, key=f"logs:{command['trigger_id']}")


async def _collect(bot: Bot, command: Mapping[str, Any]) -> None:
    """Every affected service's log into the incident, as files (Incident Response Checklist)."""
    incident = await bot.store.incident_in(command["channel_id"])
    if incident is None:
        raise RefusedError(
            "This channel is no incident's.", means="No log was collected.", next_step="Type it in the incident's own."
        )
    await collected(bot, incident.id, command["user_id"], command["trigger_id"])


async def collected(bot: Bot, incident_id: str, person: str, trigger_id: str) -> None:
    """Collect the logs of the affected services into an incident; say which ones could not be read.

    Raises:
        RefusedError: the person is no responder.
        UnavailableError: some are missing.
    """
    await bot.proposals.allow(person, Role.RESPONDER, "read logs")
    _, missing = await bot.collecting.collect(incident_id, trigger_id[-12:], person)
    if missing:
        raise UnavailableError(f"Not all logs could be read: {'; '.join(missing)}")


def parsed(words: Sequence[str]) -> tuple[int, timedelta | None, list[str]]:
    """Lines, how far back, and what else was typed.

    Raises:
        RefusedError: a number or a time that is none.
    """
    lines, since, rest = LINES, None, list[str]()
    left = [part for word in words for part in word.split("=", 1)]
    while left:
        word = left.pop(0)
        if word == "--since":
            since = _since(left.pop(0) if left else "")
        elif word.lstrip("-").isdigit():
            lines = int(word)
            if not 1 <= lines <= MOST:
                raise _usage(f"{word[:20]} lines can't be shown: 1 to {MOST} can.")
        else:
            rest.append(word)
    if len(rest) > 1:
        raise _usage(f"{rest[1][:40]!r} is neither a number of lines nor --since.")
    return lines, since, rest


def _since(text: str) -> timedelta:
    found = _SINCE.fullmatch(text)
    span = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else timedelta(0)
    if not timedelta(0) < span <= _LONGEST:
        raise _usage(f"{text[:20]!r} is no time: write it as 90s, 15m or 2h.")
    return span


def _usage(happened: str) -> RefusedError:
    return RefusedError(happened, means="Nothing was read.", next_step="`/musd logs relay 200 --since 15m`")
