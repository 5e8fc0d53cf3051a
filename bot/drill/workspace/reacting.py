"""Reactions, by people and by the app."""

import re

from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.events import emit
from bot.drill.workspace.records import Message


def react(slack: Slack, message: Message, user: str, name: str) -> None:
    """Add an emoji to a message and tell the app. Raises `SlackError` invalid_name or already_reacted."""
    if not re.fullmatch(r"[a-z0-9_+'-]+", name):
        raise SlackError("invalid_name")
    reaction = next((one for one in message.reactions if one["name"] == name), None)
    if reaction is None:
        reaction = {"name": name, "users": []}
        message.reactions.append(reaction)
    if user in reaction["users"]:
        raise SlackError("already_reacted")
    reaction["users"].append(user)
    slack.state.changed(message.channel)
    item = {"type": "message", "channel": message.channel, "ts": message.ts}
    channel = slack.state.channel(message.channel)
    emit(slack, "reaction_added", channel, user=user, reaction=name, item_user=message.user, item=item)
