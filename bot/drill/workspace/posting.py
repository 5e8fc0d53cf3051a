"""Messages: written, changed and deleted, by people and by the app alike, and how Slack shows them as JSON."""

import re
from typing import Any

from bot.drill.workspace.core import Slack
from bot.drill.workspace.events import emit
from bot.drill.workspace.records import APP_ID, BOT_ID, BOT_NAME, BOT_USER, TEAM_ID, Channel, Json, Message
from bot.drill.workspace.showing import file_json


def post(slack: Slack, channel: Channel, user: str, text: str, **more: Any) -> Message:
    """Write a message and tell the app; an ephemeral one it is not told of."""
    message = Message(channel.id, slack.state.new_ts(), user, text, **more)
    slack.state.add_message(message)
    slack.state.changed(channel.id)
    if message.ephemeral_to is None:
        shown = message_json(slack, message)
        emit(slack, "message", channel, **shown, channel=channel.id, channel_type=channel.kind)
        if not message.by_bot and channel.kind != "im" and re.search(f"<@{BOT_USER}(\\||>)", text):
            emit(slack, "app_mention", channel, **shown, channel=channel.id)
    return message


def change(slack: Slack, message: Message, **fields: Any) -> None:
    """Replace parts of a message, mark it edited and tell the app."""
    before = message_json(slack, message)
    for name, value in fields.items():
        setattr(message, name, value)
    message.edited = {"user": message.user, "ts": slack.state.new_ts()}
    slack.state.changed(message.channel)
    if message.ephemeral_to is None:
        _emit_hidden(slack, "message_changed", message, message=message_json(slack, message), previous_message=before)


def delete(slack: Slack, message: Message) -> None:
    """Take a message away and tell the app."""
    slack.state.drop_message(message)
    slack.state.changed(message.channel)
    if message.ephemeral_to is None:
        gone = message_json(slack, message)
        _emit_hidden(slack, "message_deleted", message, deleted_ts=message.ts, previous_message=gone)


def _emit_hidden(slack: Slack, subtype: str, message: Message, /, **fields: Any) -> None:
    channel = slack.state.channel(message.channel)
    emit(
        slack,
        "message",
        channel,
        subtype=subtype,
        hidden=True,
        channel=channel.id,
        channel_type=channel.kind,
        ts=slack.state.new_ts(),
        **fields,
    )


def message_json(slack: Slack, message: Message, *, metadata: bool = False) -> Json:
    """A message as the Web API and events show it; its metadata only where asked for."""
    shown: Json = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts, "team": TEAM_ID}
    if message.subtype:
        shown["subtype"] = message.subtype
    if message.by_bot:
        profile = {"id": BOT_ID, "app_id": APP_ID, "name": BOT_NAME, "deleted": False, "team_id": TEAM_ID}
        shown.update(bot_id=BOT_ID, app_id=APP_ID, bot_profile=profile, **message.look)
    for name in ("blocks", "attachments", "edited"):
        if getattr(message, name):
            shown[name] = getattr(message, name)
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    if message.files:
        shown["files"] = [file_json(slack, slack.state.files[one]) for one in message.files]
    if message.reactions:
        shown["reactions"] = [{**one, "count": len(one["users"])} for one in message.reactions]
    return shown | _thread_json(slack, message)


def _thread_json(slack: Slack, message: Message) -> Json:
    if message.thread_ts:
        parent = slack.state.messages[message.channel].get(message.thread_ts)
        return {"thread_ts": message.thread_ts, **({"parent_user_id": parent.user} if parent else {})}
    replies = slack.state.thread(message)
    if not replies:
        return {}
    users = list(dict.fromkeys(one.user for one in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
    }
