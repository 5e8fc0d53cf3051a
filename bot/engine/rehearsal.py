"""Rehearsing a sudden death: how the kill tests choose the very moment. Does nothing unless MUSD_REHEARSE_KILL is set.

The variable names a folder. The process passes boundaries such as ``respond.card.done``, and writes each one's name to
the folder's file ``passed``. Where the folder holds a file of that name, it takes that away and kills itself with
SIGKILL, as a kernel or a cloud would; where it holds one called ``every``, it does so at each boundary that nobody has
passed before, or, of those, at the ones that match a regular expression in that file. For tests alone, so it is no
setting.

Boundaries of a workflow: ``W.start`` (the record is there, the workflow is not), ``W.STEP.done`` (the effect happened,
the journal doesn't know) and ``W.STEP.kept`` (the journal knows).
"""

import os
import re
import signal
from pathlib import Path

FOLDER = "MUSD_REHEARSE_KILL"


def boundary(name: str) -> None:
    """Die here if that was asked for."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    passed, planted, every = Path(folder) / "passed", Path(folder) / name, Path(folder) / "every"
    known = passed.exists() and name in passed.read_text().splitlines()
    with passed.open("a") as names:
        names.write(f"{name}\n")
    if planted.exists():
        planted.unlink()
    elif known or not every.exists() or not re.search(every.read_text(), name):
        return
    os.kill(os.getpid(), signal.SIGKILL)
