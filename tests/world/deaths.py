"""A bot that dies by SIGKILL at chosen boundaries of its workflows, once at each: see bot/engine/rehearsal.py."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.world.practice import Practice, until

EVERYWHERE = bool(os.environ.get("MUSD_SOAK"))
"""In a soak the bot dies at every boundary, not only behind the steps of the plan."""
DYING = 900.0 if EVERYWHERE else 240.0
"""Seconds for what a bot does that dies at each step of it."""


class Deaths:
    """The folder through which a drill's bot is told where to die."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self.setting = f"MUSD_REHEARSE_KILL={folder}"
        """To be given to the drill."""

    @contextlib.contextmanager
    def at(self, boundaries: str, practice: Practice) -> Iterator[None]:
        """Die at every boundary that matches and is passed meanwhile; every one of those has to have been a death."""
        (self._folder / "passed").unlink(missing_ok=True)
        (self._folder / "every").write_text(boundaries)
        before = died(practice)
        yield
        (self._folder / "every").unlink()
        passed = set((self._folder / "passed").read_text().splitlines())
        wanted = [name for name in passed if re.search(boundaries, name)]
        assert wanted
        until(lambda: died(practice) >= before + len(wanted))
        until(practice.is_up)


def died(practice: Practice) -> int:
    """How often, as the drill noticed."""
    return len([line for line in practice.errors if "the bot was killed by signal 9" in line])
