"""Where the world is told: Slack, a Discord webhook, and a status page by Statuspage's API."""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.adapters.trouble import reason
from bot.domain.announcement import Announcement, Occasion, Target
from bot.domain.cards import BroadcastCard
from bot.errors import OutcomeUnknownError, UnavailableError
from bot.ports import Chat

_TIMEOUT = 10.0
_WEBHOOK_ID = re.compile(r"/(\d+)/")
_ERROR = 400
_PASSING = frozenset({408, 420, 425, 429, 500, 502, 503, 504})
_NAME = "Protocol temporarily paused for security review"
"""Of the status page's incident: by it the incident is found again."""


class NotPublishedError(UnavailableError):
    """A place did not take an announcement."""

    def __init__(self, happened: str, *, lasting: bool) -> None:
        super().__init__(happened, means="It was not published there.")
        self._lasting = lasting

    @property
    def lasting(self) -> bool:
        """Whether the place read it and refused it."""
        return self._lasting


class PublicPlaces:
    """Fulfils `ports.Publishing`."""

    def __init__(
        self,
        chat: Chat,
        *,
        slack_channel: str,
        discord_webhook: SecretStr,
        statuspage_url: str,
        statuspage_page: str,
        statuspage_token: SecretStr,
        components: tuple[str, ...],
    ) -> None:
        """Publish here; what is empty is not configured.

        Args:
            chat: Slack.
            slack_channel: whose members are called, by name.
            discord_webhook: its URL, which is its secret.
            statuspage_url: another than Statuspage's own only in the drill.
            statuspage_page: the page's id.
            statuspage_token: of its API.
            components: the ids of those that go under maintenance.
        """
        self._chat = chat
        self._slack_channel = slack_channel
        self._discord = discord_webhook
        self._statuspage = f"{statuspage_url.rstrip('/')}/v1/pages/{statuspage_page}"
        self._statuspage_token = statuspage_token
        self._components = components

    def where(self, target: Target) -> str:
        """The place in words; empty where it is not configured."""
        return {
            Target.SLACK: f"#{self._slack_channel}",
            Target.DISCORD: _webhook(self._discord.get_secret_value()),
            Target.STATUS_PAGE: self._statuspage.rpartition("/")[2]
            if self._statuspage_token.get_secret_value()
            else "",
            Target.X: "a post that a person sends",
        }[target]

    async def publish(self, announcement: Announcement, key: str) -> Mapping[str, str]:
        """Publish it; what proves it.

        Raises:
            UnavailableError: it was not published.
            OutcomeUnknownError: Discord got it and did not say what became of it.
        """
        if announcement.target is Target.SLACK:
            card = BroadcastCard(announcement.text, everybody=bool(announcement.calls))
            message = await self._chat.post(self._slack_channel, card, key=f"announcement:{key}")
            return {"channel": f"#{self._slack_channel}", "ts": message.ts}
        if announcement.target is Target.DISCORD:
            return await self._tell_discord(announcement)
        return await self._change_status_page(announcement)

    # --- Discord -----------------------------------------------------------------------------------------------------

    async def _tell_discord(self, announcement: Announcement) -> Mapping[str, str]:
        body = {
            "content": announcement.whole,
            "allowed_mentions": {"parse": ["everyone"] if announcement.calls else []},
        }
        try:
            told = await _asked("Discord", "POST", f"{self._discord.get_secret_value()}?wait=true", json=body)
        except TimeoutError:
            raise OutcomeUnknownError(
                f"Discord did not answer within {_TIMEOUT:g} s.",
                means="The message may be there, and is not sent again.",
                next_step="Look at the channel there; propose it again if it is missing.",
            ) from None
        return {"message": str(told.get("id", "")) if isinstance(told, dict) else ""}

    # --- The status page ---------------------------------------------------------------------------------------------

    async def _change_status_page(self, announcement: Announcement) -> Mapping[str, str]:
        """One incident from the pause to the all-clear, found again by its name: a second try changes it, not more."""
        clear = announcement.occasion is Occasion.ALL_CLEAR
        states = dict.fromkeys(self._components, "operational" if clear else "under_maintenance")
        incident: dict[str, Any] = {
            "status": "resolved" if clear else "investigating",
            "body": announcement.text,
            "components": states,
            "component_ids": list(states),
        }
        known = next((one for one in await self._page("GET", "incidents/unresolved") if one["name"] == _NAME), None)
        if known is not None:
            told = await self._page("PATCH", f"incidents/{known['id']}", {"incident": incident})
        elif clear:
            for component in self._components:
                await self._page("PATCH", f"components/{component}", {"component": {"status": "operational"}})
            told = {"id": ""}
        else:
            fresh = {"name": _NAME, "impact_override": "maintenance", **incident}
            told = await self._page("POST", "incidents", {"incident": fresh})
        return {"incident": str(told["id"]), "components": ", ".join(f"{name} {how}" for name, how in states.items())}

    async def _page(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"OAuth {self._statuspage_token.get_secret_value()}"}
        try:
            return await _asked("The status page", method, f"{self._statuspage}/{path}", json=body, headers=headers)
        except TimeoutError as error:
            raise NotPublishedError(
                f"The status page did not answer: {reason(error, timeout=_TIMEOUT)}.", lasting=False
            ) from None


async def _asked(who: str, method: str, url: str, **request: Any) -> Any:
    """The answer's JSON. Raises `TimeoutError` where none came in time, `NotPublishedError` where it was a refusal."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.request(method, url, allow_redirects=False, **request) as response,
        ):
            if response.status >= _ERROR:
                lasting = response.status not in _PASSING
                raise NotPublishedError(f"{who} answered HTTP {response.status}.", lasting=lasting)
            return await response.json(content_type=None)
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Never with the URL: Discord's is its secret.
        raise NotPublishedError(f"{who} did not take it: {reason(error)}.", lasting=False) from None


def _webhook(url: str) -> str:
    """A Discord webhook in words, with its id: two webhooks are two places. What follows is its token, and a secret."""
    found = _WEBHOOK_ID.search(url)
    return f"the Discord webhook {found[1]}" if found else "the Discord webhook" if url else ""
