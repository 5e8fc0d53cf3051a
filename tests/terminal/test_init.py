"""The first configuration: what is asked, what is written, and that it is read as it was meant."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bot import manifest, settings
from bot.errors import RefusedError
from bot.terminal import init

ADDRESS = "0x" + "12" * 20


def arguments(folder: Path, *, yes: bool = True, url: str = "") -> Any:
    """A command line."""
    return SimpleNamespace(into=folder, yes=yes, url=url)


def answered(**answers: str) -> dict[str, str]:
    """What somebody types, by the question."""
    asked = iter(init.QUESTIONS)
    return dict(init.asked(lambda _: answers.get(next(asked), "")))


def test_what_is_not_answered_keeps_its_default() -> None:
    assert answered(chain_id="1", borrow_module=ADDRESS) == {"chain_id": "1", "borrow_module": ADDRESS}


@pytest.mark.parametrize(
    ("name", "answer"), [("chain_id", "mainnet"), ("smusd", "0x12"), ("slack_mode", "pigeon"), ("chain_id", "0")]
)
def test_a_wrong_answer_is_said_and_asked_again(name: str, answer: str) -> None:
    replies = {name: [answer, "", ""]}
    heard: list[str] = []

    def ask(question: str) -> str:
        heard.append(question)
        waiting = replies[name]
        return waiting.pop(0) if init.QUESTIONS[name] in question and waiting else ""

    assert dict(init.asked(ask)) == {}
    assert any("That won't do" in question for question in heard)


def test_what_is_written_is_what_the_bot_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"chain_id": "1", "smusd": ADDRESS, "guardians": "U1,U2", "namespace": "musd-canton"}
    (tmp_path / "musd-bot.toml").write_text("\n".join(init.configuration(given)))
    monkeypatch.setenv("MUSD_CONFIG", str(tmp_path / "musd-bot.toml"))
    for name in ("MUSD_SLACK_BOT_TOKEN", "MUSD_SLACK_APP_TOKEN", "MUSD_ALERTMANAGER_TOKEN", "MUSD_RPC_URLS"):
        monkeypatch.setenv(name, "http://planted.invalid")

    found = settings.read()

    assert (found.chain_id, found.smusd, found.guardians, found.namespace) == (1, ADDRESS, ("U1", "U2"), "musd-canton")


def test_every_setting_but_the_secrets_is_in_the_file_and_each_line_is_toml() -> None:
    lines = list(init.configuration({}))
    values = [line.removeprefix("# ") for line in lines if " = " in line and not line.startswith("# MUSD_CONFIG")]
    fields = settings.Settings.model_fields

    assert len([one for one in values if tomllib.loads(one)]) == len(
        [name for name, field in fields.items() if "SecretStr" not in str(field.annotation)]
    )


def test_no_secret_has_a_line_in_the_file() -> None:
    assert not [line for line in init.configuration({}) if "slack_bot_token" in line or "routing_key =" in line]


def test_the_manifest_for_socket_mode_is_the_repository_s_own(tmp_path: Path) -> None:
    assert init.main(arguments(tmp_path / "new")) == 0

    assert (tmp_path / "new" / "app-manifest.yml").read_text() == manifest.text()


def test_the_manifest_for_http_has_the_addresses() -> None:
    found = yaml.safe_load(init.slack_app("http", "https://bot.example/"))

    assert found["settings"]["socket_mode_enabled"] is False
    assert found["settings"]["interactivity"]["request_url"] == "https://bot.example/slack/events"
    assert found["features"]["slash_commands"][0]["url"] == "https://bot.example/slack/events"


def test_it_says_which_secrets_go_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init.main(arguments(tmp_path / "new"))
    said = capsys.readouterr().out

    assert "MUSD_SLACK_APP_TOKEN                 needed" in said
    assert "MUSD_SLACK_SIGNING_SECRET            optional" in said


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "musd-bot.toml").write_text("mine")

    with pytest.raises(RefusedError, match="is there already"):
        init.main(arguments(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["musd-bot.toml"]
