"""The arguments of a Web API call: query, form and JSON body merged, read by type."""

import json
from typing import Any

from aiohttp import web

from bot.drill.workspace.errors import invalid_arguments

_FALSE = {False, "0", "false", "False", ""}


class Arguments:
    """What one call was given. Values arrive as text or as JSON, depending on the client."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = {name: value for name, value in given.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def names(self) -> list[str]:
        """What was given, the token left out."""
        return [name for name in self._given if name != "token"]

    def missing(self, *names: str) -> list[str]:
        """Those of `names` that were not given, or were given empty."""
        return [name for name in names if self._given.get(name) in (None, "")]

    def text(self, name: str, default: str = "") -> str:
        """The argument as text."""
        value = self._given.get(name, default)
        return value if isinstance(value, str) else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """The argument as a boolean: ``true``, ``1`` and their JSON counterparts."""
        value = self._given.get(name, default)
        return not (isinstance(value, (bool, int, str)) and value in _FALSE)

    def whole(self, name: str, default: int) -> int:
        """The argument as a whole number. Raises `SlackError` invalid_arguments when it is none."""
        try:
            return int(self._given.get(name, default))
        except (TypeError, ValueError) as error:
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from error

    def parsed(self, name: str) -> Any:
        """The argument as JSON, decoded when it came as text; None when it was not given or is empty."""
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise invalid_arguments(f"must be valid JSON [json-pointer:/{name}]") from error

    def words(self, name: str) -> list[str]:
        """A list given as commas between words or as a JSON array."""
        value = self._given.get(name, "")
        given = value if isinstance(value, list) else str(value).split(",")
        return [str(one).strip() for one in given if str(one).strip()]


async def read_arguments(request: web.Request) -> Arguments:
    """Merge query, form and JSON body, later ones winning. Raises `SlackError` when the JSON is malformed."""
    given: dict[str, Any] = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            given.update(await _json_body(request))
        else:
            given.update(await request.post())
    return Arguments(given)


async def _json_body(request: web.Request) -> dict[str, Any]:
    body = await request.text()
    try:
        given = json.loads(body) if body else {}
    except ValueError as error:
        raise invalid_arguments("the body is not JSON", error="invalid_json") from error
    if not isinstance(given, dict):
        raise invalid_arguments("the body is not a JSON object", error="json_not_object")
    return given
