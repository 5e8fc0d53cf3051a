"""What a person can do in a channel: type a command, say something, react, join, use a shortcut."""

import re
from collections.abc import Mapping
from typing import Any

from bot.drill.workspace.answers import answer
from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.delivery import Ack, NotAcknowledgedError
from bot.drill.workspace.errors import DoorError, SlackError
from bot.drill.workspace.payloads import command_payload, shortcut
from bot.drill.workspace.posting import post
from bot.drill.workspace.reacting import react
from bot.drill.workspace.records import BOT_USER, SLACKBOT, Channel, Json, Message, User, UserGroup
from bot.drill.workspace.rooms import join
from bot.drill.workspace.state import new_id
from bot.drill.workspace.triggers import ResponseUrl


def find_user(slack: Slack, name_or_id: str) -> User:
    """Somebody by name or id. Raises `DoorError` user_not_found with the names there are."""
    for user in slack.state.users.values():
        if name_or_id.removeprefix("@") in {user.id, user.name}:
            return user
    raise DoorError("user_not_found", known=[user.name for user in slack.state.users.values()])


def find_channel(slack: Slack, user: User | None, name_or_id: str) -> Channel:
    """A channel by name or id; ``@name`` is that person's direct conversation with `user`, or with the bot.

    Raises `DoorError` channel_not_found with the names there are.
    """
    channel = slack.state.channels.get(name_or_id) or slack.state.named(name_or_id.removeprefix("#"))
    if channel:
        return channel
    if name_or_id.startswith("@"):
        return slack.state.direct(find_user(slack, name_or_id).id, user.id if user else BOT_USER)
    raise DoorError("channel_not_found", known=[one.name for one in slack.state.channels.values() if one.name])


def writable(slack: Slack, user: User, channel: Channel) -> None:
    """Let somebody write in a channel: in a public one they are not in, they join first.

    Raises `DoorError` is_archived or not_in_channel.
    """
    if channel.is_archived:
        raise DoorError("is_archived")
    if user.id in channel.members:
        return
    if channel.is_private:
        raise DoorError("not_in_channel")
    join(slack, channel, user.id)


def readable(slack: Slack, user: User, channel: Channel, ts: str) -> Message:
    """A message that somebody can see. Raises `DoorError` not_in_channel or message_not_found."""
    if channel.is_private and user.id not in channel.members:
        raise DoorError("not_in_channel")
    message = slack.state.messages[channel.id].get(ts)
    if message is None or message.ephemeral_to not in {None, user.id}:
        raise DoorError("message_not_found")
    return message


async def interact(
    slack: Slack,
    kind: str,
    payload: Json,
    user: User,
    *,
    where: Channel | None = None,
    thread_ts: str | None = None,
    what: str = "",
) -> Ack:
    """Deliver an interaction; when the app fails, tell the person as Slack would. Raises `DoorError`."""
    try:
        return await slack.delivery.interact(kind, payload)
    except NotAcknowledgedError as error:
        if where is not None and where.id in slack.state.channels:
            text = f'{what} failed with the error "{error}"'
            post(slack, where, SLACKBOT, text, ephemeral_to=user.id, thread_ts=thread_ts)
        raise DoorError(str(error)) from error


async def command(slack: Slack, user: User, channel: Channel, text: str) -> Json:
    """Type a slash command; what the app answers with its acknowledgement is shown.

    ``/musd pause`` or, where the app has only one command, ``pause``.
    """
    only = slack.manifest.commands[0]["command"] if len(slack.manifest.commands) == 1 else ""
    spelt = text.strip() if text.strip().startswith("/") else f"{only} {text}"
    name, _, rest = spelt.strip().partition(" ")
    known = slack.manifest.command(name)
    if known is None:
        raise DoorError("unknown_command", known=[one["command"] for one in slack.manifest.commands])
    writable(slack, user, channel)
    words = typed(slack, rest.strip(), named=True) if known.get("should_escape") else rest.strip()
    payload = command_payload(slack, user, channel, name, words)
    ack = await interact(slack, "slash_commands", payload, user, where=channel, what=name)
    slack.did(user.name, f"typed {name} {rest.strip()}"[:100])
    if ack.payload:
        said = ack.payload if isinstance(ack.payload, dict) else {"text": str(ack.payload)}
        try:
            answer(slack, ResponseUrl(channel.id, user.id, 0.0, None, None), Arguments(said))
        except SlackError as error:
            post(slack, channel, SLACKBOT, f'{name} failed with the error "{error}"', ephemeral_to=user.id)
            raise DoorError(error.error, **error.beside) from error
    return {"acked_ms": ack.ms}


