"""`/musd audit [@person] [id|here] [rows]`: the newest rows of the audit log, to the guardian who asks."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.cards import AuditCard, AuditLine
from bot.domain.policy import Role
from bot.engine.bot import Bot
from bot.errors import RefusedError
from bot.ports import AuditFilter
from bot.views import audit_file

_ROWS = 10
"""Where nobody says how many; what is more than that becomes a file."""
_MOST = 500
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{6,20})")
_ID = re.compile(r"[0-9a-f]{16}")


async def audit(bot: Bot, command: Mapping[str, Any], respond: Any, _client: Any) -> None:
    """The rows that were asked for, seen by nobody else; a long list as a file in the audit channel."""
    await bot.proposals.allow(command["user_id"], Role.GUARDIAN, "read the audit log")
    words = str(command.get("text", "")).split()[1:]
    wanted, limit = await _wanted(bot, words, command["channel_id"])
    rows = await bot.store.newest_audit(limit, wanted)
    lines = tuple(AuditLine(row.seq, row.at, row.actor, row.what, row.subject, row.detail) for row in rows)
    card = AuditCard(lines, " ".join(words) or "everybody's")
    if len(lines) > _ROWS:
        card = replace(await _filed(bot, card, command["trigger_id"]), lines=lines[:_ROWS])
    message = bot.render(card)
    await respond(text=message.text, blocks=message.blocks, response_type="ephemeral")


async def _filed(bot: Bot, card: AuditCard, trigger_id: str) -> AuditCard:
    """The rows as a file where the audit log's readers are: Slack shows nobody a file in private."""
    channel = bot.settings.audit_channel
    if not channel:
        return replace(card, filed=f"Without MUSD_AUDIT_CHANNEL there is no place for a file: {_ROWS} rows are shown.")
    text, known = audit_file(card)
    name, key = f"audit-{trigger_id[-12:]}.txt", f"audit-file:{trigger_id}"
    await bot.chat.upload(channel, name, text, key=key, known=known)
    return replace(card, filed=f"All {len(card.lines)} rows are in the file {name} in #{channel}.")


async def _wanted(bot: Bot, words: list[str], channel: str) -> tuple[AuditFilter, int]:
    """Which rows, and how many.

    Raises:
        RefusedError: a word that says neither.
    """
    wanted, limit = AuditFilter(), _ROWS
    for word in words:
        if mention := _MENTION.fullmatch(word):
            wanted = replace(wanted, actor=mention[1] or mention[2])
        elif word == "here":
            wanted = replace(wanted, subjects=await _about_channel(bot, channel))
        elif _ID.fullmatch(word):
            wanted = replace(wanted, subjects=await _about(bot, word))
        elif word.isdecimal() and 1 <= int(word[:9]) <= _MOST:
            limit = int(word)
        else:
            raise RefusedError(
                f"{word[:40]!r} is no person, no id of a proposal or incident, and no number of rows up to {_MOST}.",
                means="Nothing was read.",
                next_step="`/musd audit @person 50`, or `/musd audit here` in an incident's channel.",
            )
    return wanted, limit


async def _about_channel(bot: Bot, channel: str) -> tuple[str, ...]:
    """What was typed in a channel, and all about the incident whose channel it is."""
    incident = await bot.store.incident_in(channel)
    return await _about(bot, incident.id) if incident else (channel,)


async def _about(bot: Bot, subject: str) -> tuple[str, ...]:
    """A proposal is one subject; an incident is itself, its proposals, and its channel."""
    incident = await bot.store.incident(subject)
    if incident is None:
        return (subject,)
    proposals = [one.proposal.id for one in await bot.store.incident_proposals(incident.id)]
    return (incident.id, *proposals, *([incident.channel] if incident.channel else []))
