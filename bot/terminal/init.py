"""`musd-bot init`: a commented configuration and the Slack manifest from a few questions. Never asks for a secret."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml  # type: ignore[import-untyped]  # ships no types
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from bot import manifest
from bot.errors import RefusedError
from bot.settings import TOPICS, Settings, name_of
from bot.terminal.config import heading, shown

QUESTIONS: Mapping[str, str] = {
    "slack_mode": "How does Slack reach the bot: socket (no way in needed) or http?",
    "alerts_channel": "Which channel takes warnings?",
    "guardians": "Slack user ids of the guardians, who confirm pauses (two at least, with the admins), by commas?",
    "admins": "Slack user ids of the admins (two at least)?",
    "operators": "Slack user ids of the operators?",
    "responders": "Slack user ids of the responders?",
    "chain_id": "Which chain, by its id?",
    "borrow_module": "Address of BorrowModule?",
    "smusd": "Address of SMUSD?",
    "direct_mint": "Address of DirectMintV2?",
    "ble_bridge": "Address of BLEBridgeV9?",
    "musd": "Address of MUSD?",
    "treasury": "Address of the Treasury?",
    "price_oracle": "Address of the price oracle?",
    "collateral_token": "Address of the collateral token?",
    "keystore": "Path of the pausing key's Foundry keystore, if it is one? (The file, never the key.)",
    "keystore_password_file": "Path of the file with the keystore's password, if there is a keystore?",
    "kms_key_id": "Or the pausing key in AWS KMS, by id, alias/… or ARN?",
    "namespace": "The protocol's Kubernetes namespace?",
    "relay_url": "The relay's own port, for GET /health?",
    "ledger_url": "The Canton participant's JSON Ledger API?",
    "aws_region": "The AWS region of keys and backups?",
    "pagerduty_service_id": "PagerDuty's service id?",
}
"""Settings worth asking for, in this order. The rest has a default that does."""
_CONFIG, _MANIFEST = "musd-bot.toml", "app-manifest.yml"
_HTTP_PATH = "/slack/events"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and whether to ask."""
    parser.add_argument("--into", type=Path, default=Path(), help="the folder to write to; this one when not given")
    parser.add_argument("--url", default="", help="in HTTP mode: where Slack reaches the bot, https://…")
    parser.add_argument("--yes", action="store_true", help="ask nothing: every default, to be edited in the file")


def main(arguments: argparse.Namespace) -> int:
    """Ask, write the two files, and say which secrets go where.

    Raises:
        RefusedError: one of the files is there already; nothing is written.
    """
    folder: Path = arguments.into
    there = [name for name in (_CONFIG, _MANIFEST) if (folder / name).exists()]
    if there:
        raise RefusedError(
            f"{' and '.join(there)} is there already.", means="Nothing was written.", next_step="Use --into elsewhere."
        )
    answers = {} if arguments.yes else dict(asked(_ask))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONFIG).write_text("\n".join(configuration(answers)) + "\n")
    (folder / _MANIFEST).write_text(slack_app(answers.get("slack_mode", "socket"), arguments.url))
    print("\n".join(_next(folder, answers)))  # noqa: T201 - a command line's answer
    return 0


def asked(ask: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """Each setting that was answered, asked again while its value is wrong. `ask` is handed the question."""
    for name, question in QUESTIONS.items():
        field = Settings.model_fields[name]
        while True:
            answer = ask(f"{question}{_default(field)} ").strip()
            problem = wrong(name, answer) if answer else ""
            if not problem:
                break
            ask(f"  That won't do: {problem}. Enter to try again. ")
        if answer:
            yield name, answer


def wrong(name: str, answer: str) -> str:
    """What is wrong with a setting's value; empty where nothing is."""
    field = Settings.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    try:
        TypeAdapter(kind).validate_python(answer)
    except ValidationError as error:
        return str(error.errors(include_url=False, include_input=False)[0]["msg"])
    return ""


def configuration(answers: Mapping[str, str]) -> Iterator[str]:
    """The TOML file: every setting with its description; what was answered is set, the rest stands as a comment."""
    yield "# musd-bot. Point MUSD_CONFIG at this file. Every setting is here; what is commented out has its default."
    yield "# Secrets do not belong here: they come from the environment or from files in MUSD_SECRETS_DIR."
    for topic in TOPICS:
        yield from ("", f"# ===== {heading(topic)} =====")
        for name, field in topic.model_fields.items():
            if not is_secret(field):
                yield from _line(name, field, answers)


def _line(name: str, field: FieldInfo, answers: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"# {name_of(name)}: {field.description}")
    key = name_of(name).lower().removeprefix("musd_")
    if name in answers:
        yield f"{key} = {_toml(name, answers[name])}"
    else:
        value = field.get_default(call_default_factory=True, validated_data={})
        yield f"# {key} = {_toml(name, '' if field.is_required() else _plain(value))}"


def slack_app(mode: str, url: str) -> str:
    """The manifest for this way of reaching the bot: as it stands for Socket Mode, with addresses for HTTP."""
    if mode == "socket":
        return manifest.text()
    found = manifest.manifest()
    where = f"{url.rstrip('/') or 'https://REPLACE.ME'}{_HTTP_PATH}"
    found["settings"]["socket_mode_enabled"] = False
    found["settings"]["interactivity"]["request_url"] = where
    found["settings"]["event_subscriptions"]["request_url"] = where
    for command in found["features"]["slash_commands"]:
        command["url"] = where
    return str(yaml.safe_dump(found, sort_keys=False))


def _ask(question: str) -> str:
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline()


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    return "" if value in (None, "", ()) else f" [{shown(value)}]"


def _plain(value: Any) -> str:
    return "" if value in (None, (), "") else shown(value)


def _toml(name: str, text: str) -> str:
    # A JSON string is a TOML string; a number stays one.
    return text if Settings.model_fields[name].annotation is int and text.isdigit() else json.dumps(text)


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting has no place in the file: it comes from the environment, or from a file of its own."""
    return "SecretStr" in str(field.annotation)


def _next(folder: Path, answers: Mapping[str, str]) -> Iterator[str]:
    yield f"Written: {folder / _CONFIG}, {folder / _MANIFEST}."
    yield ""
    yield f"1. Create the Slack app from {_MANIFEST} (api.slack.com/apps → From a manifest) and install it."
    yield "2. Put the secrets where only the bot reads them, as environment variables or as files in MUSD_SECRETS_DIR:"
    for name, field in Settings.model_fields.items():
        if is_secret(field):
            need = "needed" if _needed(name, field, answers) else "optional"
            yield f"     {name_of(name):36} {need:9} {field.description}"
    yield f"3. MUSD_CONFIG={folder / _CONFIG} musd-bot doctor    says what is still missing, and how to mend it."


def _needed(name: str, field: FieldInfo, answers: Mapping[str, str]) -> bool:
    mode = answers.get("slack_mode", "socket")
    return field.is_required() or name == {"socket": "slack_app_token", "http": "slack_signing_secret"}[mode]
