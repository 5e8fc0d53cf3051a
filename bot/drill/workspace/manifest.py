"""The app manifest, as far as a workspace reads it: scopes, events, commands and shortcuts."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

EVENT_SCOPES: Mapping[str, str] = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_created": "channels:read",
    "channel_deleted": "channels:read",
    "channel_rename": "channels:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
    "group_deleted": "groups:read",
    "group_rename": "groups:read",
    "pin_added": "pins:read",
    "file_shared": "files:read",
    "user_change": "users:read",
    "team_join": "users:read",
    "subteam_updated": "usergroups:read",
    "subteam_created": "usergroups:read",
}
"""The scope without which Slack does not send an event, however often one subscribes to it."""


@dataclass(frozen=True)
class Manifest:
    """What the app asked for when it was installed."""

    scopes: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    commands: tuple[Mapping[str, Any], ...] = ()
    shortcuts: tuple[Mapping[str, Any], ...] = ()

    def command(self, name: str) -> Mapping[str, Any] | None:
        """The slash command of that name, slash included."""
        return next((one for one in self.commands if one["command"] == name), None)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest in YAML. Raises `OSError` without the file and `KeyError` without ``oauth_config.scopes.bot``."""
    written = yaml.safe_load(path.read_text())
    features = written.get("features") or {}
    scopes = tuple(written["oauth_config"]["scopes"]["bot"])
    subscribed = ((written.get("settings") or {}).get("event_subscriptions") or {}).get("bot_events") or []
    lacking = sorted(event for event in subscribed if EVENT_SCOPES.get(event) not in {None, *scopes})
    for event in lacking:
        print(f"slack: {path.name} subscribes to {event} without {EVENT_SCOPES[event]}: not sent", file=sys.stderr)  # noqa: T201  an operator's mistake belongs on stderr
    return Manifest(
        scopes=scopes,
        events=frozenset(subscribed) - frozenset(lacking),
        commands=tuple(features.get("slash_commands") or ()),
        shortcuts=tuple(features.get("shortcuts") or ()),
    )
