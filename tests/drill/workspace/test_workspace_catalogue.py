"""The table of methods, against itself, the handlers and Slack's own reference."""

import json
from pathlib import Path

import pytest

from bot.drill.workspace.catalogue import METHODS
from bot.drill.workspace.manifest import read_manifest
from bot.drill.workspace.methods import HANDLERS

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "slack-methods.json"


def test_every_method_in_the_table_is_served() -> None:
    assert sorted(METHODS) == sorted(HANDLERS)


@pytest.mark.skipif(not REFERENCE.exists(), reason="Slack's method reference is not beside the project")
@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_table_agrees_with_slacks_reference(name: str) -> None:
    published = json.loads(REFERENCE.read_text())[name]
    method = METHODS[name]
    assert (published["rate_limits"], sorted(published["required"]), sorted(published["scope"].get("bot", []))) == (
        method.tier,
        sorted(method.required),
        sorted(method.scopes),
    )


def test_an_event_without_its_scope_is_not_sent_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app-manifest.yml"
    path.write_text(
        "oauth_config: {scopes: {bot: [chat:write]}}\n"
        "settings: {event_subscriptions: {bot_events: [app_mention, app_home_opened]}}\n"
    )
    assert read_manifest(path).events == {"app_home_opened"}
    assert "subscribes to app_mention without app_mentions:read" in capsys.readouterr().err
