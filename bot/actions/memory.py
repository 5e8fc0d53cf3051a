"""Memory limits as Kubernetes writes them: ``512Mi``, ``2Gi``, ``1500M``."""

import re

from bot.errors import RefusedError

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")
_STEP = 64
"""MiB to which a limit of ours is rounded up."""
_MIB = 2**20


def parsed(text: str) -> int | None:
    """Bytes; None for what is no amount of memory."""
    found = _QUANTITY.fullmatch(text.strip())
    if found is None or found[2] not in _UNITS:
        return None
    return int(float(found[1]) * _UNITS[found[2]])


def raised(present: str, wanted: str = "") -> str:
    """The new limit: the one that is wanted, or half as much again as there is.

    Raises:
        RefusedError: there is no limit to raise, or the one wanted is no higher.
    """
    before = parsed(present) if present else None
    if before is None:
        raise RefusedError(
            f"It has no memory limit that could be raised ({present or 'none set'}).",
            means="Nothing was changed: what killed it is the node's own memory.",
            next_step="Look at the node, or set a limit in the deployment.",
        )
    if not wanted:
        return f"{-(-before * 3 // (2 * _MIB * _STEP)) * _STEP}Mi"
    after = parsed(wanted)
    if after is None or after <= before:
        raise RefusedError(
            f"{wanted[:40]!r} is no memory limit above the present {present}.",
            means="Nothing was changed.",
            next_step="Write it as Kubernetes does, such as 768Mi or 2Gi.",
        )
    return wanted.strip()
