"""Ways to break the workspace, and to mend it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.drill.part import Fault, UnknownFaultError
from bot.drill.people import PEOPLE
from bot.drill.workspace.acting import find_channel, find_user
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import DoorError, SlackError
from bot.drill.workspace.events import emit
from bot.drill.workspace.records import Channel, User
from bot.drill.workspace.rooms import archive, remove, rename
from bot.drill.workspace.showing import user_json
from bot.drill.workspace.web_api import MethodFault, WebApi

_SECONDS = {"seconds": "how long, in seconds"}
_CHANNEL = {"channel": "the channel's name or id"}
_USER = {"user": "the person's name or id"}

FAULTS = (
    Fault(
        "slack",
        "error",
        "A Web API method fails",
        {
            "method": "such as chat.postMessage",
            "error": "any error name; ratelimited (with retry_after); http_500; "
            "timeout (carried out, never answered); lost (not carried out, never answered)",
            "times": "how many calls, until mended if left out",
            "retry_after": "seconds, for ratelimited",
            "seconds": "how long the caller waits before the connection is cut, for timeout and lost",
        },
    ),
    Fault("slack", "slow", "Every Web API call takes so long", _SECONDS),
    Fault("slack", "rate-limits", "Slack's real rate limits apply"),
    Fault("slack", "disconnect", "Sockets are asked to reconnect, as Slack does every few hours"),
    Fault("slack", "drop", "Sockets are cut without a word"),
    Fault("slack", "silent", "Open sockets stay open and carry nothing, not even pongs", _SECONDS),
    Fault("slack", "redeliver", "The next events are delivered twice", {"count": "how many, 1 if left out"}),
    Fault("slack", "delete-channel", "Somebody deletes a channel; can't be mended", _CHANNEL),
    Fault("slack", "archive-channel", "Somebody archives a channel", _CHANNEL),
    Fault("slack", "rename-channel", "Somebody renames a channel", {**_CHANNEL, "name": "its new name"}),
    Fault("slack", "deactivate", "A person's account is deactivated", _USER),
    Fault("slack", "guest", "A person becomes a guest", _USER),
    Fault("slack", "stranger", "A person turns out to belong to another workspace", _USER),
    Fault("slack", "join-group", "Somebody puts a person into a user group", {**_USER, "group": "the group's handle"}),
    Fault("slack", "shared-channel", "A channel becomes shared with another organisation", _CHANNEL),
)
_ADMIN = PEOPLE[0].id


class Faults:
    """What is broken at present, and how to undo it."""

    def __init__(self, slack: Slack, api: WebApi) -> None:
        self._slack = slack
        self._api = api
        self._undo: list[Callable[[], None]] = []
        self._known: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[None]]] = {
            "error": self._error,
            "slow": self._slow,
            "rate-limits": self._rate_limits,
            "disconnect": self._disconnect,
            "drop": self._drop,
            "silent": self._silent,
            "redeliver": self._redeliver,
            "delete-channel": self._delete,
            "archive-channel": self._archive,
            "rename-channel": self._rename,
            "deactivate": self._deactivate,
            "guest": self._guest,
            "stranger": self._stranger,
            "join-group": self._join_group,
            "shared-channel": self._share,
        }

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `UnknownFaultError` for what is not in `FAULTS` or lacks an argument."""
        name = request.get("fault", "error" if "method" in request else None)
        if name not in self._known:
            raise UnknownFaultError(f"slack knows no fault {name!r}; it knows {', '.join(self._known)}")
        try:
            await self._known[name](request)
        except KeyError as error:
            raise UnknownFaultError(f"the fault {name!r} needs {error}") from error
        except (DoorError, SlackError) as error:
            raise UnknownFaultError(f"the fault {name!r} is not possible: {error}") from error

    def mend(self) -> None:
        """Undo what can be undone, the last first."""
        self._api.faults.clear()
        self._api.slow_seconds = 0.0
        self._api.limits.on = False
        self._slack.delivery.twice = 0
        self._slack.delivery.sockets.silence(0)
        while self._undo:
            self._undo.pop()()
        self._slack.state.changed()

    async def _error(self, request: Mapping[str, Any]) -> None:
        numbers = {name: request[name] for name in ("times", "retry_after", "seconds") if name in request}
        self._api.faults.append(MethodFault(request["method"], request["error"], **numbers))

    async def _slow(self, request: Mapping[str, Any]) -> None:
        self._api.slow_seconds = float(request["seconds"])

    async def _rate_limits(self, _request: Mapping[str, Any]) -> None:
        self._api.limits.on = True

    async def _disconnect(self, _request: Mapping[str, Any]) -> None:
        await self._slack.delivery.sockets.disconnect()

    async def _drop(self, _request: Mapping[str, Any]) -> None:
        self._slack.delivery.sockets.drop()

    async def _silent(self, request: Mapping[str, Any]) -> None:
        self._slack.delivery.sockets.silence(float(request["seconds"]))

    async def _redeliver(self, request: Mapping[str, Any]) -> None:
        self._slack.delivery.twice += int(request.get("count", 1))

    async def _delete(self, request: Mapping[str, Any]) -> None:
        remove(self._slack, self._channel(request), _ADMIN)

    async def _archive(self, request: Mapping[str, Any]) -> None:
        channel = self._channel(request)
        archive(self._slack, channel, _ADMIN)
        self._undo_on(channel, lambda: archive(self._slack, channel, _ADMIN, archived=False))

    async def _rename(self, request: Mapping[str, Any]) -> None:
        channel = self._channel(request)
        old = channel.name
        rename(self._slack, channel, request["name"], _ADMIN)
        self._undo_on(channel, lambda: rename(self._slack, channel, old, _ADMIN))

    async def _deactivate(self, request: Mapping[str, Any]) -> None:
        self._mark(find_user(self._slack, request["user"]), "deleted")

    async def _guest(self, request: Mapping[str, Any]) -> None:
        self._mark(find_user(self._slack, request["user"]), "is_restricted")

    async def _stranger(self, request: Mapping[str, Any]) -> None:
        user = find_user(self._slack, request["user"])
        ours, user.team_id = user.team_id, "T0ELSEWHERE"
        self._undo.append(lambda: setattr(user, "team_id", ours))
        self._slack.state.changed()

    async def _join_group(self, request: Mapping[str, Any]) -> None:
        user, handle = find_user(self._slack, request["user"]), request["group"]
        group = next((one for one in self._slack.state.groups.values() if one.handle == handle), None)
        if group is None or user.id in group.users:
            raise UnknownFaultError(f"there is no group {handle!r}, or {user.name} is in it")
        group.users.append(user.id)
        self._undo.append(lambda: group.users.remove(user.id))
        self._slack.state.changed()

    async def _share(self, request: Mapping[str, Any]) -> None:
        channel = self._channel(request)
        channel.is_ext_shared = True
        self._slack.state.changed()
        self._undo_on(channel, lambda: setattr(channel, "is_ext_shared", False))

    def _mark(self, user: User, field: str) -> None:
        def mark(value: bool) -> None:
            setattr(user, field, value)
            self._slack.state.changed()
            emit(self._slack, "user_change", None, user=user_json(self._slack, user))

        mark(True)
        self._undo.append(lambda: mark(False))

    def _undo_on(self, channel: Channel, undo: Callable[[], None]) -> None:
        """Remember how to mend a channel, should it still be there."""
        self._undo.append(lambda: undo() if channel.id in self._slack.state.channels else None)

    def _channel(self, request: Mapping[str, Any]) -> Channel:
        return find_channel(self._slack, None, request["channel"])
