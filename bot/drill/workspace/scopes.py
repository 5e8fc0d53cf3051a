"""Which scopes a call needs, and the refusal of one that lacks them."""

from collections.abc import Iterable

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.catalogue import METHODS
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.state import State

_FAMILY = {"channel": "channels:", "group": "groups:", "im": "im:", "mpim": "mpim:"}
_TYPES = {"public_channel": "channels:", "private_channel": "groups:", "im": "im:", "mpim": "mpim:"}


def check_scopes(method: str, args: Arguments, state: State, granted: Iterable[str]) -> None:
    """Refuse a call that the token's scopes do not allow. Raises `SlackError` missing_scope."""
    have = set(granted)
    for alternatives in _needed(method, args, state):
        if alternatives and not have & set(alternatives):
            raise SlackError("missing_scope", needed=",".join(alternatives), provided=",".join(granted))


def _needed(method: str, args: Arguments, state: State) -> list[list[str]]:
    """Groups of alternatives: of every group the token must have one."""
    scopes = list(METHODS[method].scopes)
    families = _families(method, args, state)
    groups = [[one for one in scopes if one.startswith(family)] or scopes for family in families] or [scopes]
    if method in {"chat.postMessage", "chat.postEphemeral"} and any(
        name in args for name in ("username", "icon_emoji", "icon_url")
    ):
        groups.append(["chat:write.customize"])
    return groups


def _families(method: str, args: Arguments, state: State) -> list[str]:
    """The kinds of conversation a ``conversations.*`` call touches, as prefixes of scopes."""
    if method in {"conversations.list", "users.conversations"}:
        return [_TYPES[one] for one in args.words("types") or ["public_channel"] if one in _TYPES]
    if method == "conversations.create":
        return ["groups:" if args.flag("is_private") else "channels:"]
    if method == "conversations.open" and "channel" not in args:
        return ["mpim:" if len(args.words("users")) > 1 else "im:"]
    channel = state.channels.get(args.text("channel"))
    return [_FAMILY[channel.kind]] if method.startswith("conversations.") and channel else []
