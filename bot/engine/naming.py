"""What a person means by a short name."""

import difflib
from collections.abc import Sequence

from bot.errors import RefusedError


def meant(word: str, names: Sequence[str]) -> str:
    """The one name that a word stands for: itself, or the only one that contains it (``relay`` is ``musd-relay``).

    Raises:
        RefusedError: none does, or several do; with the likely ones.
    """
    if word in names:
        return word
    found = [name for name in names if word in name]
    if len(found) == 1:
        return found[0]
    near = found or difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    which = f"Did you mean {' or '.join(near)}? " if near else ""
    raise RefusedError(
        f"{word[:40]!r} could be {len(found)} of them." if found else f"There is nothing called {word[:40]!r} here.",
        means="Nothing was done.",
        next_step=f"{which}There are: {', '.join(names)}.",
    )
