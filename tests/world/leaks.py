"""Where a planted secret could turn up, and what every process of this machine began with while one went by."""

import base64
import contextlib
from collections.abc import Collection
from pathlib import Path
from urllib.parse import quote

from tests.world.practice import Practice
from tests.world.watching import Watching

_LOOKS = 5
"""So often a process is read: it begins with its parent's arguments, until it has its own."""


class Beginnings(Watching):
    """Arguments and environment of every process there is, from `watch` on; what a shell or `ps` would show of them."""

    every = 0.02

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, str] = {}
        """Each, and which process had it first."""
        self._looked: dict[str, int] = {}

    def look(self) -> None:
        """At every process, so often as it takes to see what it became."""
        there = [one.name for one in Path("/proc").glob("[0-9]*")]
        self._looked = {name: self._looked.get(name, 0) + 1 for name in there}
        for name in there:
            if self._looked[name] <= _LOOKS:
                self._read(name)

    def _read(self, process: str) -> None:
        for what in ("cmdline", "environ"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                text = Path("/proc", process, what).read_bytes().replace(b"\0", b" ").decode(errors="replace")
                self.seen.setdefault(text, f"{what} of process {process}")


def traces(practice: Practice, values: Collection[str], beginnings: Beginnings) -> list[tuple[str, str]]:
    """Where any of these values is found, in plain or as it travels. Ends the drill, so that everything is on the disk.

    Left out is the cluster's own folder, whose Secrets have to have them.
    """
    assert practice.data is not None
    texts = {f"what was said in {one['name']}": practice.said(one["name"]) for one in practice.channels()}
    # What runs in a pod is one request, and an argument there.
    asked = practice.get("/seen/cluster")
    texts["what was executed in pods"] = "\n".join(one["path"] for one in asked if "/exec" in one["path"])
    practice.stop()
    texts["what the drill complained of"] = "".join(practice.errors)
    # Another test's drill beside this one has the same practice tokens, and a folder of its own.
    others = {text for text in beginnings.seen if "MUSD_DATA_DIR=" in text and str(practice.data) not in text}
    texts |= {where: text for text, where in beginnings.seen.items() if text not in others}
    ours = [one for one in practice.data.rglob("*") if one.relative_to(practice.data).parts[0] != "cluster"]
    texts |= {str(one): one.read_text(errors="replace") for one in ours if one.is_file()}
    assert any(name.endswith("bot.log") for name in texts)
    return [(where, value) for value in values for where, text in texts.items() if _has(text, value)]


def _has(text: str, value: str) -> bool:
    whole = value.encode()[: len(value) // 3 * 3]  # what follows would change the last character
    forms = {value, quote(value, safe=""), base64.b64encode(whole).decode()}
    return any(form in text for form in forms)
