"""Where a planted secret could turn up, and what every process of this machine began with while one went by."""

import base64
import contextlib
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from tests.world.practice import Practice

_EVERY = 0.02
"""Seconds between two looks."""
_LOOKS = 5
"""So often a process is read: it begins with its parent's arguments, until it has its own."""


class Beginnings:
    """Arguments and environment of every process there is, from `watch` on; what a shell or `ps` would show of them."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        """Each, and which process had it first."""
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self) -> Iterator["Beginnings"]:
        """A block during which it looks."""
        looking = threading.Thread(target=self._watch)
        looking.start()
        try:
            yield self
        finally:
            self._over.set()
            looking.join()

    def _watch(self) -> None:
        looked: dict[str, int] = {}
        while not self._over.wait(_EVERY):
            there = [one.name for one in Path("/proc").glob("[0-9]*")]
            looked = {name: looked.get(name, 0) + 1 for name in there}
            for name in there:
                if looked[name] <= _LOOKS:
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
