"""`musd-bot audit`: whether the audit log is what was written, and the log itself for whoever keeps it elsewhere."""

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence

from bot import logs, settings
from bot.errors import MalformedError
from bot.ports import AuditEntry
from bot.terminal import printing
from bot.views import own_hashes

_HEX = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which of the two."""
    ways = parser.add_subparsers(dest="way", required=True)
    verify = ways.add_parser("verify", help="walk the chain; 1 where a row was changed, removed or moved, and which")
    verify.add_argument(
        "--head", default="", help="a head that was noted elsewhere, as NUMBER:HASH: finds a cut-off tail"
    )
    ways.add_parser("export", help="every row as one line of JSON")


def main(arguments: argparse.Namespace) -> int:
    """Verify or export; 0 where the chain holds, 1 where not.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        MalformedError: the head is not NUMBER:HASH.
        RefusedError: there is no database there, or it is of another version.
    """
    from bot.wiring import asking  # noqa: PLC0415 - SQLAlchemy takes a moment to import

    logs.configure()
    found = settings.read()
    if arguments.way == "export":
        links = asyncio.run(asking.audit_log(found))
        rows = (json.dumps(link.model_dump(mode="json"), sort_keys=True) for link in links)
        printing.say(found, rows, frozenset(_hashes(links)))
        return 0
    wrong, head = asyncio.run(asking.audit_chain(found, _head(arguments.head)))
    print("\n".join(_said(wrong, head)))  # noqa: T201 - a head is a hash: redacting it would eat it
    return printing.WRONG if wrong else 0


def _said(wrong: list[str], head: str) -> Iterator[str]:
    if wrong:
        yield f"BAD     The audit log was tampered with: {len(wrong)} places."
        yield from (f"        {one}" for one in wrong)
    else:
        yield "OK      The audit log is what was written, from its first row to its last."
    yield f"Head    {head or 'the log is empty'}"
    yield "Note the head elsewhere, and give it to --head next time: only that finds a tail that was cut off."


def _hashes(links: Sequence[AuditEntry]) -> Iterator[str]:
    """What chains the rows: without it nobody who keeps them elsewhere could compare them with a head."""
    for link in links:
        yield from (link.hash, link.prev_hash, *own_hashes(link.what, link.detail))


def _head(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != _HEX:
        raise MalformedError(
            f"{text[:80]!r} is no head.",
            means="Nothing was verified.",
            next_step="Write it as NUMBER:HASH, as verify says it.",
        )
    return int(number), digest
