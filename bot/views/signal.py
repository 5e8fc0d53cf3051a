"""A warning in the alerts channel."""

from bot.domain.cards import SignalCard
from bot.domain.signal import Severity, SignalStatus
from bot.views import ids, kit
from bot.views.incident import deadline_line
from bot.views.kit import Block, Message
from bot.views.safe import Safe

_LABELS = 2000


def signal(card: SignalCard, safe: Safe) -> Message:
    """The alert in its own words, with its labels, and the way to make it an incident."""
    one = card.signal
    over = one.status is SignalStatus.RESOLVED
    mark = "🟢 RESOLVED" if over else kit.SEVERITIES[one.severity or Severity.WARNING]
    headline = f"{mark} · *{safe.line(one.name, 200)}*"
    blocks: list[Block] = [kit.section("\n".join(part for part in (headline, safe.quoted(one.summary, 1000)) if part))]
    if labels := safe.block(kit.table(sorted(one.labels.items())), _LABELS):
        blocks.append(kit.section(labels))
    unlabelled = "" if one.severity else " · no severity label that is known, so taken as a warning"
    blocks.append(kit.context(f"Began {kit.when(one.starts_at)}{unlabelled}"))
    if card.deadline is not None:
        blocks.append(kit.section(deadline_line(card.deadline, safe)))
    blocks += kit.actions(*(kit.button(one.label, ids.SIGNAL_OPEN, one.offer_id) for one in card.buttons))
    return kit.message(f"{mark}: {safe.line(one.name, 200)}. {safe.line(one.summary, 300)}", blocks)
