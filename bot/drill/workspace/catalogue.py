"""The Web API methods served here: who may call them, how often, and what they must be given."""

from collections.abc import Mapping
from dataclasses import dataclass

CALLS_A_MINUTE = {"t2": 20, "t3": 50, "t4": 100}
"""Slack's rate tiers, in calls a minute and method; ``t5`` is special: chat.postMessage has its own limit."""


@dataclass(frozen=True)
class Method:
    """One method. Any one of its bot token scopes suffices; which of them count depends on the channel's kind."""

    tier: str
    required: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


def _method(tier: str, required: str = "", scopes: str = "") -> Method:
    return Method(tier, tuple(required.split()), tuple(scopes.split()))


_MANAGE = "channels:manage channels:write groups:write im:write mpim:write"
_TOPIC = (
    "channels:manage groups:write im:write mpim:write "
    "channels:write.topic groups:write.topic im:write.topic mpim:write.topic"
)
_INVITE = "channels:manage groups:write im:write mpim:write channels:write.invites groups:write.invites"
_READ = "channels:read groups:read im:read mpim:read"
_HISTORY = "channels:history groups:history im:history mpim:history"

METHODS: Mapping[str, Method] = {
    "api.test": _method("t4"),
    "apps.connections.open": _method("t3"),
    "auth.test": _method("t5"),
    "bookmarks.add": _method("t2", "title type", "bookmarks:write"),
    "bookmarks.list": _method("t3", "", "bookmarks:read"),
    "bots.info": _method("t3", "", "users:read"),
    "chat.delete": _method("t3", "channel ts", "chat:write"),
    "chat.getPermalink": _method("t5", "channel message_ts"),
    "chat.postEphemeral": _method("t4", "channel user", "chat:write"),
    "chat.postMessage": _method("t5", "channel", "chat:write"),
    "chat.update": _method("t3", "channel ts", "chat:write"),
    "conversations.archive": _method("t2", "channel", _MANAGE),
    "conversations.create": _method("t2", "name", _MANAGE),
    "conversations.history": _method("t3", "channel", _HISTORY),
    "conversations.info": _method("t3", "channel", _READ),
    "conversations.invite": _method("t3", "channel users", _INVITE),
    "conversations.join": _method("t3", "channel", "channels:join"),
    "conversations.kick": _method("t3", "channel", "channels:manage groups:write"),
    "conversations.leave": _method("t3", "channel", _MANAGE),
    "conversations.list": _method("t2", "", _READ),
    "conversations.members": _method("t4", "channel", _READ),
    "conversations.open": _method("t3", "", "channels:manage groups:write im:write mpim:write"),
    "conversations.rename": _method("t2", "channel name", _MANAGE),
    "conversations.replies": _method("t3", "channel ts", _HISTORY),
    "conversations.setPurpose": _method("t2", "channel purpose", _TOPIC),
    "conversations.setTopic": _method("t2", "channel topic", _TOPIC),
    "conversations.unarchive": _method("t2", "channel", _MANAGE),
    "files.completeUploadExternal": _method("t4", "files", "files:write"),
    "files.delete": _method("t3", "file", "files:write"),
    "files.getUploadURLExternal": _method("t4", "length filename", "files:write"),
    "files.info": _method("t4", "file", "files:read"),
    "files.list": _method("t3", "", "files:read"),
    "pins.add": _method("t2", "channel", "pins:write"),
    "pins.list": _method("t2", "channel", "pins:read"),
    "reactions.add": _method("t3", "channel name timestamp", "reactions:write"),
    "reactions.get": _method("t3", "", "reactions:read"),
    "team.info": _method("t3", "", "team:read"),
    "usergroups.list": _method("t2", "", "usergroups:read"),
    "usergroups.users.list": _method("t2", "usergroup", "usergroups:read"),
    "users.conversations": _method("t3", "", _READ),
    "users.info": _method("t4", "user", "users:read"),
    "users.list": _method("t2", "", "users:read"),
    "users.lookupByEmail": _method("t3", "email", "users:read.email"),
    "views.open": _method("t4", "view"),
    "views.publish": _method("t4", "user_id view"),
    "views.push": _method("t4", "view"),
    "views.update": _method("t4", "view"),
}
