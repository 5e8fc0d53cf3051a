"""Short-lived permissions: a trigger to open one modal, an address to answer an interaction at."""

import secrets
import time
from dataclasses import dataclass

from bot.drill.workspace.errors import SlackError

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


@dataclass
class Trigger:
    """What somebody did that lets the app open a modal for them."""

    user: str
    issued: float
    view_id: str | None
    """The modal it was done in, when it was done in one."""
    used: bool = False


class Triggers:
    """Hands out trigger ids and takes them back: once, and within three seconds."""

    def __init__(self) -> None:
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id for something `user` did just now."""
        now = time.monotonic()
        self._issued = {key: one for key, one in self._issued.items() if now - one.issued < 60}
        trigger_id = f"{time.time_ns() // 1_000_000}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[trigger_id] = Trigger(user, now, view_id)
        return trigger_id

    def redeem(self, trigger_id: str) -> Trigger:
        """Use a trigger. Raises `SlackError` invalid_, expired_ or exchanged_trigger_id."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if time.monotonic() - trigger.issued > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        trigger.used = True
        return trigger


@dataclass
class ResponseUrl:
    """Where an interaction may be answered: which message it came from, if any, and who acted."""

    channel: str
    user: str
    issued: float
    message_ts: str | None
    thread_ts: str | None
    uses: int = 0


class ResponseUrls:
    """Hands out response URLs' tokens: good five times, for half an hour."""

    def __init__(self) -> None:
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, channel: str, user: str, message_ts: str | None = None, thread_ts: str | None = None) -> str:
        """A new token for an interaction in `channel`."""
        token = secrets.token_urlsafe(24)
        self._issued[token] = ResponseUrl(channel, user, time.monotonic(), message_ts, thread_ts)
        return token

    def redeem(self, token: str) -> ResponseUrl:
        """Use a token once. Raises `SlackError` expired_url or used_url."""
        one = self._issued.get(token)
        if one is None or time.monotonic() - one.issued > RESPONSE_SECONDS:
            raise SlackError("expired_url", status=404)
        if one.uses >= RESPONSE_USES:
            raise SlackError("used_url", status=404)
        one.uses += 1
        return one
