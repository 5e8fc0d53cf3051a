"""A workspace's channels as one bot sees them: made, described, peopled and put away; found by name among its own."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_web import SlackUnavailableError, answered
from bot.errors import RefusedError, UnavailableError

PAGE = 200
"""Of whatever Slack lists."""
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{7,}")
_TOPIC = 250
_INVITES = 100
_ABOUT_ONE_PERSON = frozenset(
    {
        "already_in_channel",
        "cant_invite",
        "cant_invite_self",
        "invitee_cant_see_channel",
        "no_external_invite_permission",
        "no_user",
        "org_user_not_in_team",
        "ura_max_channels",
        "user_is_restricted",
        "user_not_found",
    }
)
"""Why an invitation of several fails although most of them could come."""
_CLOCKS_DIFFER = timedelta(seconds=60)
"""How far Slack's clock and ours may be apart when it says that a channel was made just now."""


class SlackChannels:
    """The part of the Chat port that is about channels."""

    def __init__(self, client: AsyncWebClient) -> None:
        """Connects when first used."""
        self._client = client
        self._ids: dict[str, str] = {}
        self._me = ""

    async def open_channel(self, name: str, *, private: bool, since: datetime) -> str:
        """Make a channel and return its id. One of that name that this bot made after `since` is that channel.

        Raises:
            RefusedError: the name belongs to another channel, or can't be one.
            UnavailableError: Slack did not answer.
        """
        try:
            answer = await answered(
                "open the channel", self._client.conversations_create(name=name, is_private=private)
            )
        except SlackUnavailableError as error:
            if error.code != "name_taken" and not error.code.startswith("invalid_name"):
                raise
            mine = await self._made_by_me(name, since) if error.code == "name_taken" else None
            if mine is None:
                raise RefusedError(
                    f"The channel name {name} can't be used: Slack says {error.code}.",
                    means="It belongs to another channel, which is never taken over.",
                    next_step="Use another name.",
                ) from error
            return mine
        return str(answer["channel"]["id"])

    async def describe(self, channel: str, topic: str) -> None:
        """Set the channel's topic, cut to Slack's 250 characters."""
        text = topic if len(topic) <= _TOPIC else topic[: _TOPIC - 1] + "…"
        call = self._client.conversations_setTopic(channel=await self.id_of(channel), topic=text)
        await answered("set the topic", call)

    async def archive(self, channel: str, *, archived: bool = True) -> None:
        """Put a channel away, or bring it back. One that is so already is success."""
        change = self._client.conversations_archive if archived else self._client.conversations_unarchive
        try:
            await answered("archive the channel" if archived else "unarchive the channel", change(channel=channel))
        except SlackUnavailableError as error:
            if error.code not in {"already_archived", "not_archived"}:
                raise

    async def invite(self, channel: str, people: Sequence[str]) -> None:
        """Invite these user ids; those who are in already, or can't come, stop nobody else.

        Raises:
            UnavailableError: Slack did not answer, or the channel itself takes nobody.
        """
        where = await self.id_of(channel)
        unique = list(dict.fromkeys(people))
        for start in range(0, len(unique), _INVITES):
            some = unique[start : start + _INVITES]
            try:
                await self._invite(where, some)
            except SlackUnavailableError as error:
                if error.code not in _ABOUT_ONE_PERSON:
                    raise
                await self._invite_one_by_one(where, some)

    async def _invite_one_by_one(self, channel: str, people: Sequence[str]) -> None:
        """Slack refuses all for one who can't come; which one it was differs from error to error."""
        for person in people:
            try:
                await self._invite(channel, [person])
            except SlackUnavailableError as error:
                if error.code not in _ABOUT_ONE_PERSON:
                    raise

    async def _invite(self, channel: str, people: Sequence[str]) -> None:
        await answered("invite people", self._client.conversations_invite(channel=channel, users=list(people)))

    async def _made_by_me(self, name: str, since: datetime) -> str | None:
        me = await self.my_id()
        earliest = (since - _CLOCKS_DIFFER).timestamp()
        async for channel in self._my_channels():
            if channel.get("name") == name:
                fresh = int(channel.get("created", 0)) >= int(earliest)
                return str(channel["id"]) if fresh and channel.get("creator") == me else None
        return None

    async def my_id(self) -> str:
        """The bot's own user id."""
        if not self._me:
            self._me = str((await answered("say who the bot is", self._client.auth_test()))["user_id"])
        return self._me

    async def id_of(self, channel: str) -> str:
        """A channel's id by its name, looked up once; an id is returned as it is."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        if name not in self._ids:
            async for one in self._my_channels():
                if one.get("name") == name:
                    self._ids[name] = str(one["id"])
                    break
            else:
                raise UnavailableError(
                    f"The bot is in no channel called #{name}.", next_step="Make it, and /invite @musd-bot there."
                )
        return self._ids[name]

    async def _my_channels(self) -> AsyncIterator[Mapping[str, Any]]:
        """The channels this bot is a member of: those it made, and those it was invited to."""
        cursor = ""
        while True:
            call = self._client.users_conversations(
                types="public_channel,private_channel", exclude_archived=True, limit=PAGE, cursor=cursor or None
            )
            answer = await answered("list the bot's channels", call)
            for channel in answer.get("channels") or []:
                yield channel
            cursor = next_page(answer)
            if not cursor:
                return


def next_page(answer: Mapping[str, Any]) -> str:
    """The cursor of the page after this one; empty behind the last."""
    return str((answer.get("response_metadata") or {}).get("next_cursor") or "")
