"""One page of an incident's timeline."""

from bot.domain.cards import TimelineCard
from bot.domain.incident import TimelineEntry
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe, mentioned


def timeline(card: TimelineCard, safe: Safe) -> Message:
    """Lines by the time of the event, and the way to the other pages."""
    head = f"Timeline of {safe.line(card.incident.title, 150)}, page {card.page} of {card.pages}"
    blocks: list[Block] = [kit.section(f"*{head}*")]
    blocks += [kit.section(_line(entry, safe)) for entry in card.entries]
    if not card.entries:
        blocks.append(kit.section("Nothing has happened yet. `/musd note …` writes the first entry."))
    buttons = [
        kit.button(label, f"timeline:page:{page}", f"{card.incident.id} {page}")
        for label, page in (("Earlier", card.page - 1), ("Later", card.page + 1))
        if 1 <= page <= card.pages
    ]
    return kit.message(head, blocks + kit.actions(*buttons))


def _line(entry: TimelineEntry, safe: Safe) -> str:
    who = "bot" if entry.actor == "bot" else kit.people([entry.actor])
    text = safe.own(entry.text, 600, mentions=mentioned(entry.text))
    link = str(entry.evidence.get("permalink") or "")
    return f"{kit.when(entry.at)} · {who}: {text}" + (f" (<{link}|message>)" if _is_link(link) else "")


def _is_link(link: str) -> bool:
    return link.startswith(("https://", "http://")) and not set(link) & set("|<> ")
