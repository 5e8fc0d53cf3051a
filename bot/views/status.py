"""`/musd status` and the boards like it."""

from bot.domain.cards import StatusCard
from bot.views import findings, ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe


def status(card: StatusCard, safe: Safe) -> Message:
    """Every line, as it fills in; once it has, a button asks again."""
    tally = findings.tally(card.lines)
    blocks: list[Block] = [kit.header(card.title), kit.section(f"*{tally}*")]
    if card.runbooks:
        each = (f"{kit.MARKS[state]} {safe.line(title, 80)}: {state}" for title, state in card.runbooks)
        blocks.append(kit.section("*By runbook*\n" + "\n".join(each)))
    blocks += findings.lines(card.lines, safe)
    if card.done:
        blocks += findings.evidence(card.lines, safe)
        blocks += findings.commands(card.lines, safe)
    blocks.append(kit.context(f"Asked {kit.when(card.at)}"))
    if card.done:
        blocks += kit.actions(kit.button("Ask again", ids.STATUS_AGAIN, card.board))
    return kit.message(f"{card.title}: {tally}", blocks)
