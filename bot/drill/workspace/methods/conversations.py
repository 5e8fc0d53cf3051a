"""Channels as a whole: create, archive, rename, describe, list, open."""

from collections.abc import Iterable

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.events import emit_channel
from bot.drill.workspace.methods.paging import page
from bot.drill.workspace.methods.reach import alive, entered, only, seen
from bot.drill.workspace.records import BOT_USER, MESSAGE_KINDS, Channel, Json
from bot.drill.workspace.rooms import archive, check_name, rename, set_topic
from bot.drill.workspace.showing import channel_json


def _create(slack: Slack, args: Arguments) -> Json:
    name = args.text("name")
    check_name(slack, name)
    channel = slack.state.add_channel(name, "group" if args.flag("is_private") else "channel", BOT_USER)
    if not channel.is_private:
        emit_channel(slack, "created", channel, BOT_USER, channel_json(channel))
    return {"channel": channel_json(channel)}


def _archive(slack: Slack, args: Arguments) -> Json:
    channel = only(entered(slack, args), "channel", "group")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if channel.is_archived:
        raise SlackError("already_archived")
    archive(slack, channel, BOT_USER)
    return {}


def _unarchive(slack: Slack, args: Arguments) -> Json:
    channel = only(seen(slack, args), "channel", "group")
    if not channel.is_archived:
        raise SlackError("not_archived")
    archive(slack, channel, BOT_USER, archived=False)
    return {}


def _rename(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(entered(slack, args), "channel", "group"))
    if channel.creator != BOT_USER:
        raise SlackError("not_authorized")
    rename(slack, channel, args.text("name"), BOT_USER)
    return {"channel": channel_json(channel)}


def _set_topic(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(entered(slack, args), "channel", "group"))
    set_topic(slack, channel, "topic", args.text("topic"))
    return {"channel": channel_json(channel), "topic": channel.topic}


def _set_purpose(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(entered(slack, args), "channel", "group"))
    set_topic(slack, channel, "purpose", args.text("purpose"))
    return {"channel": channel_json(channel), "purpose": channel.purpose}


def _info(slack: Slack, args: Arguments) -> Json:
    return {"channel": channel_json(seen(slack, args), members=args.flag("include_num_members"))}


def listed(channels: Iterable[Channel], args: Arguments) -> Json:
    """A page of those channels, of the types and states asked for. Raises `SlackError` invalid_types."""
    types = set(args.words("types")) or {"public_channel"}
    if types - set(MESSAGE_KINDS.values()):
        raise SlackError("invalid_types")
    hidden = args.flag("exclude_archived")
    chosen = [one for one in channels if MESSAGE_KINDS[one.kind] in types and not (hidden and one.is_archived)]
    shown, onwards = page([channel_json(one, members=True) for one in chosen], args)
    return {"channels": shown, **onwards}


def _list(slack: Slack, args: Arguments) -> Json:
    visible = [one for one in slack.state.channels.values() if not one.is_private or BOT_USER in one.members]
    return listed(visible, args)


def _open(slack: Slack, args: Arguments) -> Json:
    if "channel" in args:
        return {"channel": channel_json(only(seen(slack, args), "im", "mpim"))}
    users = args.words("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 8:
        raise SlackError("too_many_users")
    for user in users:
        if slack.state.user(user).deleted:
            raise SlackError("user_disabled")
    channel = slack.state.direct(BOT_USER, users[0]) if len(users) == 1 else _group(slack, users)
    return {"channel": channel_json(channel) if args.flag("return_im") else {"id": channel.id}}


def _group(slack: Slack, users: list[str]) -> Channel:
    for channel in slack.state.channels.values():
        if channel.kind == "mpim" and set(channel.members) == {BOT_USER, *users}:
            return channel
    names = "--".join(slack.state.user(one).name for one in users)
    return slack.state.add_channel(f"mpdm-musd-bot--{names}-1", "mpim", BOT_USER, users)


HANDLERS = {
    "conversations.create": _create,
    "conversations.archive": _archive,
    "conversations.unarchive": _unarchive,
    "conversations.rename": _rename,
    "conversations.setTopic": _set_topic,
    "conversations.setPurpose": _set_purpose,
    "conversations.info": _info,
    "conversations.list": _list,
    "conversations.open": _open,
}
