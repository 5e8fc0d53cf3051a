"""Slack as the engine sees it: `bot.ports.Chat` over the Web API.

`chat.postMessage` has no idempotency key, so the bot brings its own: a message's metadata carries its key, and the
store says whether a message of that key was ever on its way. If it was, the channel is searched before anything is
posted.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from functools import partial
from typing import Any, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.pacing import Lane, Rank
from bot.adapters.slack_channels import PAGE, SlackChannels, next_page
from bot.adapters.slack_files import SlackFiles
from bot.adapters.slack_web import SlackUnavailableError, answered
from bot.domain.cards import Card, IncidentCard, ProposalCard, ReceiptCard, UrgentCard
from bot.ports import MessageRef
from bot.views import Message, Redactor, render

METADATA = "musd_bot"
"""The event type of the metadata on every message of the bot; its payload is ``{"key": …}``."""

_URGENT = (IncidentCard, ProposalCard, ReceiptCard, UrgentCard)
_PAGES = 25
"""Of a channel's history that are searched: 5 000 messages. What lies further back was not posted a moment ago."""
_TRIES = 3
"""Posts of one message whose fate is unclear, each after a search that did not find the one before."""
_SETTLING = 1.0
"""Seconds given to a message whose answer was lost before it is looked for."""


class Postings(Protocol):
    """What is remembered of posted messages: the part of `bot.ports.Store` that this adapter uses."""

    async def posted(self, key: str) -> MessageRef | None:
        """Where the message of this key is, if it is known to have been posted."""

    async def posting(self, key: str, channel: str) -> bool:
        """Say that a message of this key is about to be posted. False if that was said before."""

    async def keep_posted(self, key: str, message: MessageRef) -> None:
        """Remember where a message is."""


