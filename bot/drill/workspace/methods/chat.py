"""Messages: chat.*."""

import json
from typing import Any

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.blocks import MESSAGE_TEXT, check_attachments, check_blocks
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.methods.reach import alive, entered, seen
from bot.drill.workspace.posting import change, delete, message_json, post
from bot.drill.workspace.records import BOT_USER, Channel, Json, Message


def content(args: Arguments) -> Json:
    """What a message says: the text, blocks, attachments and metadata that were given, checked.

    Raises `SlackError` as Slack does for each of them. What was not given is not in the answer.
    """
    given: Json = {}
    if "text" in args:
        given["text"] = args.text("text")
        if len(given["text"]) > MESSAGE_TEXT:
            raise SlackError("msg_too_long")
    if args.parsed("blocks") is not None:
        given["blocks"] = check_blocks(args.parsed("blocks"))
    if args.parsed("attachments") is not None:
        given["attachments"] = check_attachments(args.parsed("attachments"))
    if args.parsed("metadata") is not None:
        given["metadata"] = _metadata(args.parsed("metadata"))
    return given


def _metadata(metadata: Any) -> Json:
    if not isinstance(metadata, dict) or metadata.keys() - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata["event_payload"])) > 8000:
        raise SlackError("metadata_too_large")
    return metadata


def _said(args: Arguments) -> Json:
    given = content(args)
    if not (given.get("text") or given.get("blocks") or given.get("attachments")):
        raise SlackError("no_text")
    return {"text": "", **given}


def _look(args: Arguments) -> Json:
    icons = {name: args.text(f"icon_{name}") for name in ("emoji", "url") if f"icon_{name}" in args}
    return {
        **({"username": args.text("username")} if "username" in args else {}),
        **({"icons": icons} if icons else {}),
    }


def thread_of(slack: Slack, channel: Channel, args: Arguments) -> str | None:
    """The thread a message goes to. Raises `SlackError` cannot_reply_to_message where none can begin."""
    ts = args.text("thread_ts")
    if not ts:
        return None
    parent = slack.state.messages[channel.id].get(ts)
    if parent is None or parent.ephemeral_to or parent.thread_ts:
        raise SlackError("cannot_reply_to_message")
    return ts


def target(slack: Slack, args: Arguments) -> Channel:
    """Where a message goes: a channel by id or ``#name``, or a person's direct conversation by their user id."""
    wanted = args.text("channel")
    if wanted in slack.state.users:
        return slack.state.direct(BOT_USER, wanted)
    named = slack.state.named(wanted.removeprefix("#"))
    return seen(slack, Arguments({"channel": named.id if named else wanted}))


def _post_message(slack: Slack, args: Arguments) -> Json:
    channel = alive(target(slack, args))
    if BOT_USER not in channel.members and "chat:write.public" not in slack.manifest.scopes:
        raise SlackError("not_in_channel")
    said = _said(args)
    more: Json = {"thread_ts": thread_of(slack, channel, args), "look": _look(args)}
    if args.flag("reply_broadcast"):
        more["broadcast"] = True
    message = post(slack, channel, BOT_USER, by_bot=True, **said, **more)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(slack, message, metadata=True)}


def _post_ephemeral(slack: Slack, args: Arguments) -> Json:
    channel = alive(entered(slack, args))
    if args.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    said = _said(args)
    thread = args.text("thread_ts") or None
    message = post(
        slack,
        channel,
        BOT_USER,
        by_bot=True,
        ephemeral_to=args.text("user"),
        thread_ts=thread,
        look=_look(args),
        **said,
    )
    return {"message_ts": message.ts}


def _own(slack: Slack, channel: Channel, ts: str, refusal: str) -> Message:
    message = slack.state.message(channel.id, ts)
    if message.ephemeral_to:
        raise SlackError("message_not_found")
    if message.user != BOT_USER or message.subtype:
        raise SlackError(refusal)
    return message


def _update(slack: Slack, args: Arguments) -> Json:
    channel = alive(seen(slack, args))
    message = _own(slack, channel, args.text("ts"), "cant_update_message")
    given = content(args)
    if not given:
        raise SlackError("no_text")
    change(slack, message, **given)
    shown = message_json(slack, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def _delete(slack: Slack, args: Arguments) -> Json:
    channel = seen(slack, args)
    message = _own(slack, channel, args.text("ts"), "cant_delete_message")
    delete(slack, message)
    return {"channel": channel.id, "ts": message.ts}


def _permalink(slack: Slack, args: Arguments) -> Json:
    channel = seen(slack, args)
    message = slack.state.message(channel.id, args.text("message_ts"))
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {
        "channel": channel.id,
        "permalink": f"{slack.url}/archives/{channel.id}/p{message.ts.replace('.', '')}{thread}",
    }


HANDLERS = {
    "chat.postMessage": _post_message,
    "chat.postEphemeral": _post_ephemeral,
    "chat.update": _update,
    "chat.delete": _delete,
    "chat.getPermalink": _permalink,
}
