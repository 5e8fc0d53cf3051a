"""Slack's Web API client as the bot uses it: what is sent again and what never is, and its errors in words."""

import ipaddress
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import aiohttp
from prometheus_client import Counter
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.trouble import reason
from bot.errors import UnavailableError

ERRORS = Counter("musd_slack_errors", "Calls that Slack refused or did not answer, also not when repeated", ["code"])

_RATE_LIMITED = 10
"""How often a call waits out a 429 before it gives up. Slack says how long each time."""
_RECONNECTS = 2
_NOT_REPEATABLE = ("chat.postMessage", "chat.postEphemeral")
"""Done twice, these are seen twice: after a lost answer the caller looks first."""
_DOUBTFUL = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "server_error", "unknown_error"}
)
"""Slack's own failures: the call may have been carried out all the same."""
_LASTING: Mapping[str, tuple[str, str]] = {
    "channel_not_found": ("the channel is gone, or the bot is not in it", "Invite the bot there, or use another."),
    "is_archived": ("the channel is archived", "Unarchive it, or use another."),
    "not_in_channel": ("the bot is not in this channel", "Invite it with /invite @musd-bot."),
    "message_not_found": ("the message is gone", ""),
    "cant_update_message": ("the message is not the bot's", ""),
    "edit_window_closed": ("the message can't be edited any more", ""),
    "thread_not_found": ("the thread is gone", ""),
    "cannot_reply_to_message": ("the thread is gone", ""),
    "user_not_in_channel": ("this person is not in the channel", "Invite them first."),
    "restricted_action": ("the workspace's rules forbid it", "Ask a workspace admin."),
    "missing_scope": ("the app lacks a scope", "Install the app again from app-manifest.yml."),
    "not_allowed_token_type": ("the token is of the wrong kind", "Set MUSD_SLACK_BOT_TOKEN to the xoxb- token."),
    "invalid_auth": ("Slack does not know the bot's token", "Set MUSD_SLACK_BOT_TOKEN to the app's present token."),
    "not_authed": ("the bot has no token", "Set MUSD_SLACK_BOT_TOKEN."),
    "token_revoked": ("the bot's token was revoked", "Install the app again and set its new token."),
    "account_inactive": ("the bot's account is deactivated", "Install the app again."),
    "invalid_blocks": ("Slack finds the message malformed", "This is a fault of the bot: please report it."),
    "msg_blocks_too_long": ("Slack finds the message too long", "This is a fault of the bot: please report it."),
    "msg_too_long": ("Slack finds the message too long", "This is a fault of the bot: please report it."),
}
"""Refusals that no second try changes, in words, and what to do about them."""


class SlackUnavailableError(UnavailableError):
    """A call that failed. `code` is Slack's name for it, empty without an answer."""

    def __init__(self, happened: str, *, code: str = "", doubtful: bool = False, next_step: str = "") -> None:
        super().__init__(happened, next_step=next_step)
        self.code = code
        self.doubtful = doubtful
        """Whether it may have been carried out all the same."""

    @property
    def lasting(self) -> bool:
        """Whether trying again can't help."""
        return self.code in _LASTING


class _Reconnect(AsyncConnectionErrorRetryHandler):
    """Sends again after a lost connection what can be sent twice; a post only if the connection never came to be."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if request.url.endswith(_NOT_REPEATABLE):
            return isinstance(error, aiohttp.ClientConnectorError)
        return await super()._can_retry_async(state=state, request=request, response=response, error=error)


def web_client(token: str, api_url: str, *, timeout: int = 15) -> AsyncWebClient:
    """The client for every call, of Bolt as well.

    Args:
        token: ``xoxb-…``.
        api_url: ``https://slack.com/api/``, or the practice workspace's.
        timeout: of one call, in seconds.
    """
    retries: list[AsyncRetryHandler] = [
        _Reconnect(max_retry_count=_RECONNECTS),
        AsyncRateLimitErrorRetryHandler(max_retry_count=_RATE_LIMITED),
    ]
    client = AsyncWebClient(token=token, base_url=api_url, timeout=timeout, retry_handlers=retries)
    client.proxy = proxy_for(api_url, client.proxy)
    return client


def proxy_for(url: str, proxy: str | None) -> str | None:
    """The proxy to use for this address. The SDK takes HTTPS_PROXY for loopback too, and knows no NO_PROXY."""
    host = urlsplit(url).hostname or ""
    return None if _is_loopback(host) or proxy_bypass(host) else proxy


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def answered(what: str, call: Awaitable[Any]) -> Mapping[str, Any]:
    """Slack's answer to one call.

    Args:
        what: was wanted, to go behind "Slack did not": ``post the message``.
        call: of the SDK.

    Raises:
        SlackUnavailableError: Slack refused, failed or was silent; in words, without addresses and tokens.
    """
    try:
        response = await call
    except SlackApiError as error:
        refused = _refused(what, error)
        ERRORS.labels(refused.code or "no answer").inc()
        raise refused from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        ERRORS.labels("no answer").inc()
        reached = not isinstance(error, aiohttp.ClientConnectorError)
        raise SlackUnavailableError(f"Slack did not {what}: {reason(error)}.", doubtful=reached) from error
    except SlackClientError as error:
        ERRORS.labels("no answer").inc()
        raise SlackUnavailableError(f"Slack did not {what}: {type(error).__name__}.") from error
    answer: Mapping[str, Any] = response.data
    return answer


def _refused(what: str, error: SlackApiError) -> SlackUnavailableError:
    response = error.response
    answer = getattr(response, "data", None)
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = str(answer.get("error") or "") if isinstance(answer, dict) else ""
    words, next_step = _LASTING.get(code, ("", ""))
    if code == "missing_scope" and isinstance(answer, dict):
        words = f"the app lacks the scope {answer.get('needed')}"
    if not words:
        words = f"it answered {code!r}" if code else f"it answered HTTP {status} with something that is no JSON"
    doubtful = not code or code in _DOUBTFUL or status >= 500  # noqa: PLR2004 - HTTP: the server's own failures
    return SlackUnavailableError(f"Slack did not {what}: {words}.", code=code, doubtful=doubtful, next_step=next_step)
