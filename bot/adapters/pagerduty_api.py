"""The one file that knows the PagerDuty client: sessions, attempts, and what its errors mean in words.

The client waits in a thread: it knows no asyncio.
"""

import asyncio
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from prometheus_client import Counter
from pydantic import SecretStr

from bot.errors import UnavailableError

with warnings.catch_warnings():
    # It warns at every start that its maintainers go on under another name; this file is where it will be replaced.
    warnings.simplefilter("ignore", UserWarning)
    import pdpyras

T = TypeVar("T")

_TIMEOUT = 5.0
"""Seconds for one attempt."""
_ATTEMPTS = 3
"""After the first one. A dedup key makes the same event twice one page, so trying again wakes nobody twice."""
_TRANSIENT = (429, 500, 502, 503, 504)
_TEXT_AT_MOST = 500
_NETWORK: tuple[tuple[type[Exception] | str, str], ...] = (
    (requests.Timeout, f"no answer within {_TIMEOUT:g} s"),
    (requests.exceptions.SSLError, "its TLS certificate is not trusted or the handshake failed"),
    ("Connection refused", "the connection was refused"),
    ("resolve", "its name can't be resolved"),
)
"""What a failure is, or says, and what that is in words; the first that fits."""
_NOT_TAKEN = "PagerDuty did not take the event"

ERRORS = Counter("musd_pagerduty_errors", "Requests that PagerDuty did not take, also not when asked again", ["api"])


class PagerDutyUnavailableError(UnavailableError):
    """PagerDuty did not take an event, or did not answer a question."""

    def __init__(self, happened: str, *, status: int = 0, lasting: bool = False) -> None:
        super().__init__(
            happened,
            means="It may be that nobody was paged.",
            next_step="Call whoever is on call, and check MUSD_PAGERDUTY_ROUTING_KEY.",
        )
        self.status = status
        """HTTP's, or 0 where there was no answer."""
        self._lasting = lasting

    @property
    def lasting(self) -> bool:
        """Whether trying again can't help: PagerDuty read the request and refused it, as with a wrong key."""
        return self._lasting


class PagerDutyApi:
    """Both APIs of one account."""

    def __init__(
        self,
        *,
        events_url: str = "https://events.pagerduty.com",
        api_token: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        api_url: str = "https://api.pagerduty.com",
        sender: str = "",
        pause: float = 0.25,
    ) -> None:
        """Connects when first asked.

        Args:
            events_url: another address only in the drill.
            api_token: of the REST API; without one only pages can be sent.
            api_url: another address only in the drill.
            sender: the e-mail address of the PagerDuty user in whose name things are changed.
            pause: half the seconds to the second attempt; each further one waits twice as long.
        """
        self._events_url = events_url
        self._api_token = api_token
        self._api_url = api_url
        self._sender = sender
        self._pause = pause

    @property
    def reads(self) -> bool:
        """Whether there is a token for the REST API."""
        return bool(self._api_token.get_secret_value())

    async def event(self, routing_key: SecretStr, send: Callable[[Any], object]) -> None:
        """Send one event. `send` is handed a session of the Events API v2.

        Raises:
            PagerDutyUnavailableError: PagerDuty did not take it, also not when asked again.
        """
        await asyncio.to_thread(self._event, routing_key.get_secret_value(), send)

    async def rest(self, what: str, ask: Callable[[Any], T]) -> T:
        """Ask or change something. `ask` is handed a session of the REST API; `what` names it in errors.

        Raises:
            PagerDutyUnavailableError: it did not answer, it refused, or no token is configured.
        """
        if not self.reads:
            raise PagerDutyUnavailableError(f"{what}: MUSD_PAGERDUTY_API_TOKEN is not set.", lasting=True)
        return await asyncio.to_thread(self._rest, what, ask)

    def _event(self, key: str, send: Callable[[Any], object]) -> None:
        try:
            # A fresh session for each event: pages are rare, and sessions are not made for several threads.
            with self._prepared(pdpyras.EventsAPISession(key), self._events_url) as session:
                send(session)
        except pdpyras.PDHTTPError as error:
            ERRORS.labels("events").inc()
            status = error.response.status_code
            why = f"it answered HTTP {status}{_objections(error)}".replace(key, "…")
            raise PagerDutyUnavailableError(
                f"{_NOT_TAKEN}: {why}.", status=status, lasting=status not in _TRANSIENT
            ) from None
        except pdpyras.PDClientError as error:
            ERRORS.labels("events").inc()
            raise PagerDutyUnavailableError(f"{_NOT_TAKEN}: {_network(error.__cause__ or error)}.") from None

    def _rest(self, what: str, ask: Callable[[Any], T]) -> T:
        token = self._api_token.get_secret_value()
        made = pdpyras.APISession(token, default_from=self._sender or None)
        try:
            with self._prepared(made, self._api_url) as session:
                return ask(session)
        except pdpyras.PDHTTPError as error:
            ERRORS.labels("rest").inc()
            status = error.response.status_code
            words = f"{what}: it answered HTTP {status}{_objections(error)}."
            raise PagerDutyUnavailableError(words, status=status, lasting=status not in _TRANSIENT) from None
        except pdpyras.PDClientError as error:
            ERRORS.labels("rest").inc()
            raise PagerDutyUnavailableError(f"{what}: {_network(error.__cause__ or error)}.") from None

    def _prepared(self, session: pdpyras.PDSession, url: str) -> pdpyras.PDSession:
        session.url = url.rstrip("/")
        session.trust_env = False
        session.timeout = _TIMEOUT
        session.sleep_timer = self._pause
        session.max_network_attempts = _ATTEMPTS
        session.max_http_attempts = _ATTEMPTS
        # Without an entry of its own the library repeats a 429 for ever.
        session.retry = dict.fromkeys(_TRANSIENT, _ATTEMPTS)
        return session


def _objections(error: pdpyras.PDHTTPError) -> str:
    """What PagerDuty says is wrong with the request."""
    try:
        answer = error.response.json()
        errors = answer.get("errors") or answer["error"]["errors"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f" ({'; '.join(map(str, errors))[:_TEXT_AT_MOST]})" if isinstance(errors, list) and errors else ""


def _network(error: BaseException) -> str:
    for sign, words in _NETWORK:
        if sign in str(error) if isinstance(sign, str) else isinstance(error, sign):
            return words
    return f"the request failed ({type(error).__name__})"