class SlackChat(SlackChannels):
    """The Chat port. One per process: it paces each channel, and two of them would not know of each other."""

    def __init__(
        self, client: AsyncWebClient, postings: Postings, redactor: Redactor, *, interval: float = 1.05
    ) -> None:
        """Connects when first used.

        Args:
            client: from `slack_web.web_client`.
            postings: the store.
            redactor: with the bot's own secrets.
            interval: seconds between two messages in a channel; a little over what Slack takes, to earn no 429.
        """
        super().__init__(client)
        self._postings = postings
        self._redactor = redactor
        self._interval = interval
        self._lanes: dict[str, Lane] = {}
        self._edits: dict[str, Lane] = {}
        self._under_way: dict[str, asyncio.Task[MessageRef]] = {}
        self._names: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._files = SlackFiles(client, postings, redactor, self._messages)

    async def close(self) -> None:
        """Stop sending. What still waits is not sent."""
        await asyncio.gather(*(lane.close() for lane in (*self._lanes.values(), *self._edits.values())))
        posts = list(self._under_way.values())
        for post in posts:
            post.cancel()
        await asyncio.gather(*posts, return_exceptions=True)

    async def post(self, channel: str, card: Card, *, key: str, thread: str | None = None) -> MessageRef:
        """Post a card once per `key`: a second call, also after a crash or a lost answer, finds the first message.

        Raises:
            UnavailableError: Slack did not take it, or its fate is not known; calling again settles which.
        """
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._post_once(channel, card, key, thread))
            task.add_done_callback(lambda done: self._posted(key, done))
        # Whoever asks again while it is under way, or after the first caller was cancelled, waits for the same post.
        return await asyncio.shield(task)

    def _posted(self, key: str, done: asyncio.Task[MessageRef]) -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # read, so that one nobody waits for any more is not reported as lost

    async def _post_once(self, channel: str, card: Card, key: str, thread: str | None) -> MessageRef:
        known = await self._postings.posted(key)
        if known is not None:
            return known
        where = await self.id_of(channel)
        first = await self._postings.posting(key, where)
        message = None if first else await self._find(where, key, thread)
        if message is None:
            rank = Rank.URGENT if isinstance(card, _URGENT) else Rank.POST
            rendered = render(card, self._redactor)
            message = await self._lane(where).send(lambda: self._deliver(where, rendered, key, thread), rank)
        await self._postings.keep_posted(key, message)
        return message

    async def edit(self, message: MessageRef, card: Card) -> None:
        """Replace a message of ours. Edits of one message that wait for their turn are one: the newest.

        Raises:
            UnavailableError: Slack did not answer, or the message or its channel is gone; in words.
        """
        rendered = render(card, self._redactor)
        rank = Rank.URGENT if isinstance(card, _URGENT) else Rank.EDIT

        async def update() -> None:
            call = self._client.chat_update(
                channel=message.channel,
                ts=message.ts,
                text=rendered.text,
                blocks=rendered.blocks,
                link_names=False,
                parse="none",
            )
            await answered("edit the message", call)

        lane = self._edits.setdefault(message.channel, Lane(self._interval))
        await lane.edit(message.ts, update, rank)

    async def whisper(self, channel: str, person: str, card: Card) -> None:
        """Say something that only this person sees. Not paced: Slack counts these apart."""
        rendered = render(card, self._redactor)
        call = self._client.chat_postEphemeral(
            channel=await self.id_of(channel),
            user=person,
            text=rendered.text,
            blocks=rendered.blocks,
            link_names=False,
            parse="none",
        )
        await answered("tell one person", call)

    async def upload(
        self,
        channel: str,
        name: str,
        text: str,
        *,
        key: str,
        thread: str | None = None,
        known: Collection[str] = (),
        tail: bool = False,
    ) -> None:
        """Put a text file into a channel, once per `key`; redacted, and no longer than 50 000 characters.

        Raises:
            UnavailableError: Slack did not take it; calling again settles whether it did.
        """
        where = MessageRef(await self.id_of(channel), thread or "")
        upload = partial(self._files.upload, where, name, text, key=key, known=known, tail=tail)
        await self._lane(where.channel).send(upload, Rank.POST)

    async def picture(
        self, channel: str, name: str, content: bytes, *, alt: str, key: str, thread: str | None = None
    ) -> None:
        """Put a PNG into a channel, once per `key`.

        Raises:
            UnavailableError: Slack did not take it; calling again settles whether it did.
        """
        where = MessageRef(await self.id_of(channel), thread or "")
        put = partial(self._files.picture, where, name, content, alt=alt, key=key)
        await self._lane(where.channel).send(put, Rank.EDIT)  # behind every message: it tells nothing new

    async def permalink(self, message: MessageRef) -> str:
        """A message's address."""
        call = self._client.chat_getPermalink(channel=message.channel, message_ts=message.ts)
        return str((await answered("give the message's address", call))["permalink"])

    async def name(self, person: str) -> str:
        """What a person is called; looked up once."""
        if person not in self._names:
            found = (await answered("say who this is", self._client.users_info(user=person)))["user"]
            profile = found.get("profile") or {}
            self._names[person] = str(profile.get("display_name") or found.get("real_name") or found["name"])
        return self._names[person]

    async def person_of(self, email: str) -> str | None:
        """The user id of the person with this address; None where Slack knows nobody by it. Found once."""
        if email not in self._people:
            try:
                found = await answered("find a person", self._client.users_lookupByEmail(email=email))
            except SlackUnavailableError as error:
                if error.code != "users_not_found":
                    raise
                return None
            self._people[email] = str(found["user"]["id"])
        return self._people[email]

    async def text_of(self, message: MessageRef) -> tuple[str, str]:
        """Who wrote a message, by user id, and what."""
        # Of the ways to read one message, this is the one that finds it in a thread as well.
        call = self._client.reactions_get(channel=message.channel, timestamp=message.ts)
        found = (await answered("show the message", call))["message"]
        return str(found.get("user") or ""), str(found.get("text") or "")

    async def _deliver(self, channel: str, message: Message, key: str, thread: str | None) -> MessageRef:
        """Post, and if the answer was lost look for the message before posting again."""
        for left in reversed(range(_TRIES)):
            try:
                return await self._send(channel, message, key, thread)
            except SlackUnavailableError as error:
                if not error.doubtful:
                    raise
                await asyncio.sleep(min(_SETTLING, self._interval))
                found = await self._find(channel, key, thread)
                if found is not None:
                    return found
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    async def _send(self, channel: str, message: Message, key: str, thread: str | None) -> MessageRef:
        call = self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=message.blocks,
            thread_ts=thread,
            metadata={"event_type": METADATA, "event_payload": {"key": key}},
            unfurl_links=False,
            unfurl_media=False,
            link_names=False,
            parse="none",
        )
        answer = await answered("post the message", call)
        return MessageRef(str(answer["channel"]), str(answer["ts"]))

    async def _find(self, channel: str, key: str, thread: str | None) -> MessageRef | None:
        """The bot's message of this key, in the channel or in the thread where it would be."""
        me = await self.my_id()
        async for message in self._messages(channel, thread):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if message.get("user") == me and metadata.get("event_type") == METADATA and payload.get("key") == key:
                return MessageRef(channel, str(message["ts"]))
        return None

    async def _messages(self, channel: str, thread: str | None) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            page = {"channel": channel, "include_all_metadata": True, "limit": PAGE, "cursor": cursor or None}
            if thread is None:
                call = self._client.conversations_history(**page)  # type: ignore[arg-type]  # None leaves it out
            else:
                call = self._client.conversations_replies(ts=thread, **page)  # type: ignore[arg-type]  # the same
            answer = await answered("show its messages", call)
            for message in answer.get("messages") or []:
                yield message
            cursor = next_page(answer)
            if not cursor:
                return

    def _lane(self, channel: str) -> Lane:
        return self._lanes.setdefault(channel, Lane(self._interval, burst=1))
