"""The doors: what tests and the page send to do as a person does, and to see what a person sees."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.drill.workspace import acting, pressing, reading
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import DoorError, SlackError
from bot.drill.workspace.records import Json

Act = Callable[..., Awaitable[Json]]
Look = Callable[..., Any]

ACTS: Mapping[str, Act] = {
    "command": acting.command,
    "press": pressing.press,
    "submit": pressing.submit,
    "close": pressing.close,
    "suggest": pressing.suggest,
    "say": acting.say,
    "shortcut": acting.use_shortcut,
    "react": acting.add_reaction,
    "join": acting.join_channel,
    "usergroup": acting.set_usergroup,
}
LOOKS: Mapping[str, Look] = {
    "channels": reading.channels,
    "messages": reading.messages,
    "views": reading.views,
    "home": reading.home,
    "files": reading.files,
    "commands": reading.commands,
}


def add_routes(app: web.Application, slack: Slack) -> None:
    """Put every door on the application under ``/person/``."""
    for name, act in ACTS.items():
        app.router.add_post(f"/person/{name}", _acting(slack, act))
    for name, look in LOOKS.items():
        app.router.add_get(f"/person/{name}", _looking(slack, look))


def _acting(slack: Slack, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            given = await request.json()
        except ValueError:
            return _refuse(400, "invalid_json", "the body is a JSON object")
        wrong = _mismatch(act, given)
        if wrong:
            return _refuse(400, "invalid_arguments", wrong)
        try:
            return web.json_response({"ok": True, **await act(slack, **_found(slack, given))})
        except DoorError as error:
            return web.json_response(error.as_json())
        except SlackError as error:
            return web.json_response(error.as_json())

    return handle


def _looking(slack: Slack, look: Look) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        given = dict(request.query)
        wrong = _mismatch(look, given)
        if wrong:
            return _refuse(400, "invalid_arguments", wrong)
        try:
            return web.json_response(look(slack, **given))
        except DoorError as error:
            return web.json_response(error.as_json(), status=404)

    return handle


def _mismatch(function: Callable[..., Any], given: Any) -> str | None:
    """What is missing from a request or does not belong in it."""
    if not isinstance(given, dict):
        return "the body is a JSON object"
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name != "slack"]
    known = [one.name for one in parameters]
    missing = [one.name for one in parameters if one.default is inspect.Parameter.empty and one.name not in given]
    strange = [name for name in given if name not in known]
    if missing or strange:
        return f"missing: {missing}, unknown: {strange}; this door takes {known}"
    return None


def _found(slack: Slack, given: Json) -> Json:
    """The request with its person and channel looked up. Empty values count as not given."""
    kept = {name: value for name, value in given.items() if value is not None}
    if "user" in kept:
        kept["user"] = reading.person_exists(slack, kept["user"])
    if "channel" in kept:
        kept["channel"] = acting.find_channel(slack, kept.get("user"), kept["channel"])
    return kept


def _refuse(status: int, error: str, detail: str) -> web.Response:
    return web.json_response({"ok": False, "error": error, "detail": detail}, status=status)
