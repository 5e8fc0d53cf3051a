"""A thread that looks again and again while a block runs."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Self


class Watching:
    """Looks every so many seconds; what it has seen is its subclass's."""

    every: float
    """Seconds between two looks."""

    def __init__(self) -> None:
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self) -> Iterator[Self]:
        """A block during which it looks."""
        looking = threading.Thread(target=self._watch)
        looking.start()
        try:
            yield self
        finally:
            self._over.set()
            looking.join()

    def _watch(self) -> None:
        while not self._over.wait(self.every):
            self.look()

    def look(self) -> None:
        """Once."""
        raise NotImplementedError
