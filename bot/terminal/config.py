"""`musd-bot config`: the settings as this process would read them, secrets left out; and their reference."""

import argparse
import inspect
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bot import settings
from bot.settings import TOPICS, Settings, name_of

_HEAD = """# Configuration

Made from `bot/settings/` by `make docs`; a test holds the two together.

Every setting is an environment variable, or a file of that name in the folder that `MUSD_SECRETS_DIR` names (as
Kubernetes mounts secrets), or the same name in lower case, without `MUSD_`, in the TOML file that `MUSD_CONFIG` names.
The environment wins over the folder, the folder over the TOML file. Lists are separated by commas, durations are in
seconds. `musd-bot config show` prints what the bot would use, secrets left out.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which of the two."""
    ways = parser.add_subparsers(dest="way", required=True)
    ways.add_parser("show", help="every setting with its value; of a secret only whether it is set")
    ways.add_parser("reference", help="every setting there is, as Markdown: docs/configuration.md")


def main(arguments: argparse.Namespace) -> int:
    """Print it.

    Raises:
        ConfigurationError: a setting is missing or wrong; the text names each.
    """
    lines = _shown(settings.read()) if arguments.way == "show" else reference()
    print("\n".join(lines))  # noqa: T201 - a command line's answer
    return 0


def _shown(found: Settings) -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        value = getattr(found, name)
        mark = "" if value != field.default else "   # default"
        yield f"{name_of(name)} = {shown(value)}{mark}"


def shown(value: Any) -> str:
    """A value for people's eyes: of a secret, whether there is one; seconds for durations."""
    if isinstance(value, SecretStr):
        return "(secret, set)" if value.get_secret_value() else "(secret, not set)"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, tuple):
        return ",".join(shown(one) for one in value) or "(none)"
    if value is None or value == "":
        return "(none)"
    return str(value) if isinstance(value, (str, int, Path)) else repr(value)


def reference() -> Iterator[str]:
    """The page `docs/configuration.md`, line by line."""
    yield from _HEAD.splitlines()
    for topic in TOPICS:
        yield from ("", f"## {heading(topic)}", "", "| setting | what it is for | default |", "|---|---|---|")
        yield from map(_row, topic.model_fields, topic.model_fields.values())


def heading(topic: type[BaseModel]) -> str:
    """What a topic's settings are about."""
    return (inspect.getdoc(topic) or "").removesuffix(".")


def _row(name: str, field: FieldInfo) -> str:
    description = _cell(field.description or "")
    return f"| `{name_of(name)}` | {description}{_example(field)} | {_default(field)} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "**must be set**"
    if isinstance(value, SecretStr) or value in (None, "", ()):
        return ""
    return f"`{_cell(shown(value))}`"


def _example(field: FieldInfo) -> str:
    return f" Example: `{_cell(str(field.examples[0]))}`" if field.examples else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
