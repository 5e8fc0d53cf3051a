"""Channels: join, leave, invite, archive, rename; the same for the app, for people and for faults."""

import re

from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.events import emit, emit_channel
from bot.drill.workspace.posting import post
from bot.drill.workspace.records import BOT_USER, TEAM_ID, Channel
from bot.drill.workspace.showing import channel_json


def check_name(slack: Slack, name: str) -> None:
    """Refuse a name no channel may have. Raises `SlackError` invalid_name…, name_taken."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > 80:
        raise SlackError("invalid_name_maxlength")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise SlackError("invalid_name_specials")
    if re.fullmatch(r"[_-]+", name):
        raise SlackError("invalid_name_punctuation")
    if slack.state.named(name) is not None:
        raise SlackError("name_taken")


def join(slack: Slack, channel: Channel, user: str, inviter: str | None = None) -> None:
    """Make somebody a member, with the notice Slack writes and the event it sends."""
    channel.members.append(user)
    _notice(slack, channel, user, "channel_join", f"<@{user}> has joined the channel")
    letter = "G" if channel.is_private else "C"
    invited = {"inviter": inviter} if inviter else {}
    emit(
        slack,
        "member_joined_channel",
        channel,
        user=user,
        channel=channel.id,
        channel_type=letter,
        team=TEAM_ID,
        **invited,
    )


def leave(slack: Slack, channel: Channel, user: str) -> None:
    """End somebody's membership, by their own will or not."""
    channel.members.remove(user)
    _notice(slack, channel, user, "channel_leave", f"<@{user}> has left the channel")
    letter = "G" if channel.is_private else "C"
    emit(slack, "member_left_channel", channel, user=user, channel=channel.id, channel_type=letter, team=TEAM_ID)


def archive(slack: Slack, channel: Channel, actor: str, *, archived: bool = True) -> None:
    """Archive a channel, or bring it back."""
    change = "archive" if archived else "unarchive"
    _notice(slack, channel, actor, f"channel_{change}", f"<@{actor}> {change}d the channel")
    channel.is_archived = archived
    slack.state.changed()
    emit_channel(slack, change, channel, actor)


def rename(slack: Slack, channel: Channel, name: str, actor: str) -> None:
    """Give a channel another name. Raises `SlackError` as `check_name` does."""
    check_name(slack, name)
    channel.previous_names.append(channel.name)
    old, channel.name = channel.name, name
    _notice(slack, channel, actor, "channel_name", f'<@{actor}> has renamed the channel from "{old}" to "{name}"')
    slack.state.changed()
    about = {key: channel_json(channel)[key] for key in ("id", "name", "name_normalized", "created", "is_channel")}
    emit_channel(slack, "rename", channel, actor, about)


def remove(slack: Slack, channel: Channel, actor: str) -> None:
    """Delete a channel and all it holds: only people can, and there is no way back."""
    emit_channel(slack, "deleted", channel, actor)
    del slack.state.channels[channel.id]
    del slack.state.messages[channel.id]
    slack.state.changed()


def set_topic(slack: Slack, channel: Channel, field: str, value: str, actor: str = BOT_USER) -> None:
    """Set the topic or the purpose. Raises `SlackError` too_long beyond 250 characters."""
    if len(value) > 250:
        raise SlackError("too_long")
    setattr(channel, field, value)
    _notice(slack, channel, actor, f"channel_{field}", f"<@{actor}> set the channel {field}: {value}")


def _notice(slack: Slack, channel: Channel, user: str, subtype: str, text: str) -> None:
    if channel.kind in {"channel", "group"}:
        post(slack, channel, user, text, subtype=subtype)
