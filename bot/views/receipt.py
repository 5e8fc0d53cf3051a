"""What an execution did."""

import re
from collections.abc import Mapping
from typing import Any

from bot.domain.action import Outcome, Receipt, StepResult
from bot.domain.cards import ReceiptCard
from bot.views import kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe

_MARKS = {
    Outcome.DONE: "🟢",
    Outcome.SKIPPED: "🟢",
    Outcome.HANDED: "🤝",
    Outcome.FAILED: "🔴",
    Outcome.NOT_BEGUN: "⏸️",
    Outcome.UNKNOWN: "⚪",
}
_HASH = re.compile(r"0x[0-9a-f]{64}")
_HASHES = frozenset({"transaction", "hash", "block_hash", "tx"})
"""Keys of evidence under which the bot itself puts hashes; under no other does such a value pass the redaction."""


def receipt(card: ReceiptCard, safe: Safe) -> Message:
    """Step by step with the evidence; the headline says at once whether everything is as it was meant to be."""
    headline = _headline(card.receipt)
    title = safe.line(card.title, 250)
    blocks: list[Block] = [kit.header(f"Receipt: {safe.plain(card.title, 130)}"), kit.section(f"*{headline}*")]
    blocks += [kit.section(_step(place, step, safe)) for place, step in enumerate(card.receipt.steps, 1)]
    if advice := _next(card.receipt, safe):
        blocks.append(kit.section(f"*Next:* {advice}"))
    if notes := "\n".join(f"• {safe.line(text, 500)}" for text in card.receipt.notes[:12]):
        blocks.append(kit.section(notes))
    blocks += kit.offers(card.buttons)
    by = f"Approved by {kit.people(card.approved_by)} · " if card.approved_by else ""
    blocks.append(kit.context(f"{by}finished {kit.when(card.receipt.finished_at)}"))
    return kit.message(f"{headline}: {title}", blocks)


def _headline(done: Receipt) -> str:
    if done.complete:
        return "🟢 COMPLETE: every step is as it was meant to be"
    failed = sum(step.outcome is Outcome.FAILED for step in done.steps)
    left = sum(step.outcome is Outcome.NOT_BEGUN for step in done.steps)
    handed = sum(step.outcome is Outcome.HANDED for step in done.steps)
    unknown = sum(step.outcome is Outcome.UNKNOWN for step in done.steps)
    parts = [f"{kit.one_of(failed, 'step')} FAILED"] if failed else []
    parts += [f"{kit.one_of(left, 'step')} NOT BEGUN"] if left else []
    parts += [f"{kit.one_of(handed, 'step')} HANDED OVER"] if handed else []
    parts += [f"{kit.one_of(unknown, 'step')} with OUTCOME UNKNOWN"] if unknown else []
    return f"{'🔴' if failed else '⚪'} NOT COMPLETE: {' and '.join(parts)}"


def _step(place: int, step: StepResult, safe: Safe) -> str:
    known = _known(step.evidence)
    head = f"{_MARKS[step.outcome]} *{place}. {safe.line(step.name, 100)}: {step.outcome.upper()}*"
    said = f" · {safe.line(step.text, 500, known)}" if step.text else ""
    rows = [(name, _value(value)) for name, value in step.evidence.items()]
    evidence = safe.block(kit.table(rows), 900, known=known)
    return f"{head}{said}\n{evidence}" if evidence else f"{head}{said}"


def _known(evidence: Mapping[str, Any]) -> frozenset[str]:
    values = (evidence.get(name) for name in _HASHES)
    return frozenset(value for value in values if isinstance(value, str) and _HASH.fullmatch(value))


def _value(value: Any) -> str:
    words = {True: "yes", False: "no", None: "no answer"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _next(done: Receipt, safe: Safe) -> str:
    unknown = [safe.line(step.name, 60) for step in done.steps if step.outcome is Outcome.UNKNOWN]
    open_still = {Outcome.FAILED, Outcome.NOT_BEGUN}
    failed = [safe.line(step.name, 60) for step in done.steps if step.outcome in open_still]
    handed = [safe.line(step.name, 60) for step in done.steps if step.outcome is Outcome.HANDED]
    parts = []
    if handed:
        parts.append(f"{', '.join(handed)}: somebody with the key sends it; the files below have it ready to send.")
    if failed:
        parts.append(f"{', '.join(failed)}: not done. Mend the reason above and propose it again, or do it by hand.")
    if unknown:
        parts.append(f"{', '.join(unknown)}: sent, its end not seen. Look before you act; it may still take effect.")
    return " ".join(parts)
