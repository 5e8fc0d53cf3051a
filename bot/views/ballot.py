"""The votes of Canton's guardians, as they come."""

from collections.abc import Sequence

from bot.domain.cards import BallotCard, Guardian
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe


def ballot(card: BallotCard, safe: Safe) -> Message:
    """Where it stands, who has voted, who is missing, and how long there is."""
    title, headline = safe.line(card.title, 200), safe.line(card.headline, 300)
    tally = f"{len(card.approved)} of {card.required}" if card.required else ""
    blocks: list[Block] = [kit.section(f"*{title}*\n{kit.MARKS[card.state]} *{headline}*")]
    if card.required:
        rows = [f"*Votes on Canton:* {tally}"]
        rows += _row("🟢 approved", card.approved, safe) + _row("🔴 rejected", card.rejected, safe)
        rows += _row("⏳ not yet voted", card.missing, safe)
        blocks.append(kit.section("\n".join(rows)))
    if lines := "\n".join(f"• {safe.line(line, 500)}" for line in card.lines[:12]):
        blocks.append(kit.section(lines))
    blocks += kit.offers(card.buttons)
    blocks.append(kit.context("Guardians vote on the ledger itself; a vote in Slack is no vote there."))
    return kit.message(" · ".join(part for part in (title, headline, tally) if part), blocks)


def _row(word: str, guardians: Sequence[Guardian], safe: Safe) -> list[str]:
    """Canton's name of each, and the person behind it where that is known."""
    if not guardians:
        return []
    told = (f"{safe.code(one.party, 60)}{f' <@{one.person}>' if one.person else ''}" for one in guardians)
    return [f"{word}: {', '.join(told)}"]
