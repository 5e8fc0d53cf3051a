"""The most memory that a drill's bot ever had, over all its lives."""

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

_EVERY = 0.05
_MOST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Memory:
    """Looks at the process that leads on the database in this folder, which is the bot however it was started."""

    def __init__(self, folder: Path) -> None:
        self.mib = 0
        """The high-water mark of resident memory."""
        self._lock = f"{folder / 'bot' / 'musd-bot.db'}.leader"
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self) -> Iterator["Memory"]:
        """A block during which it looks."""
        looking = threading.Thread(target=self._watch)
        looking.start()
        try:
            yield self
        finally:
            self._over.set()
            looking.join()

    def _watch(self) -> None:
        bot: Path | None = None
        while not self._over.wait(_EVERY):
            bot = bot or self._bot()
            try:
                found = _MOST.search((bot / "status").read_text()) if bot else None
            except OSError:
                found = None
            if found is None:  # it has died, or was not there yet
                bot = None
            else:
                self.mib = max(self.mib, int(found[1]) // 1024)

    def _bot(self) -> Path | None:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if any(str(file.readlink()) == self._lock for file in (process / "fd").iterdir()):
                    return process
        return None