async def say(slack: Slack, user: User, channel: Channel, text: str, thread_ts: str = "") -> Json:
    """Write a message, in a thread if `thread_ts` names one."""
    if not text.strip():
        raise DoorError("no_text")
    writable(slack, user, channel)
    parent = readable(slack, user, channel, thread_ts) if thread_ts else None
    if parent and parent.ephemeral_to:
        raise DoorError("cannot_reply_to_message")
    thread = (parent.thread_ts or parent.ts) if parent else None
    message = post(slack, channel, user.id, typed(slack, text), thread_ts=thread)
    return {"ts": message.ts}


def typed(slack: Slack, text: str, *, named: bool = False) -> str:
    """Text as Slack keeps it: ``&<>`` escaped, ``@name`` and ``#channel`` turned into references.

    References already written out (``<@U…>``) stay. With `named`, they carry the name too, as commands' do.
    """
    ids = {user.name: user.id for user in slack.state.users.values()}
    rooms = {one.name: one.id for one in slack.state.channels.values() if one.name}

    def reference(match: re.Match[str]) -> str:
        raw, mention, room = match.group("raw"), match.group("user"), match.group("room")
        if raw:
            return f"<@{ids.get(raw, raw)}>"
        if mention in ids:
            return f"<@{ids[mention]}|{mention}>" if named else f"<@{ids[mention]}>"
        if room in rooms:
            return f"<#{rooms[room]}|{room}>"
        return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(match.group(), match.group())

    pattern = r"<@(?P<raw>[\w-]+)>|(?<!\w)@(?P<user>[\w-]+)|(?<!\w)#(?P<room>[\w-]+)|[&<>]"
    return re.sub(pattern, reference, text)


async def add_reaction(slack: Slack, user: User, channel: Channel, ts: str, name: str) -> Json:
    """React to a message."""
    message = readable(slack, user, channel, ts)
    if message.ephemeral_to:
        raise DoorError("message_not_found")
    react(slack, message, user.id, name.strip(":"))
    return {}


async def join_channel(slack: Slack, user: User, channel: Channel) -> Json:
    """Join a public channel."""
    writable(slack, user, channel)
    return {}


async def use_shortcut(
    slack: Slack, user: User, callback_id: str, channel: Channel | None = None, ts: str = ""
) -> Json:
    """Use a shortcut of the manifest: a global one, or with `channel` and `ts` one on a message."""
    wanted = "message" if ts else "global"
    known: list[Mapping[str, Any]] = [one for one in slack.manifest.shortcuts if one["type"] == wanted]
    if callback_id not in {one["callback_id"] for one in known}:
        raise DoorError("unknown_shortcut", known=[one["callback_id"] for one in known])
    if ts and channel is None:
        raise DoorError("channel_not_found")
    message = readable(slack, user, channel, ts) if channel and ts else None
    payload = shortcut(slack, user, callback_id, message)
    ack = await interact(slack, "interactive", payload, user, where=channel, what="The shortcut")
    return {"acked_ms": ack.ms}


async def set_usergroup(slack: Slack, handle: str, users: list[str]) -> Json:
    """Make or change a user group."""
    group = next((one for one in slack.state.groups.values() if one.handle == handle), None)
    if group is None:
        group = UserGroup(new_id("S"), handle)
        slack.state.groups[group.id] = group
    group.users = [find_user(slack, one).id for one in users]
    slack.state.changed()
    return {"id": group.id}
