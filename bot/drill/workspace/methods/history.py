"""What was said: conversations.history and conversations.replies."""

import re

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.paging import page
from bot.drill.workspace.methods.reach import entered
from bot.drill.workspace.posting import message_json
from bot.drill.workspace.records import Json, Message


def _history(slack: Slack, args: Arguments) -> Json:
    channel = entered(slack, args)
    top = [one for one in slack.state.messages[channel.id].values() if one.thread_ts is None or one.broadcast]
    return _told(slack, args, _between(top, args)[::-1])


def _replies(slack: Slack, args: Arguments) -> Json:
    channel = entered(slack, args)
    first = slack.state.messages[channel.id].get(args.text("ts"))
    if first is None or first.ephemeral_to:
        raise SlackError("thread_not_found")
    parent = slack.state.messages[channel.id].get(first.thread_ts or first.ts, first)
    return _told(slack, args, [parent, *_between(slack.state.thread(parent), args)], most=1000)


def _told(slack: Slack, args: Arguments, messages: list[Message], most: int = 999) -> Json:
    chosen, onwards = page(messages, args, most=most)
    metadata = args.flag("include_all_metadata")
    more = bool(onwards["response_metadata"]["next_cursor"])
    shown = [message_json(slack, one, metadata=metadata) for one in chosen]
    return {"messages": shown, "has_more": more, **(onwards if more else {})}


def _between(messages: list[Message], args: Arguments) -> list[Message]:
    """Those everybody sees, from oldest to latest; the bounds themselves only if ``inclusive``."""
    oldest, latest = _bound(args, "oldest"), _bound(args, "latest")
    ends = args.flag("inclusive")
    return [
        one
        for one in messages
        if one.ephemeral_to is None
        and (oldest is None or one.ts > oldest or (ends and one.ts == oldest))
        and (latest is None or one.ts < latest or (ends and one.ts == latest))
    ]


def _bound(args: Arguments, name: str) -> str | None:
    """A timestamp in the form that compares as text."""
    given = args.text(name)
    if given in {"", "0", "now"}:
        return None
    if not re.fullmatch(r"\d{1,10}(\.\d{1,6})?", given):
        raise SlackError(f"invalid_ts_{name}")
    seconds, _, micros = given.partition(".")
    return f"{seconds:0>10}.{micros:0<6}"


HANDLERS = {"conversations.history": _history, "conversations.replies": _replies}
