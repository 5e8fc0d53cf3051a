"""What every stand-in of the practice world has in common: it starts, it can be broken and mended, it remembers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class UnknownFaultError(ValueError):
    """A fault was asked for that this part does not know; the text lists those it does."""


@dataclass(frozen=True)
class Fault:
    """One way to break a part: what `GET /faults` lists and `POST /faults` takes."""

    target: str
    fault: str
    help: str
    arguments: Mapping[str, str] | None = None
    """Extra keys of the request and what they mean, such as ``{"seconds": "how long to hang"}``."""


class Part(Protocol):
    """One stand-in. The world starts parts side by side, stops them in reverse, and saves them in between."""

    name: str
    """Also the ``target`` of its faults and the name of its folder below ``--data``."""
    url: str
    """Where it listens on loopback; known once `start` has returned."""
    faults: tuple[Fault, ...]

    async def start(self, folder: Path) -> None:
        """Listen on a free loopback port; continue from what `folder` holds, if it holds anything."""

    async def stop(self) -> None:
        """Save to the folder given at `start`, close every connection and end every child process."""

    def save(self) -> None:
        """Write the present state to the folder, atomically. Called every two seconds and by `stop`."""

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `UnknownFaultError` for a fault that is not in `faults`."""

    async def mend(self) -> None:
        """Undo every fault of this part."""


def write_json(path: Path, value: object) -> None:
    """Replace a JSON file in one step, so that a kill in the middle leaves the old one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(path.suffix + ".new")
    fresh.write_text(json.dumps(value, separators=(",", ":")))
    fresh.replace(path)


def read_json(path: Path, default: Any) -> Any:
    """The file's value, or `default` where there is no file yet."""
    return json.loads(path.read_text()) if path.exists() else default
