"""Who is in a channel: invite, join, leave, kick, members."""

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.paging import page
from bot.drill.workspace.methods.reach import alive, entered, only, seen
from bot.drill.workspace.records import BOT_USER, Channel, Json
from bot.drill.workspace.rooms import join, leave
from bot.drill.workspace.showing import channel_json


def _invite(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(entered(slack, args), "channel", "group"))
    users = args.words("users")
    if len(users) > 100:
        raise SlackError("too_many_users")
    errors = [{"user": user, "ok": False, "error": why} for user in users if (why := _obstacle(slack, channel, user))]
    welcome = [user for user in users if user not in {one["user"] for one in errors}]
    if errors and not (args.flag("force") and welcome):
        raise SlackError(str(errors[0]["error"]), errors=errors)
    for user in welcome:
        join(slack, channel, user, inviter=BOT_USER)
    return {"channel": channel_json(channel), **({"errors": errors} if errors else {})}


def _obstacle(slack: Slack, channel: Channel, user: str) -> str | None:
    """Why somebody can't be invited, as Slack's error; None when they can."""
    if user == BOT_USER:
        return "cant_invite_self"
    if user not in slack.state.users:
        return "user_not_found"
    if slack.state.users[user].deleted:
        return "cant_invite"
    return "already_in_channel" if user in channel.members else None


def _join(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(seen(slack, args), "channel"))
    if BOT_USER in channel.members:
        return {"channel": channel_json(channel), "warning": "already_in_channel"}
    join(slack, channel, BOT_USER)
    return {"channel": channel_json(channel)}


def _leave(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(seen(slack, args), "channel", "group"))
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if BOT_USER not in channel.members:
        return {"not_in_channel": True}
    if channel.members == [BOT_USER]:
        raise SlackError("last_member")
    leave(slack, channel, BOT_USER)
    return {}


def _kick(slack: Slack, args: Arguments) -> Json:
    channel = alive(only(entered(slack, args), "channel", "group"))
    user = slack.state.user(args.text("user"))
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    if user.id == BOT_USER:
        raise SlackError("cant_kick_self")
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    leave(slack, channel, user.id)
    return {"errors": {}}


def _members(slack: Slack, args: Arguments) -> Json:
    members, onwards = page(seen(slack, args).members, args)
    return {"members": members, **onwards}


HANDLERS = {
    "conversations.invite": _invite,
    "conversations.join": _join,
    "conversations.leave": _leave,
    "conversations.kick": _kick,
    "conversations.members": _members,
}
