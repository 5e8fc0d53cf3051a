"""What Slack says about people, as far as a role depends on it: their account, their groups, whose a channel is."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_web import SlackUnavailableError, answered

_SHARED_FOR = 60.0
"""Seconds for which an answer about a channel is good: conversations.info takes 50 calls a minute."""


@dataclass(frozen=True)
class Account:
    """Somebody's account, read just now."""

    email: str
    """By which PagerDuty knows the same person; empty where Slack does not tell."""
    barred: str
    """Why it can have no role, such as ``a guest``; empty: it can."""


class SlackAccounts:
    """Reads that nothing is remembered of, but for whose a channel is."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._team = ""
        self._shared: dict[str, tuple[float, bool]] = {}

    async def account(self, person: str) -> Account:
        """This person's.

        Raises:
            SlackUnavailableError: Slack did not say.
        """
        try:
            user = (await answered("say who this is", self._client.users_info(user=person)))["user"]
        except SlackUnavailableError as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                return Account("", "nobody Slack knows")
            raise
        return Account(str((user.get("profile") or {}).get("email") or "").lower(), _barred(user, await self._ours()))

    async def groups(self) -> Mapping[str, Sequence[str]]:
        """The members of every enabled user group, by the group's id and by its handle.

        Raises:
            SlackUnavailableError: Slack did not say.
        """
        answer = await answered("list the user groups", self._client.usergroups_list(include_users=True))
        found: dict[str, Sequence[str]] = {}
        for group in answer["usergroups"]:
            if group.get("date_delete") or group.get("is_external"):
                continue
            found[group["id"]] = found[group["handle"]] = tuple(group.get("users") or ())
        return found

    async def shared(self, channel: str) -> bool:
        """Whether a channel is shared with another organisation.

        Raises:
            SlackUnavailableError: Slack did not say.
        """
        at, shared = self._shared.get(channel, (float("-inf"), False))
        if time.monotonic() - at > _SHARED_FOR:
            answer = await answered("say whose the channel is", self._client.conversations_info(channel=channel))
            found = answer["channel"]
            shared = bool(found.get("is_ext_shared") or found.get("is_pending_ext_shared"))
            self._shared[channel] = (time.monotonic(), shared)
        return shared

    async def _ours(self) -> str:
        if not self._team:
            self._team = str((await answered("say whose the bot is", self._client.auth_test()))["team_id"])
        return self._team


def _barred(user: Mapping[str, Any], ours: str) -> str:
    if user.get("deleted"):
        return "a deactivated account"
    if user.get("is_bot") or user.get("is_workflow_bot"):
        return "a bot"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "a guest"
    if user.get("is_stranger") or user.get("team_id") not in {None, ours}:
        return "somebody of another workspace"
    return ""
