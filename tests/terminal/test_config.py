"""Settings: where they come from, what is said of wrong ones, and that their reference is true."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import settings
from bot.errors import ConfigurationError
from bot.terminal import config

NEEDED = {
    "MUSD_SLACK_BOT_TOKEN": "xoxb-planted",
    "MUSD_SLACK_APP_TOKEN": "xapp-planted",
    "MUSD_ALERTMANAGER_TOKEN": "planted-token",
    "MUSD_RPC_URLS": "https://rpc.invalid/planted-key",
    "MUSD_CHAIN_ID": "1",
}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_the_reference_is_what_the_settings_say() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text().splitlines() == list(config.reference())


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in settings.Settings.model_fields.items() if not field.description] == []


def test_show_names_every_setting_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert _shown(capsys).count("\n") == len(settings.Settings.model_fields)
    assert "planted" not in _shown(capsys)


def _shown(capsys: pytest.CaptureFixture[str]) -> str:
    way: Any = type("Arguments", (), {"way": "show"})
    assert config.main(way) == 0
    return capsys.readouterr().out


def test_a_mounted_secret_is_read_and_the_environment_wins_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "musd_alertmanager_token").write_text("mounted\n")
    (tmp_path / "musd_pagerduty_routing_key").write_text("mounted")
    monkeypatch.setenv("MUSD_SECRETS_DIR", str(tmp_path))

    found = settings.read()

    assert (found.alertmanager_token, found.pagerduty_routing_key) == (SecretStr("planted-token"), SecretStr("mounted"))


def test_the_file_is_the_last_word_of_the_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "0x" + "12" * 20
    written = f'namespace = "musd-canton"\nchain_id = 5\nborrow_module = "{address}"\n'
    (tmp_path / "musd.toml").write_text(written)
    monkeypatch.setenv("MUSD_CONFIG", str(tmp_path / "musd.toml"))

    found = settings.read()

    assert (found.namespace, found.chain_id, found.borrow_module) == ("musd-canton", 1, address)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BORROW_MODULE", "0x12", "BORROW_MODULE: String should match pattern"),
        ("BORROW_MODULE", "0x12", "such as 0x1212"),
        ("MUSD_CHAIN_ID", "mainnet", "MUSD_CHAIN_ID: Input should be a valid integer"),
        ("MUSD_PAUSE_LIVES", "3600", "MUSD_PAUSE_LIVES: "),
        ("MUSD_KEYSTORE", "/keys/pauser", "MUSD_KEYSTORE_PASSWORD_FILE must be too"),
        ("MUSD_SECRETS_DIR", "/nowhere/at/all", "is not there"),
        ("MUSD_CONFIG", "/nowhere/at/all", "can't be read"),
    ],
)
def test_what_is_said_of_a_wrong_setting(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        settings.read()

    assert said in refused.value.sentences()


def test_a_file_with_an_unknown_key_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "musd.toml").write_text('namespaec = "musd"\n')
    monkeypatch.setenv("MUSD_CONFIG", str(tmp_path / "musd.toml"))

    with pytest.raises(ConfigurationError) as refused:
        settings.read()

    assert "namespaec: Extra inputs are not permitted" in refused.value.sentences()


def test_a_wrong_setting_ends_the_command_with_2_and_no_traceback() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bot", "config", "show"],
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "MUSD_SLACK_BOT_TOKEN: Field required" in answer.stderr
    assert "Traceback" not in answer.stderr
