"""How lines with Findings look in a terminal: a table for people, JSON for pipelines, secrets taken out of both."""

import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Any

from bot.domain.cards import Line
from bot.settings import Settings
from bot.views.redact import Redactor

WRONG = 1
"""The exit code where a line is not OK."""
_PIECE = 20_000
"""Characters."""


Telling = Callable[[str], Awaitable[None]]
"""Says how far something is."""


def say(settings: Settings, lines: Iterator[str], known: Collection[str] = ()) -> None:
    """Print, with whatever looks like a secret redacted but for `known`, which are hashes of our own."""
    from bot.wiring.adapters import secrets  # noqa: PLC0415 - web3 and friends take a second to import

    redactor = Redactor.of(secrets(settings))
    for piece in _pieces(lines):
        print(redactor.redact(piece, known))  # noqa: T201 - a command line's answer


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """Lines together, since a secret may have several, yet no more of them than a redactor keeps."""
    piece = ""
    for line in lines:
        if piece and len(piece) + len(line) > _PIECE:
            yield piece
            piece = line
        else:
            piece = f"{piece}\n{line}" if piece else line
    yield piece


def code(lines: Sequence[Line]) -> int:
    """0 where every line is OK."""
    return 0 if all(line.finding and line.finding.ok for line in lines) else WRONG


def table(lines: Sequence[Line]) -> Iterator[str]:
    """A line each: the state in words, the title, what was found, and the mend where there is one."""
    width = max((len(line.title) for line in lines), default=0)
    for line in lines:
        if line.finding is None:
            continue
        yield f"{line.finding.state:8}{line.title:{width}}  {line.finding.summary}"
        if not line.finding.ok and line.finding.facts.get("mend"):
            yield f"{'':8}{'':{width}}  → {line.finding.facts['mend']}"
    wrong = sum(1 for line in lines if not (line.finding and line.finding.ok))
    yield ""
    yield "All is OK." if not wrong else f"{wrong} of {len(lines)} are not OK."


def objects(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The same for pipelines."""
    return [
        {
            "check": line.finding.probe,
            "title": line.title,
            "state": line.finding.state,
            "summary": line.finding.summary,
            "mend": line.finding.facts.get("mend", ""),
            "seconds": round(line.finding.seconds, 3),
        }
        for line in lines
        if line.finding is not None
    ]


def as_json(value: Any) -> Iterator[str]:
    """Indented JSON."""
    yield json.dumps(value, indent=2, default=str)
