"""Slack's rate limits, as buckets that refill: one for every method, and one a channel for messages."""

import math
import time
from dataclasses import dataclass, field

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.catalogue import CALLS_A_MINUTE, METHODS
from bot.drill.workspace.errors import SlackError

MESSAGES_A_SECOND = 1.0
MESSAGE_BURST = 3.0


@dataclass
class _Bucket:
    level: float
    at: float


@dataclass
class RateLimits:
    """Off until a fault switches it on, so that tests go as fast as they can."""

    on: bool = False
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def check(self, method: str, args: Arguments) -> None:
        """Count a call. Raises `SlackError` ratelimited (429 with Retry-After) beyond the limit."""
        if not self.on:
            return
        a_minute = CALLS_A_MINUTE.get(METHODS[method].tier)
        if a_minute is not None:
            self._take((method, ""), a_minute / 60, a_minute)
        if method == "chat.postMessage":
            self._take((method, args.text("channel")), MESSAGES_A_SECOND, MESSAGE_BURST)

    def _take(self, key: tuple[str, str], a_second: float, most: float) -> None:
        now = time.monotonic()
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.level = min(most, bucket.level + (now - bucket.at) * a_second)
        bucket.at = now
        if bucket.level < 1:
            raise rate_limited(math.ceil((1 - bucket.level) / a_second))
        bucket.level -= 1


def rate_limited(seconds: int) -> SlackError:
    """The refusal of a call that comes too soon."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(seconds)})
