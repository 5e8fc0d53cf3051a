"""Cursor pagination, as Slack's lists do it."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.records import Json


def page(items: Sequence[Any], args: Arguments, default: int = 100, most: int = 1000) -> tuple[list[Any], Json]:
    """The items the cursor points at, and the ``response_metadata`` that leads on.

    Raises `SlackError` invalid_cursor or invalid_limit.
    """
    limit = args.whole("limit", default) or default
    if not 1 <= limit <= most:
        raise SlackError("invalid_limit")
    begin = _offset(args.text("cursor"))
    end = begin + limit
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[begin:end]), {"response_metadata": {"next_cursor": cursor}}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError) as error:
        raise SlackError("invalid_cursor") from error
