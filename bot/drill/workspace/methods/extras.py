"""What hangs on messages and channels: reactions, pins, bookmarks."""

import re
import time

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.reach import alive, entered, seen
from bot.drill.workspace.posting import message_json
from bot.drill.workspace.reacting import react
from bot.drill.workspace.records import BOT_USER, Json, Message
from bot.drill.workspace.state import new_id


def _message(slack: Slack, args: Arguments, channel: str) -> Message:
    ts = args.text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not re.fullmatch(r"\d+\.\d+", ts):
        raise SlackError("bad_timestamp")
    message = slack.state.message(channel, ts)
    if message.ephemeral_to:
        raise SlackError("message_not_found")
    return message


def _react(slack: Slack, args: Arguments) -> Json:
    channel = alive(seen(slack, args))
    react(slack, _message(slack, args, channel.id), BOT_USER, args.text("name"))
    return {}


def _reactions(slack: Slack, args: Arguments) -> Json:
    channel = seen(slack, args)
    message = _message(slack, args, channel.id)
    return {"type": "message", "channel": channel.id, "message": message_json(slack, message)}


def _pin(slack: Slack, args: Arguments) -> Json:
    channel = alive(entered(slack, args))
    message = _message(slack, args, channel.id)
    if any(one["ts"] == message.ts for one in channel.pins):
        raise SlackError("already_pinned")
    channel.pins.append({"ts": message.ts, "created": int(time.time()), "created_by": BOT_USER})
    slack.state.changed(channel.id)
    return {}


def _pins(slack: Slack, args: Arguments) -> Json:
    channel = seen(slack, args)
    messages = slack.state.messages[channel.id]
    items = [
        {
            "type": "message",
            "channel": channel.id,
            "created": one["created"],
            "created_by": one["created_by"],
            "message": message_json(slack, messages[one["ts"]]),
        }
        for one in reversed(channel.pins)
        if one["ts"] in messages
    ]
    return {"items": items}


def _bookmark(slack: Slack, args: Arguments) -> Json:
    channel = alive(entered(slack, args, "channel_id"))
    if args.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if not re.fullmatch(r"https?://\S+", args.text("link")):
        raise SlackError("invalid_link")
    if len(channel.bookmarks) >= 100:
        raise SlackError("too_many_bookmarks")
    made = {
        "id": new_id("Bk"),
        "channel_id": channel.id,
        "title": args.text("title"),
        "link": args.text("link"),
        "emoji": args.text("emoji"),
        "type": "link",
        "date_created": int(time.time()),
        "last_updated_by_user_id": BOT_USER,
    }
    channel.bookmarks.append(made)
    slack.state.changed(channel.id)
    return {"bookmark": made}


def _bookmarks(slack: Slack, args: Arguments) -> Json:
    return {"bookmarks": seen(slack, args, "channel_id").bookmarks}


HANDLERS = {
    "reactions.add": _react,
    "reactions.get": _reactions,
    "pins.add": _pin,
    "pins.list": _pins,
    "bookmarks.add": _bookmark,
    "bookmarks.list": _bookmarks,
}
