"""Where the world is told. Carrying out an announcement is handed this; nothing else is."""

from collections.abc import Mapping
from typing import Protocol

from bot.domain.announcement import Announcement, Target


class Publishing(Protocol):
    """Slack, Discord, the status page, X."""

    def where(self, target: Target) -> str:
        """The place in words, such as ``#general``; empty where it is not configured."""

    async def publish(self, announcement: Announcement, key: str) -> Mapping[str, str]:
        """Publish it; what proves it. With the same key once, wherever the other side can tell.

        Raises:
            UnavailableError: it was not published; trying again can help unless the error is `lasting`.
            OutcomeUnknownError: it was sent and its end not seen, and nobody but a person can look.
        """
