"""Files into Slack: files.getUploadURLExternal, the bytes, files.completeUploadExternal; once per key.

An upload has no idempotency key either, and a file carries no metadata: where an earlier try may have gone through,
the channel is searched for a file of ours of that name, so names have to be distinct within a channel.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack_web import answered
from bot.ports import MessageRef
from bot.views import Redactor
from bot.views.safe import Safe

Messages = Callable[[str, str | None], AsyncIterator[Mapping[str, Any]]]
"""The messages of a channel, or of a thread in it, newest first."""


_LONGEST_ALT = 1000


class Postings(Protocol):
    """What is remembered of uploads: the part of `bot.ports.Store` that is used here."""

    async def posted(self, key: str) -> MessageRef | None:
        """Where the upload of this key is, if it is known to have gone through."""

    async def posting(self, key: str, channel: str) -> bool:
        """Say that this key is about to be uploaded. False if that was said before."""

    async def keep_posted(self, key: str, message: MessageRef) -> None:
        """Remember where it is."""


class SlackFiles:
    """Uploads of one bot. What leaves through here is redacted here, whoever hands it in."""

    def __init__(self, client: AsyncWebClient, postings: Postings, redactor: Redactor, messages: Messages) -> None:
        self._client = client
        self._postings = postings
        self._safe = Safe(redactor)
        self._messages = messages

    async def upload(
        self, where: MessageRef, name: str, text: str, *, key: str, known: Collection[str], tail: bool
    ) -> None:
        """Upload a text as a file into the channel, or into the thread if `where` has a ts.

        Raises:
            UnavailableError: Slack did not take it, or its fate is not known; calling again settles which.
        """
        content = self._safe.clean(text, known, tail=tail) or "(empty)"
        await self._put(where, name, key, content=content)

    async def picture(self, where: MessageRef, name: str, content: bytes, *, alt: str, key: str) -> None:
        """Upload a PNG of our own making into the channel, or into the thread if `where` has a ts.

        Raises:
            UnavailableError: as for a text.
        """
        await self._put(where, name, key, content=content, alt_txt=self._safe.clean(alt)[:_LONGEST_ALT])

    async def _put(self, where: MessageRef, name: str, key: str, **file: Any) -> None:
        if await self._postings.posted(key) is not None:
            return
        thread = where.ts or None
        first = await self._postings.posting(key, where.channel)
        if first or not await self._is_there(where.channel, thread, name):
            call = self._client.files_upload_v2(
                filename=name, title=name, channel=where.channel, thread_ts=thread, **file
            )
            await answered(f"take the file {name}", call)
        # A file's message has no ts in the answer: its thread stands for it, and nobody edits a file.
        await self._postings.keep_posted(key, MessageRef(where.channel, where.ts or name))

    async def _is_there(self, channel: str, thread: str | None, name: str) -> bool:
        async for message in self._messages(channel, thread):
            if any(file.get("name") == name for file in message.get("files") or []):
                return True
        return False
