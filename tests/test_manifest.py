"""The app manifest asks for exactly what the code uses: no scope for nothing, and no call without its scope."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.drill.workspace.catalogue import METHODS

ROOT = Path(__file__).parents[1]
MANIFEST = yaml.safe_load((ROOT / "app-manifest.yml").read_text())
SCHEMA = ROOT.parent / "shared" / "data" / "slack-manifest-schema-2.json"
OURS = [
    path
    for folder in ("bot", "handlers")
    for path in (ROOT / folder).rglob("*.py")
    if "drill" not in path.relative_to(ROOT).parts
]
SOURCE = "\n".join(path.read_text() for path in OURS)


def called() -> set[str]:
    """Every Web API method that appears in the code, in whichever spelling the SDK takes."""
    return {name for name in METHODS if re.search(rf"\b{re.escape(name)}\b|\.{name.replace('.', '_')}\b", SOURCE)}


def either(name: str) -> set[str]:
    """The scopes one of which a method needs; several where it serves public and private channels."""
    return set(METHODS[name].scopes)


def test_every_method_the_code_calls_has_its_scope() -> None:
    granted = set(MANIFEST["oauth_config"]["scopes"]["bot"])

    assert {name: either(name) for name in called() if either(name) and not either(name) & granted} == {}


def test_every_scope_is_for_something_the_code_calls() -> None:
    granted = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    used = {scope for name in called() for scope in either(name)} | {"commands"}

    assert granted - used == set()


def test_every_command_of_the_manifest_is_listened_for_and_no_other() -> None:
    listened = set(re.findall(r'\.command\("(/\w+)"\)', SOURCE))

    assert {one["command"] for one in MANIFEST["features"]["slash_commands"]} == listened


def test_every_event_of_the_manifest_is_listened_for_and_no_other() -> None:
    listened = set(re.findall(r'\.event\("(\w+)"\)', SOURCE))
    events: Any = MANIFEST["settings"].get("event_subscriptions", {})

    assert set(events.get("bot_events", ())) == listened


def test_it_is_a_manifest_as_slack_describes_one() -> None:
    if not SCHEMA.exists():
        pytest.skip("Slack's schema of the manifest is not on this machine")
    jsonschema.validate(MANIFEST, json.loads(SCHEMA.read_text()))
