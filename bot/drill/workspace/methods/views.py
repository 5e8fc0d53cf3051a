"""Modals and App Home: views.*."""

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.blocks import check_view
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError, invalid_arguments
from bot.drill.workspace.modals import view_json
from bot.drill.workspace.records import Json
from bot.drill.workspace.triggers import Trigger


def _open(slack: Slack, args: Arguments) -> Json:
    view = args.parsed("view")
    check_view(view, ("modal",))
    view = slack.windows.open(_trigger(slack, args).user, view)
    slack.state.changed()
    return {"view": view}


def _push(slack: Slack, args: Arguments) -> Json:
    view = args.parsed("view")
    check_view(view, ("modal",))
    trigger = _trigger(slack, args)
    if trigger.view_id is None:
        raise SlackError("not_found")
    view = slack.windows.push(trigger.user, view)
    slack.state.changed()
    return {"view": view}


def _update(slack: Slack, args: Arguments) -> Json:
    if args.missing("view_id") and args.missing("external_id"):
        raise invalid_arguments("missing required field: view_id")
    _, old = slack.windows.find(args.text("view_id"), args.text("external_id"))
    if "hash" in args and args.text("hash") != old["hash"]:
        raise SlackError("hash_conflict")
    view = slack.windows.update(old, args.parsed("view"))
    slack.state.changed()
    return {"view": view}


def _publish(slack: Slack, args: Arguments) -> Json:
    user = slack.state.user(args.text("user_id"))
    old = slack.state.homes.get(user.id)
    if "hash" in args and old is not None and args.text("hash") != old["hash"]:
        raise SlackError("hash_conflict")
    given = args.parsed("view")
    view = view_json(given, kinds=("home",), view_id=old["id"] if old else None)
    slack.state.homes[user.id] = view
    if slack.published.get(user.id) != given:  # the same again is no change: looking would publish, and publishing look
        slack.published[user.id] = given
        slack.state.changed()
    return {"view": view}


def _trigger(slack: Slack, args: Arguments) -> Trigger:
    if args.missing("trigger_id"):
        raise invalid_arguments("missing required field: trigger_id")
    return slack.triggers.redeem(args.text("trigger_id"))


HANDLERS = {"views.open": _open, "views.push": _push, "views.update": _update, "views.publish": _publish}
