"""What a person can see: channels, messages, modals, App Home, files, commands."""

from typing import Any

from bot.drill.workspace.acting import find_channel, find_user
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import DoorError
from bot.drill.workspace.events import emit
from bot.drill.workspace.posting import message_json
from bot.drill.workspace.pressing import label_of, places
from bot.drill.workspace.records import BOT_USER, SLACKBOT, Channel, Json, Message, User


def channels(slack: Slack) -> list[Json]:
    """Every conversation of the workspace, direct ones included under ``@name``."""
    return [
        {
            "id": one.id,
            "name": _name(slack, one),
            "topic": one.topic,
            "purpose": one.purpose,
            "is_private": one.is_private,
            "is_archived": one.is_archived,
            "is_im": one.kind == "im",
            "is_ext_shared": one.is_ext_shared,
            "members": one.members,
            "bookmarks": one.bookmarks,
            "pins": [pin["ts"] for pin in one.pins],
        }
        for one in slack.state.channels.values()
    ]


def _name(slack: Slack, channel: Channel) -> str:
    if channel.kind != "im":
        return channel.name
    others = [one for one in channel.members if one != BOT_USER]
    return "@" + ",".join(slack.state.users[one].name for one in others)


def messages(slack: Slack, channel: str, user: str = "") -> list[Json]:
    """A channel's messages, oldest first: all of them, or those that `user` sees."""
    viewer = find_user(slack, user) if user else None
    room = find_channel(slack, viewer, channel)
    if viewer and room.is_private and viewer.id not in room.members:
        return []
    return [
        _shown(slack, one)
        for one in slack.state.messages[room.id].values()
        if viewer is None or one.ephemeral_to in {None, viewer.id}
    ]


def _shown(slack: Slack, message: Message) -> Json:
    author = slack.state.users.get(message.user)
    buttons = [
        {"label": label_of(element), "action_id": element["action_id"], "style": element.get("style")}
        for _, element, _ in places(message)
        if element["type"] == "button"
    ]
    kept = message_json(slack, message)
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "user": message.user,
        "user_name": message.look.get("username") or (author.name if author else SLACKBOT.lower()),
        "text": message.text,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "buttons": buttons,
        "edited": bool(message.edited),
        "ephemeral_to": message.ephemeral_to,
        "subtype": message.subtype,
        "broadcast": message.broadcast,
        "reactions": kept.get("reactions", []),
        "files": kept.get("files", []),
        "metadata": message.metadata,
    }


def views(slack: Slack, user: str) -> list[Json]:
    """The modals that person has open, the visible one last."""
    return slack.windows.of(find_user(slack, user).id)


def home(slack: Slack, user: str, quiet: str = "") -> Json | None:
    """The App Home published for that person, or None. Asking opens it, which the app is told, unless `quiet`."""
    viewer = find_user(slack, user)
    view = slack.state.homes.get(viewer.id)
    if not quiet:
        _open_home(slack, viewer, view)
    return view


def _open_home(slack: Slack, viewer: User, view: Json | None) -> None:
    channel = slack.state.direct(viewer.id, BOT_USER)
    shown: dict[str, Any] = {"view": view} if view else {}
    emit(slack, "app_home_opened", None, user=viewer.id, channel=channel.id, tab="home", **shown)


def files(slack: Slack) -> list[Json]:
    """Every upload that was completed."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "title": one.title,
            "content_type": one.content_type,
            "alt": one.alt,
            "size": one.size,
            "url": f"{slack.url}/files/{one.id}/{one.name}",
            "user": one.user,
            "channels": one.channels,
            "thread_ts": one.thread_ts,
            "created": one.created,
        }
        for one in slack.state.files.values()
        if one.complete
    ]


def commands(slack: Slack) -> Json:
    """The slash commands and shortcuts that the manifest declares."""
    return {
        "commands": [dict(one) for one in slack.manifest.commands],
        "shortcuts": [dict(one) for one in slack.manifest.shortcuts],
    }


def person_exists(slack: Slack, name: str) -> User:
    """Somebody who can act: known, human and active. Raises `DoorError` user_not_found or account_inactive."""
    user = find_user(slack, name)
    if user.is_bot:
        raise DoorError("user_not_found", detail="the bot acts by itself")
    if user.deleted:
        raise DoorError("account_inactive")
    return user
