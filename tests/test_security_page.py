"""docs/security.md explains what the manifest asks for, no more and no less; the hooks and locks are what they say."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
MANIFEST = yaml.safe_load((ROOT / "app-manifest.yml").read_text())
HOOKS = [
    hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]
]


def explained(kind: str) -> list[str]:
    """What the table under this heading explains, in its order."""
    table = PAGE.split(f"| {kind} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_every_scope_is_explained_and_no_other() -> None:
    assert explained("scope") == sorted(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_every_event_is_explained_and_no_other() -> None:
    assert explained("event") == sorted(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_every_command_and_shortcut_is_explained_and_no_other() -> None:
    features = MANIFEST["features"]
    asked = [one["command"] for one in features["slash_commands"]] + [
        one["callback_id"] for one in features["shortcuts"]
    ]

    assert explained("command or shortcut") == asked


def test_hooks_come_from_this_checkout_alone() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]

    assert [repo["repo"] for repo in repos] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("entry", [hook["entry"] for hook in HOOKS])
def test_a_hook_s_command_exists(entry: str) -> None:
    assert shutil.which(ROOT / entry.split(maxsplit=1)[0])


@pytest.mark.parametrize("lock", sorted(path.name for path in (ROOT / "requirements").glob("*.txt")))
def test_every_pin_has_its_hashes(lock: str) -> None:
    pins = re.split(r"\n(?=\S)", (ROOT / "requirements" / lock).read_text().strip())

    assert [pin for pin in pins if not pin.startswith("#") and not re.search(r"==.*\n\s+--hash=sha256:", pin)] == []
