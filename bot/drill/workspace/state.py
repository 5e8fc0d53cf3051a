"""The workspace's memory: look things up, hand out ids and timestamps, save and restore."""

import secrets
import string
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.drill.part import read_json, write_json
from bot.drill.people import PEOPLE
from bot.drill.workspace.errors import SlackError
from bot.drill.workspace.records import BOT_NAME, BOT_USER, Channel, File, Json, Message, User, UserGroup

FIRST_CHANNELS = ("general", "musd-alerts", "musd-protocol-eng", "musd-infra", "musd-security", "musd-audit")
_LETTERS = string.ascii_uppercase + string.digits


def new_id(prefix: str) -> str:
    """An id that looks like Slack's: a letter for the kind, then ten capitals and digits."""
    return prefix + "0" + "".join(secrets.choice(_LETTERS) for _ in range(9))


class State:
    """Everything that is kept, and who wants to hear when it changes."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        """Channel id to ts to message, in the order they were written."""
        self._threads: dict[tuple[str, str], list[str]] = {}
        """Channel id and first message's ts to the replies' ts."""
        self.files: dict[str, File] = {}
        self.groups: dict[str, UserGroup] = {}
        self.homes: dict[str, Json] = {}
        """User id to the App Home view published for them."""
        self.tokens: dict[str, str] = {}
        self.listeners: list[Callable[[str | None], None]] = []
        self._last_ts = 0
        self._unsaved = True

    def changed(self, channel: str | None = None) -> None:
        """Note that something is different now, in one channel or (None) elsewhere, and tell the listeners."""
        self._unsaved = True
        for listener in self.listeners:
            listener(channel)

    def new_ts(self) -> str:
        """The present time as a message's timestamp, later than every one before it."""
        self._last_ts = max(time.time_ns() // 1000, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def user(self, user_id: str) -> User:
        """The user with that id. Raises `SlackError` user_not_found."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        """The channel with that id. Raises `SlackError` channel_not_found."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def named(self, name: str) -> Channel | None:
        """The channel of that name, archived ones included: they keep their names."""
        return next(
            (one for one in self.channels.values() if one.name == name and one.kind in {"channel", "group"}), None
        )

    def message(self, channel_id: str, ts: str) -> Message:
        """That message. Raises `SlackError` message_not_found."""
        found = self.messages.get(channel_id, {}).get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def thread(self, parent: Message) -> list[Message]:
        """The replies to a message that everybody in the channel sees, oldest first."""
        messages = self.messages[parent.channel]
        return [messages[ts] for ts in self._threads.get((parent.channel, parent.ts), ())]

    def add_message(self, message: Message) -> None:
        """Keep a message, and count it to its thread."""
        self.messages[message.channel][message.ts] = message
        if message.thread_ts and message.ephemeral_to is None:
            self._threads.setdefault((message.channel, message.thread_ts), []).append(message.ts)

    def drop_message(self, message: Message) -> None:
        """Forget a message."""
        del self.messages[message.channel][message.ts]
        if message.thread_ts and message.ephemeral_to is None:
            self._threads[message.channel, message.thread_ts].remove(message.ts)

    def add_channel(self, name: str, kind: str, creator: str, members: Iterable[str] = ()) -> Channel:
        """A new channel, its creator the first member."""
        prefix = {"im": "D", "mpim": "G"}.get(kind, "C")
        everyone = list(dict.fromkeys([creator, *members]))
        made = Channel(new_id(prefix), name, kind, creator, int(time.time()), everyone)
        self.channels[made.id] = made
        self.messages[made.id] = {}
        self.changed()
        return made

    def direct(self, one: str, other: str) -> Channel:
        """The direct conversation of two users, opened when there is none yet."""
        for channel in self.channels.values():
            if channel.kind == "im" and set(channel.members) == {one, other}:
                return channel
        return self.add_channel("", "im", one, [other])

    def populate(self) -> None:
        """A first start: the practice people, the bot, and the channels the bot's settings name."""
        people = [User(one.id, one.name, one.real_name) for one in PEOPLE]
        bot = User(BOT_USER, BOT_NAME, "mUSD bot", is_bot=True)
        self.users = {user.id: user for user in [*people, bot]}
        for name in FIRST_CHANNELS:
            self.add_channel(name, "channel", people[0].id, [one.id for one in people])
        for channel in self.channels.values():
            channel.is_general = channel.name == "general"
            if not channel.is_general:
                channel.members.append(BOT_USER)
        guardians = [one.id for one in PEOPLE if one.roles[:1] == ("guardian",)]
        self.groups = {"S0GUARDIANS": UserGroup("S0GUARDIANS", "musd-guardians", guardians)}
        self.tokens = {
            "bot": f"xoxb-{secrets.token_hex(16)}",
            "app": f"xapp-1-{secrets.token_hex(16)}",
            "signing": secrets.token_hex(16),
            "verification": secrets.token_hex(12),
        }

    def load(self, folder: Path) -> None:
        """Continue from the folder's ``workspace.json``, or begin anew where there is none."""
        kept = read_json(folder / "workspace.json", None)
        if kept is None:
            self.populate()
            return
        self.users = {key: User(**value) for key, value in kept["users"].items()}
        self.channels = {key: Channel(**value) for key, value in kept["channels"].items()}
        self.messages = {key: {} for key in kept["messages"]}
        for one in (one for several in kept["messages"].values() for one in several):
            self.add_message(Message(**one))
        self.files = {key: File(**value) for key, value in kept["files"].items()}
        self.groups = {key: UserGroup(**value) for key, value in kept["groups"].items()}
        self.homes = kept["homes"]
        self.tokens = kept["tokens"]
        self._last_ts = kept["last_ts"]

    def save(self, folder: Path) -> None:
        """Write ``workspace.json``, when anything changed since it was last written."""
        if not self._unsaved:
            return
        self._unsaved = False
        write_json(folder / "workspace.json", self._as_json())

    def _as_json(self) -> dict[str, Any]:
        return {
            "users": {key: asdict(one) for key, one in self.users.items()},
            "channels": {key: asdict(one) for key, one in self.channels.items()},
            "messages": {key: [asdict(one) for one in value.values()] for key, value in self.messages.items()},
            "files": {key: asdict(one) for key, one in self.files.items()},
            "groups": {key: asdict(one) for key, one in self.groups.items()},
            "homes": self.homes,
            "tokens": self.tokens,
            "last_ts": self._last_ts,
        }
