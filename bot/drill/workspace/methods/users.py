"""People and groups of them: users.* and usergroups.*."""

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.conversations import listed
from bot.drill.workspace.methods.paging import page
from bot.drill.workspace.records import BOT_USER, TEAM_ID, Json
from bot.drill.workspace.showing import email_of, user_json


def _info(slack: Slack, args: Arguments) -> Json:
    return {"user": user_json(slack, slack.state.user(args.text("user")))}


def _list(slack: Slack, args: Arguments) -> Json:
    members, onwards = page([user_json(slack, one) for one in slack.state.users.values()], args)
    return {"members": members, "cache_ts": 1_700_000_000, **onwards}


def _conversations(slack: Slack, args: Arguments) -> Json:
    user = slack.state.user(args.text("user", BOT_USER))
    together = [
        one
        for one in slack.state.channels.values()
        if user.id in one.members and (not one.is_private or BOT_USER in one.members)
    ]
    return listed(together, args)


def _by_email(slack: Slack, args: Arguments) -> Json:
    for user in slack.state.users.values():
        if not user.is_bot and not user.deleted and email_of(user) == args.text("email").lower():
            return {"user": user_json(slack, user)}
    raise SlackError("users_not_found")


def _groups(slack: Slack, args: Arguments) -> Json:
    shown = []
    for group in slack.state.groups.values():
        one: Json = {
            "id": group.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "handle": group.handle,
            "name": group.handle,
            "description": "",
            "is_external": False,
            "date_delete": 0,
            "user_count": len(group.users),
        }
        shown.append(one | ({"users": group.users} if args.flag("include_users") else {}))
    return {"usergroups": shown}


def _group_users(slack: Slack, args: Arguments) -> Json:
    group = slack.state.groups.get(args.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": group.users}


HANDLERS = {
    "users.info": _info,
    "users.list": _list,
    "users.conversations": _conversations,
    "users.lookupByEmail": _by_email,
    "usergroups.list": _groups,
    "usergroups.users.list": _group_users,
}
