"""A service's log in a message."""

from bot.domain.cards import LogCard
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe

_BLOCK = 2800


def logs(card: LogCard, safe: Safe) -> Message:
    """Errors first, then the last lines; where there are more, the file below has them all."""
    mark = "🔴" if card.error_count else "🟢"
    said = f"{card.error_count} of {card.count} lines are errors" if card.count else "the log is empty"
    head = f"{mark} Log of {safe.line(card.service, 80)}: {said}"
    blocks: list[Block] = [kit.section(f"*{head}* ({safe.line(card.asked, 80)})")]
    if errors := safe.block("\n".join(card.errors), _BLOCK, tail=True):
        blocks.append(kit.section(f"*Errors*\n{errors}"))
    if tail := safe.block("\n".join(card.tail), _BLOCK, tail=True):
        blocks.append(kit.section(f"*The last lines*\n{tail}"))
    if card.filed:
        blocks.append(kit.context("All of it, errors first, is in the file of this thread."))
    return kit.message(head, blocks)
