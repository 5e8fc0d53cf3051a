"""Whether the audit log is what was written: its chain walked from the first row on, and held against a known head."""

from collections.abc import Iterable

from bot.adapters.store.record import FIRST_PREV_HASH, AuditLink


def broken(links: Iterable[AuditLink], known: tuple[int, str] | None = None) -> list[str]:
    """What is wrong with the chain, each by its row's number; empty where nothing is.

    Args:
        links: every row, in the order of their numbers.
        known: number and hash of a row as it was noted elsewhere, which finds a tail that was cut off.
    """
    found: list[str] = []
    expected, before, seen = 1, FIRST_PREV_HASH, dict[int, str]()
    for link in links:
        if link.seq != expected:
            found.append(f"row {expected} is missing: row {link.seq} comes where it should be")
        elif link.prev_hash != before:
            found.append(f"row {link.seq} does not follow the row before it: one of the two was changed or moved")
        if link.hash != link.computed():
            found.append(f"row {link.seq} was changed: its hash is not the one of what it says")
        expected, before, seen[link.seq] = link.seq + 1, link.hash, link.hash
    if known is not None and seen.get(known[0]) != known[1]:
        why = "is not there any more" if known[0] not in seen else "has another hash than was noted"
        found.append(f"row {known[0]} {why}: the log was cut off or written anew")
    return found
