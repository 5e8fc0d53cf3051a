"""The kinds of values that settings have, and how a text becomes one."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    try:
        return timedelta(seconds=float(value))
    except (TypeError, ValueError):
        return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]
Seconds = Annotated[timedelta, BeforeValidator(_duration)]
Keystore = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
"""A file that need not be; an empty text is none."""


def pair(text: str) -> tuple[str, str]:
    """``name=value``."""
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def runbook_name(name: str) -> Any:
    """A setting that keeps the name it has in the runbooks."""
    return AliasChoices(name, name.lower())


def address_of(name: str, description: str) -> Any:
    """A contract's address, which the runbooks call by this name; empty where there is none."""
    return Field(
        default="",
        validation_alias=runbook_name(name),
        pattern=r"^(0x[0-9a-fA-F]{40})?$",
        description=description,
        examples=["0x" + "12" * 20],
    )
