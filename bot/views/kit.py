"""Block Kit's pieces, and a message made of them that keeps Slack's limits.

Every mrkdwn object is `verbatim`: Slack then makes no links of bare URLs, e-mail addresses or channel names by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.cards import Button
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.views import ids
from bot.views.safe import cut

Block = dict[str, Any]

_MOST_BLOCKS = 50
_MOST_TEXT = 12_000
"""Of all blocks together: Slack refuses somewhat above it (msg_blocks_too_long)."""
_FALLBACK = 600
_LABEL = 75
_SECTION = 3000
_ROOM_FOR_NOTE = 120

MARKS = {State.OK: "🟢", State.BAD: "🔴", State.UNKNOWN: "⚪"}
"""The colour beside the word, never instead of it."""
WAITING = "⏳"
SEVERITIES = {
    Severity.CRITICAL: "🔴 CRITICAL",
    Severity.HIGH: "🟠 HIGH",
    Severity.MEDIUM: "🟡 MEDIUM",
    Severity.WARNING: "🟡 WARNING",
    Severity.INFO: "🔵 INFO",
}


@dataclass(frozen=True)
class Message:
    """What `chat.postMessage` takes: the blocks, and a text for notifications and screen readers."""

    text: str
    blocks: list[Block]


def message(text: str, blocks: Sequence[Block]) -> Message:
    """A message within Slack's limits. What is too much is left out from the end, buttons never, and that is said."""
    return Message(text if len(text) <= _FALLBACK else cut_escaped(text, _FALLBACK), _fitting(blocks))


def _fitting(blocks: Sequence[Block]) -> list[Block]:
    rows = [block for block in blocks if block["type"] == "actions"]
    if len(blocks) <= _MOST_BLOCKS and sum(map(weight, blocks)) <= _MOST_TEXT:
        return list(blocks)
    room = _MOST_TEXT - sum(map(weight, rows)) - _ROOM_FOR_NOTE
    places = _MOST_BLOCKS - len(rows) - 1
    kept: list[Block] = []
    texts = [block for block in blocks if block["type"] != "actions"]
    for block in texts:
        room -= weight(block)
        if room < 0 or len(kept) == places:
            break
        kept.append(block)
    left = len(texts) - len(kept)
    return [*kept, context(f"✂ {left} more part{'s' if left > 1 else ''} left out: too long for one message."), *rows]


def weight(block: Any) -> int:
    """The characters of text in a block, wherever they stand in it."""
    if isinstance(block, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else weight(v) for k, v in block.items())
    return sum(map(weight, block)) if isinstance(block, list | tuple) else 0


def cut_escaped(text: str, limit: int) -> str:
    """Cut mrkdwn of ours at a word, never inside an escape or a mention."""
    kept = text[: limit - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        if kept.rfind(opening) > kept.rfind(closing):
            kept = kept[: kept.rfind(opening)]
    return kept.rstrip() + "…"


def mrkdwn(text: str) -> Block:
    """A text object in Slack's markup. What came from outside in it has been through `Safe`."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str) -> Block:
    """A text object without markup."""
    return {"type": "plain_text", "text": text, "emoji": True}


def header(text: str) -> Block:
    """The headline."""
    return {"type": "header", "text": plain(text)}


def section(text: str) -> Block:
    """A paragraph, cut where it passes Slack's limit."""
    return {"type": "section", "text": mrkdwn(text if len(text) <= _SECTION else cut_escaped(text, _SECTION))}


def context(*texts: str) -> Block:
    """Small print; ten texts at most."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts]}


def actions(*buttons: Block) -> list[Block]:
    """A row of buttons; nothing if there are none."""
    return [{"type": "actions", "elements": list(buttons)}] if buttons else []


def button(label: str, action_id: str, value: str, *, style: str = "", confirm: Block | None = None) -> Block:
    """A button. `style` is ``primary``, ``danger`` or nothing; `confirm` is a dialog that asks first."""
    made: Block = {"type": "button", "text": plain(cut(label, _LABEL)), "action_id": action_id, "value": value}
    return made | ({"style": style} if style else {}) | ({"confirm": confirm} if confirm else {})


def offers(buttons: Sequence[Button]) -> list[Block]:
    """The offers as a row of buttons, those that stop something first.

    Raises:
        ValueError: a label reads like a vote. Only votes may, so that nobody confirms what they meant to look at.
    """
    for one in buttons:
        if one.label.lower().startswith(("confirm", "approve")):
            raise ValueError(f"the offer's label {one.label!r} reads like a vote")
    ordered = sorted(buttons, key=lambda one: not one.danger)
    return actions(
        *(
            button(one.label, ids.offer_press(place), one.offer_id, style="danger" if one.danger else "")
            for place, one in enumerate(ordered)
        )
    )


def when(at: datetime) -> str:
    """A moment in each reader's own time zone, and in UTC where that isn't known."""
    utc = at.astimezone(UTC)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{utc:%Y-%m-%d %H:%M:%S} UTC>"


def people(persons: Sequence[str]) -> str:
    """Mentions of Slack user ids, which are ours and not from outside."""
    return ", ".join(f"<@{one}>" for one in persons)


def one_of(count: int, word: str) -> str:
    """``1 guardian``, ``2 guardians``."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def table(values: Sequence[tuple[str, str]]) -> str:
    """Names and values below each other, for a code block."""
    return "\n".join(f"{name} = {value}" for name, value in values)
