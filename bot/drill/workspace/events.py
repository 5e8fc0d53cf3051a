"""Events: what happened in the workspace, told to the app if it subscribed and may know."""

import secrets
import time
from typing import Any

from bot.drill.workspace.core import Slack
from bot.drill.workspace.records import APP_ID, BOT_USER, TEAM_ID, Channel, Json
from bot.drill.workspace.state import new_id

_MESSAGE_EVENTS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


def emit(slack: Slack, kind: str, channel: Channel | None = None, /, **fields: Any) -> None:
    """Tell the app that something of that kind happened, wherever it may know it.

    Message events reach it from channels it is in; other events from public channels too.
    """
    subscription = _MESSAGE_EVENTS[channel.kind] if kind == "message" and channel else kind
    if subscription not in slack.manifest.events:
        return
    if channel and BOT_USER not in channel.members and (channel.is_private or kind in {"message", "app_mention"}):
        return
    stamp = slack.state.new_ts()
    slack.delivery.event(_envelope(slack, {**fields, "type": kind, "event_ts": fields.get("ts", stamp)}, channel))


def emit_channel(slack: Slack, change: str, channel: Channel, actor: str, about: Any = None) -> None:
    """A channel was created, archived, renamed…: ``channel_archive``, or ``group_archive`` for a private one."""
    prefix = "group" if channel.is_private else "channel"
    emit(slack, f"{prefix}_{change}", channel, channel=about or channel.id, actor_id=actor, user=actor)


def _envelope(slack: Slack, event: Json, channel: Channel | None) -> Json:
    authorization = {
        "enterprise_id": None,
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": slack.state.tokens["verification"],
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "authorizations": [authorization],
        "is_ext_shared_channel": bool(channel and channel.is_ext_shared),
        "event_context": f"4-{secrets.token_hex(12)}",
    }
