"""The most memory that a drill's bot ever had, over all its lives."""

import contextlib
import re
from pathlib import Path

from tests.world.watching import Watching

_MOST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Memory(Watching):
    """Looks at the process that leads on the database in this folder, which is the bot however it was started."""

    every = 0.05

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.mib = 0
        """The high-water mark of resident memory."""
        self._lock = f"{folder / 'bot' / 'musd-bot.db'}.leader"
        self._process: Path | None = None

    def look(self) -> None:
        """At the bot, or for it."""
        self._process = self._process or self._bot()
        try:
            found = _MOST.search((self._process / "status").read_text()) if self._process else None
        except OSError:
            found = None
        if found is None:  # it has died, or was not there yet
            self._process = None
        else:
            self.mib = max(self.mib, int(found[1]) // 1024)

    def _bot(self) -> Path | None:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if any(str(file.readlink()) == self._lock for file in (process / "fd").iterdir()):
                    return process
        return None
