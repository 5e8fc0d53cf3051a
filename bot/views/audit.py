"""The audit log: its newest rows for whoever may read them, and the head of its chain for everybody who keeps it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.cards import AuditCard, AuditHeadCard, AuditLine
from bot.views import kit
from bot.views.kit import Message
from bot.views.safe import Safe

_HASH = re.compile(r"(?:0x)?[0-9a-f]{64}")
_HASHES = frozenset({"digest", "transaction", "hash", "block_hash", "tx"})
"""Keys under which the bot itself puts hashes, in rows nobody types; under no other does one pass the redaction."""
_OURS = frozenset({"proposal", "vote", "execution", "step", "settled"})
_LEFT_OUT = frozenset({"fingerprints", "salt"})


def audit_head(card: AuditHeadCard, safe: Safe) -> Message:
    """The head as the terminal takes it. It is a hash of ours, and shown whole."""
    del safe
    command = f"`musd-bot audit verify --head {card.head}`"
    return kit.message(
        f"🔗 Audit log: row {card.head.partition(':')[0]}",
        [
            kit.section(f"🔗 *Audit log*, {card.why}: row {card.head.partition(':')[0]}\n{command}"),
            kit.context(f"{kit.when(card.at)} · A log that was cut off or written anew since then fails this check."),
        ],
    )


def audit(card: AuditCard, safe: Safe) -> Message:
    """One row a line, the newest first; redacted, since people type secrets into commands."""
    count = kit.one_of(len(card.lines), "row")
    head = f"Audit log: the newest {count}" if card.lines else "Audit log: no such row"
    blocks = [kit.section(f"*{head}* ({safe.line(card.asked, 200)})")]
    blocks += [kit.section(_row(line, safe)) for line in card.lines]
    if filed := safe.line(card.filed, 300):
        blocks.append(kit.context(filed))
    return kit.message(head, blocks)


def audit_file(card: AuditCard) -> tuple[str, frozenset[str]]:
    """The same rows as the lines of a file, and the hashes in it that are ours."""
    lines = [
        f"{one.seq} {one.at.isoformat(timespec='seconds')} {one.actor} {one.what} {one.subject} {_detail(one.detail)}"
        for one in card.lines
    ]
    return "\n".join(lines) + "\n", frozenset(one for line in card.lines for one in own_hashes(line.what, line.detail))


def own_hashes(what: str, detail: Mapping[str, Any]) -> Iterator[str]:
    """Digests and transaction hashes that the bot itself put into such a row: they look like secrets, and are none."""
    if what in _OURS:
        yield from _hashes(detail)


def _row(line: AuditLine, safe: Safe) -> str:
    who = kit.people([line.actor]) if re.fullmatch("[UW][A-Z0-9]{6,20}", line.actor) else safe.line(line.actor, 60)
    subject = f" · {safe.code(line.subject, 80)}" if line.subject else ""
    detail = safe.code(_detail(line.detail), 500, known=frozenset(own_hashes(line.what, line.detail)))
    return f"{line.seq} · {kit.when(line.at)} · {who} · *{safe.line(line.what, 40)}*{subject}\n{detail}".rstrip()


def _detail(detail: Mapping[str, Any]) -> str:
    shown = {key: value for key, value in detail.items() if key not in _LEFT_OUT}
    return json.dumps(shown, sort_keys=True, ensure_ascii=False, default=str) if shown else ""


def _hashes(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _HASHES and isinstance(inner, str) and _HASH.fullmatch(inner):
                yield inner
            else:
                yield from _hashes(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _hashes(inner)
