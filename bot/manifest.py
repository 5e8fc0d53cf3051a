"""The Slack app's manifest, as it stands at the top of the repository and in the installed package."""

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types

_HERE = Path(__file__).parent
_PLACES = (_HERE / "app-manifest.yml", _HERE.parent / "app-manifest.yml")
"""In a wheel, and in a checkout."""


def text() -> str:
    """The file as it is, with the reason beside each scope."""
    return next(place for place in _PLACES if place.exists()).read_text()


def manifest() -> dict[str, Any]:
    """The file, read."""
    found: dict[str, Any] = yaml.safe_load(text())
    return found


def scopes() -> AbstractSet[str]:
    """What the app asks for, as a bot."""
    return set(manifest()["oauth_config"]["scopes"]["bot"])
