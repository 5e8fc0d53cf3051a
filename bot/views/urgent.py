"""A deadline that passed: loud, with the people it needs and the way to act."""

from bot.domain.cards import UrgentCard
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe


def urgent(card: UrgentCard, safe: Safe) -> Message:
    """Headline, who is needed, what to decide, why nothing cleared it, the buttons."""
    blocks: list[Block] = [kit.header(f"🚨 {safe.plain(card.title, 130)}")]
    called = kit.people(card.people)
    text = safe.own(card.text, 2000, mentions=card.people)
    blocks.append(kit.section(f"{called}\n{text}" if called else text))
    if quote := safe.quoted(card.quote, 1500):
        blocks.append(kit.section(quote))
    blocks += kit.offers(card.buttons)
    return kit.message(f"🚨 {safe.line(card.title, 150)} {called} {safe.own(card.text, 300)}", blocks)
