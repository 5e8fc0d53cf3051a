"""Lines that fill in: the part that a diagnosis and a status have in common."""

from collections import Counter
from collections.abc import Sequence

from bot.domain.cards import Line
from bot.domain.probe import State
from bot.views import kit
from bot.views.kit import Block
from bot.views.safe import Safe

_LINES_A_SECTION = 6
_MOST_LINES = 60
_MOST_EVIDENCE = 4
_EVIDENCE = 1400
_MOST_COMMANDS = 9


def lines(given: Sequence[Line], safe: Safe) -> list[Block]:
    """Each line with its state in words, those still waiting with ⏳; several to a section, to read as a list."""
    texts = [_line(one, safe) for one in given[:_MOST_LINES]]
    starts = range(0, len(texts), _LINES_A_SECTION)
    blocks = [kit.section("\n".join(texts[start : start + _LINES_A_SECTION])) for start in starts]
    left = len(given) - len(texts)
    return [*blocks, kit.context(f"✂ {left} more lines left out.")] if left > 0 else blocks


def _line(line: Line, safe: Safe) -> str:
    title = safe.line(line.title, 100)
    if line.finding is None:
        return f"{kit.WAITING} asking… · *{title}*"
    state, said = line.finding.state, safe.line(line.finding.summary, 300, mentions=line.finding.people)
    return f"{kit.MARKS[state]} *{state}* · *{title}*: {said}"


def tally(given: Sequence[Line]) -> str:
    """How it stands in one line: what is wrong first."""
    counts = Counter(line.finding.state if line.finding else None for line in given)
    waiting = [f"{kit.WAITING} {counts[None]} of {len(given)} still asking…"] if counts[None] else []
    said = [
        f"{kit.MARKS[state]} {counts[state]} {state}" for state in (State.BAD, State.UNKNOWN, State.OK) if counts[state]
    ]
    return " · ".join(waiting + said) or "⚪ nothing was asked"


def evidence(given: Sequence[Line], safe: Safe, hashes: frozenset[str] = frozenset()) -> list[Block]:
    """The raw words behind what is BAD or UNKNOWN, the wrong ones first; of a log its end."""
    found = [line.finding for line in given if line.finding and line.finding.evidence and not line.finding.ok]
    found.sort(key=lambda finding: finding.state is not State.BAD)
    blocks: list[Block] = []
    for finding in found[:_MOST_EVIDENCE]:
        body = safe.block(finding.evidence, _EVIDENCE, tail=True, known=hashes)
        if body:
            blocks.append(kit.section(f"*Evidence: {safe.line(finding.title, 100)}*\n{body}"))
    left = len(found) - _MOST_EVIDENCE
    return [*blocks, kit.context(f"✂ The evidence of {left} more is left out.")] if left > 0 else blocks


def commands(given: Sequence[Line], safe: Safe) -> list[Block]:
    """The same questions as commands, small: those of what is not OK, or else of everything."""
    answered = [line.finding for line in given if line.finding and line.finding.command]
    chosen = [finding for finding in answered if not finding.ok] or answered
    unique = list(dict.fromkeys(finding.command for finding in chosen))
    shown = [code for command in unique[:_MOST_COMMANDS] if (code := safe.code(command, 300))]
    return [kit.context("Run this yourself:", *shown)] if shown else []
