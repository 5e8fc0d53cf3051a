"""`/musd oncall`."""

from bot.domain.cards import OnCallCard, OnCallRow
from bot.domain.oncall import Shift
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe

SETUP = "*Setup required:* configure on-call rotations in PagerDuty, and this table in the settings MUSD_ONCALL_…"
"""What the runbooks themselves say while the table is not configured (On-Call Contacts)."""


def oncall(card: OnCallCard, safe: Safe) -> Message:
    """Role by role: who is on call, until when, who is next, and where their channel is."""
    blocks: list[Block] = [kit.header("On call now")]
    blocks += [kit.section(row(one, safe)) for one in card.rows]
    if any(one.setup for one in card.rows):
        blocks.append(kit.section(f"⚪ {SETUP}"))
    blocks.append(kit.context("`/musd page <role> <text>` wakes whoever is on call for a role."))
    said = "; ".join(f"{one.role.label}: {_names(one, safe)}" for one in card.rows)
    return kit.message(f"On call now: {said}", blocks)


def row(one: OnCallRow, safe: Safe) -> str:
    """One role, in a few lines."""
    where = " · ".join(
        part
        for part in (
            f"`{one.role}`",
            f"policy {safe.code(one.contact.policy, 80)}" if one.contact.policy else "",
            safe.line(f"#{one.contact.channel}", 80) if one.contact.channel else "",
        )
        if part
    )
    lines = [f"*{one.role.label}* · {where}"]
    if one.problem:
        return "\n".join([*lines, f"⚪ UNKNOWN: {safe.line(one.problem, 300)}"])
    lines += [f"• level {shift.level}: {_person(shift, who, safe)}, {_until(shift)}" for shift, who in one.present[:8]]
    if not one.present:
        lines.append("🔴 BAD: nobody is on call")
    if one.following is not None:
        shift, who = one.following
        since = f" from {kit.when(shift.since)}" if shift.since else ""
        lines.append(f"• next: {_person(shift, who, safe)}{since}")
    return "\n".join(lines)


def _person(shift: Shift, who: str, safe: Safe) -> str:
    name = safe.line(shift.name, 60)
    return f"{kit.people([who])} ({name})" if who else name


def _until(shift: Shift) -> str:
    return f"until {kit.when(shift.until)}" if shift.until else "always"


def _names(one: OnCallRow, safe: Safe) -> str:
    first = [shift for shift, _ in one.present if shift.level == 1]
    return ", ".join(safe.line(shift.name, 60) for shift in first) or "unknown"
