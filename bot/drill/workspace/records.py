"""What a workspace remembers: users, channels, messages, files, groups and views, as plain records."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

BOT_USER = "U0MUSDBOT01"
BOT_NAME = "musd-bot"
BOT_ID = "B0MUSDBOT01"
APP_ID = "A0MUSDBOT01"
TEAM_ID = "T0MUSD00001"
TEAM_DOMAIN = "musd-practice"
SLACKBOT = "USLACKBOT"

MESSAGE_KINDS = {"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}
"""A channel's kind, as events call it, and the name ``conversations.list`` has for it."""


@dataclass
class User:
    """Somebody with an account: a person, or the bot."""

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False
    team_id: str = TEAM_ID


@dataclass
class Channel:
    """A conversation of any kind; `kind` is channel (public), group (private), im or mpim."""

    id: str
    name: str
    kind: str
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    is_general: bool = False
    is_ext_shared: bool = False
    previous_names: list[str] = field(default_factory=list)
    pins: list[Json] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        """Whether only its members may know that it exists."""
        return self.kind != "channel"


@dataclass
class Message:
    """One message; an ephemeral one names the only person who sees it."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    by_bot: bool = False
    subtype: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    reactions: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    ephemeral_to: str | None = None
    look: Json = field(default_factory=dict)
    """The username and icon the app asked for in place of its own."""


@dataclass
class File:
    """An upload; its bytes lie in the workspace's folder under its id."""

    id: str
    name: str
    title: str
    size: int
    content_type: str
    user: str
    created: int
    uploaded: bool = False
    complete: bool = False
    channels: list[str] = field(default_factory=list)
    thread_ts: str | None = None
    alt: str = ""
    """What a picture shows, in words."""


@dataclass
class UserGroup:
    """A group of people with a handle, such as ``@guardians``."""

    id: str
    handle: str
    users: list[str] = field(default_factory=list)
