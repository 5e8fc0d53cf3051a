"""What the app receives when somebody types a command, presses, picks, submits or closes."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.drill.workspace.core import Slack
from bot.drill.workspace.inputs import initial_values, key_of
from bot.drill.workspace.posting import message_json
from bot.drill.workspace.records import APP_ID, TEAM_DOMAIN, TEAM_ID, Channel, Json, Message, User

_CHANNEL_NAMES = {"group": "privategroup", "im": "directmessage", "mpim": "mpdm"}


def response_url(slack: Slack, channel: Channel, user: User, message: Message | None = None) -> str:
    """An address to answer this interaction at."""
    ts, thread = (message.ts, message.thread_ts) if message else (None, None)
    return f"{slack.url}/response/{quote(slack.response_urls.issue(channel.id, user.id, ts, thread))}"


def command_payload(slack: Slack, user: User, channel: Channel, command: str, text: str) -> Json:
    """A slash command, flat and all text, as Slack sends it."""
    return {
        "token": slack.state.tokens["verification"],
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": _CHANNEL_NAMES.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url(slack, channel, user),
        "trigger_id": slack.triggers.issue(user.id),
    }


def _interaction(slack: Slack, kind: str, user: User, view_id: str | None = None) -> Json:
    return {
        "type": kind,
        "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": APP_ID,
        "token": slack.state.tokens["verification"],
        "trigger_id": slack.triggers.issue(user.id, view_id),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def in_message(slack: Slack, kind: str, user: User, message: Message, attachment: int | None) -> Json:
    """The frame of an interaction with an element of a message; an ephemeral message is not sent along."""
    channel = slack.state.channel(message.channel)
    container: Json = {
        "type": "message" if attachment is None else "message_attachment",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    if attachment is not None:
        container["attachment_id"] = attachment
    payload = _interaction(slack, kind, user) | {
        "container": container,
        "channel": {"id": channel.id, "name": _CHANNEL_NAMES.get(channel.kind, channel.name)},
        "response_url": response_url(slack, channel, user, message),
        "state": {"values": message_values(slack, user, message)},
    }
    return payload if message.ephemeral_to else payload | {"message": message_json(slack, message)}


def in_view(slack: Slack, kind: str, user: User, view: Json) -> Json:
    """The frame of an interaction with an element of a modal or of App Home."""
    modal = view["id"] if view["type"] == "modal" else None
    return _interaction(slack, kind, user, modal) | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": view,
    }


def message_values(slack: Slack, user: User, message: Message) -> Json:
    """What that person has chosen in a message's inputs so far."""
    values = initial_values(message.blocks)
    for block_id, actions in slack.choices.get((message.ts, user.id), {}).items():
        if block_id in values:
            values[block_id].update(actions)
    return values


def action_json(block: Mapping[str, Any], element: Mapping[str, Any], state: Mapping[str, Any] | None) -> Json:
    """One entry of ``actions``: the element and what was chosen."""
    action = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": f"{time.time():.6f}",
    }
    if element["type"] == "button":
        return action | {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    key = key_of(element)
    return action | {key: (state or {}).get(key)}


def submission(slack: Slack, user: User, view: Json) -> Json:
    """A modal submitted, with addresses to answer at where its conversation pickers ask for them."""
    urls = []
    for block in view["blocks"]:
        element = block.get("element", {})
        chosen = view["state"]["values"].get(block["block_id"], {}).get(element.get("action_id"), {})
        target = chosen.get("selected_conversation") or chosen.get("selected_channel")
        if element.get("response_url_enabled") and target:
            address = response_url(slack, slack.state.channel(target), user)
            where = {"block_id": block["block_id"], "action_id": element["action_id"], "channel_id": target}
            urls.append({**where, "response_url": address})
    return _interaction(slack, "view_submission", user, view["id"]) | {"view": view, "response_urls": urls}


def closing(slack: Slack, user: User, view: Json) -> Json:
    """A modal closed without being submitted."""
    payload = _interaction(slack, "view_closed", user) | {"view": view, "is_cleared": False}
    del payload["trigger_id"]
    return payload


def shortcut(slack: Slack, user: User, callback_id: str, message: Message | None) -> Json:
    """A global shortcut, or one on a message."""
    stamp = f"{time.time():.6f}"
    if message is None:
        return _interaction(slack, "shortcut", user) | {"callback_id": callback_id, "action_ts": stamp}
    channel = slack.state.channel(message.channel)
    return _interaction(slack, "message_action", user) | {
        "callback_id": callback_id,
        "action_ts": stamp,
        "message_ts": message.ts,
        "message": message_json(slack, message),
        "channel": {"id": channel.id, "name": _CHANNEL_NAMES.get(channel.kind, channel.name)},
        "response_url": response_url(slack, channel, user, message),
    }
