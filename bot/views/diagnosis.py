"""A diagnosis as it fills in, and the Verdict that closes it."""

from bot.domain.cards import DiagnosisCard
from bot.domain.probe import State
from bot.domain.runbook import Verdict
from bot.views import findings, ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe


def diagnosis(card: DiagnosisCard, safe: Safe) -> Message:
    """Lines, then the Verdict with what to do, then the evidence, then the commands behind the lines."""
    title = safe.line(card.title, 200)
    blocks: list[Block] = [kit.section(f"*{title}*\n{findings.tally(card.lines)}")]
    blocks += findings.lines(card.lines, safe)
    if card.verdict is None:
        return kit.message(f"{title}. {findings.tally(card.lines)}", blocks + kit.offers(card.buttons))
    blocks += [{"type": "divider"}, kit.section(_verdict(card.verdict, safe, card.hashes))]
    blocks += [kit.context(safe.own(card.note, 300))] if card.note else []
    blocks += kit.offers(card.buttons)
    if card.propose and card.incident_id:
        label = f"Make it {card.propose.upper()}, as proposed"
        blocks += kit.actions(kit.button(label, ids.severity(card.propose), card.incident_id))
    if card.verdict.judge and card.incident_id:
        blocks += kit.actions(kit.button("Write down your judgement…", ids.JUDGE, card.runbook))
    if card.runbook:
        blocks += kit.actions(kit.button("Run again", ids.DIAGNOSE_AGAIN, card.runbook))
    blocks += findings.evidence(card.lines, safe, card.hashes)
    blocks += findings.commands(card.lines, safe)
    return kit.message(f"{title}. {_headline(card.verdict, safe)}", blocks)


def _headline(verdict: Verdict, safe: Safe) -> str:
    title = safe.line(verdict.title, 200)
    if verdict.state is State.BAD and verdict.step:
        return f"{kit.MARKS[verdict.state]} Resolution step {safe.line(verdict.step, 10)} applies: {title}"
    return f"{kit.MARKS[verdict.state]} {verdict.state}: {title}"


def _verdict(verdict: Verdict, safe: Safe, hashes: frozenset[str]) -> str:
    parts = [
        f"*{_headline(verdict, safe)}*",
        f"*Why:* {safe.line(verdict.why, 1200, hashes)}" if verdict.why else "",
        f"*Do now:* {safe.own(verdict.do, 1200)}" if verdict.do else "",
        f"*Severity proposed:* {kit.SEVERITIES[verdict.severity]}" if verdict.severity else "",
    ]
    return "\n".join(part for part in parts if part)
