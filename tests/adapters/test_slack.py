"""The Chat port against the practice workspace, over HTTP, with the real Slack SDK."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.adapters.slack import METADATA, SlackChat
from bot.adapters.slack_web import proxy_for, web_client
from bot.adapters.store import SqlStore, migrate
from bot.domain.cards import Button, Card, IncidentCard, NoticeCard
from bot.domain.incident import Incident, IncidentState
from bot.domain.probe import State
from bot.domain.signal import Severity
from bot.drill.people import PEOPLE
from bot.drill.workspace.server import Workspace
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import MessageRef
from bot.views import Redactor

ROOT = Path(__file__).parents[2]
OLD = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)


class World:
    """A workspace, a chat with it, and what the workspace was asked."""

    def __init__(self, workspace: Workspace, store: SqlStore, session: aiohttp.ClientSession) -> None:
        self.workspace = workspace
        self.store = store
        self._session = session
        self.chat = self.another_chat(interval=0.02)

    async def door(self, path: str, **query: str) -> Any:
        """What one of the workspace's doors says."""
        async with self._session.get(self.workspace.url + path, params=query) as answer:
            return await answer.json()

    async def messages(self, channel: str, text: str = "") -> list[Any]:
        """What people see in the channel, with this text in it."""
        told = await self.door("/person/messages", channel=channel)
        return [one for one in told if text in one["text"] and "has joined" not in one["text"]]

    async def calls(self, method: str) -> list[Any]:
        """The calls of one method."""
        return [one for one in await self.door("/seen/slack") if one["method"] == method]

    async def fault(self, method: str, error: str, **more: Any) -> None:
        """Break one method."""
        await self.workspace.inflict({"target": "slack", "method": method, "error": error, **more})

    def another_chat(self, **options: Any) -> SlackChat:
        """As after a restart: the same store, nothing remembered."""
        client = web_client(self.workspace.bot_token, f"{self.workspace.url}/api/", timeout=1)
        return SlackChat(client, self.store, Redactor.of(["hunter2-hunter2"]), **options)


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[World]:
    workspace = Workspace(port=0, manifest=ROOT / "app-manifest.yml", page=ROOT / "bot" / "drill" / "page")
    await workspace.start(tmp_path)
    url = f"sqlite:///{tmp_path}/bot.db"
    await migrate(url)
    store = SqlStore(url)
    async with aiohttp.ClientSession() as session:
        world = World(workspace, store, session)
        try:
            yield world
        finally:
            await world.chat.close()
            await store.close()
            await workspace.stop()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path) as made:
        yield made


def notice(text: str) -> NoticeCard:
    return NoticeCard(State.OK, text)


def incident_card(title: str = "Relay Service Down") -> IncidentCard:
    incident = Incident(
        id="inc-0001",
        topic="relay-down",
        runbook="relay-down",
        title=title,
        severity=Severity.CRITICAL,
        state=IncidentState.OPEN,
        opened_at=NOW,
    )
    return IncidentCard(incident, (Button("Pause protocol…", "offer-1", danger=True),))


async def opened(world: World, name: str = "inc-20260304-relay-down-ab12") -> str:
    return await world.chat.open_channel(name, private=False, since=OLD)


# --- Channels


async def test_a_channel_is_made_with_its_topic_and_its_people(world: World) -> None:
    channel = await opened(world)
    await world.chat.describe(channel, "Relay Service Down | critical")
    await world.chat.invite(channel, [PEOPLE[0].id, PEOPLE[1].id])

    made = next(one for one in await world.door("/person/channels") if one["id"] == channel)

    assert made["topic"] == "Relay Service Down | critical"
    assert {PEOPLE[0].id, PEOPLE[1].id} <= set(made["members"]) or {PEOPLE[0].name} <= set(made["members"])


async def test_the_same_channel_again_is_found_not_refused(world: World) -> None:
    assert await opened(world) == await opened(world)


async def test_a_private_channel_is_found_again_too(world: World) -> None:
    first = await world.chat.open_channel("inc-private", private=True, since=OLD)

    assert await world.chat.open_channel("inc-private", private=True, since=OLD) == first


async def test_a_channel_that_somebody_else_made_is_never_taken_over(world: World) -> None:
    with pytest.raises(RefusedError, match="name_taken"):
        await opened(world, "musd-alerts")


async def test_a_channel_of_ours_from_before_is_never_taken_over(world: World) -> None:
    await opened(world)

    with pytest.raises(RefusedError, match="name_taken"):
        await world.chat.open_channel(
            "inc-20260304-relay-down-ab12", private=False, since=datetime.now(UTC) + timedelta(hours=1)
        )


async def test_a_name_slack_does_not_like_is_refused(world: World) -> None:
    with pytest.raises(RefusedError, match="invalid_name"):
        await opened(world, "No Such Name")


async def test_a_channel_whose_answer_was_lost_is_found_by_the_next_call(world: World) -> None:
    await world.fault("conversations.create", "timeout", times=1, seconds=5)
    with pytest.raises(UnavailableError):
        await opened(world)

    channel = await opened(world)

    assert [one["id"] for one in await world.door("/person/channels") if one["name"].startswith("inc-")] == [channel]


async def test_people_who_cannot_come_stop_nobody_else(world: World) -> None:
    channel = await opened(world)
    await world.chat.invite(channel, [PEOPLE[0].id])
    bot = (await world.chat._client.auth_test())["user_id"]  # noqa: SLF001 - the one place that knows it

    await world.chat.invite(channel, [PEOPLE[0].id, "U0NOBODY001", bot, PEOPLE[1].id])

    members = next(one for one in await world.door("/person/channels") if one["id"] == channel)["members"]
    assert PEOPLE[1].id in members or PEOPLE[1].name in members


async def test_inviting_nobody_asks_nothing(world: World) -> None:
    channel = await opened(world)

    await world.chat.invite(channel, [])

    assert await world.calls("conversations.invite") == []


async def test_a_topic_beyond_slacks_limit_is_cut(world: World) -> None:
    channel = await opened(world)

    await world.chat.describe(channel, "x" * 300)

    made = next(one for one in await world.door("/person/channels") if one["id"] == channel)
    assert len(made["topic"]) == 250


# --- Posting once


async def test_a_message_carries_its_key(world: World) -> None:
    channel = await opened(world)

    posted = await world.chat.post(channel, notice("hello"), key="k1")

    history = await world.chat._client.conversations_history(channel=channel, include_all_metadata=True)  # noqa: SLF001
    ours = next(one for one in history["messages"] if one["ts"] == posted.ts)
    assert ours["metadata"] == {"event_type": METADATA, "event_payload": {"key": "k1"}}


async def test_the_same_key_is_one_message(world: World) -> None:
    channel = await opened(world)

    refs = [await world.chat.post(channel, notice("hello"), key="k1") for _ in range(2)]

    assert (refs[0] == refs[1], len(await world.messages(channel, "hello"))) == (True, 1)


async def test_the_same_key_at_the_same_time_is_one_message(world: World) -> None:
    channel = await opened(world)

    refs = await asyncio.gather(*(world.chat.post(channel, notice("hello"), key="k1") for _ in range(5)))

    assert (len(set(refs)), len(await world.messages(channel, "hello"))) == (1, 1)


async def test_a_lost_answer_makes_no_second_message(world: World) -> None:
    channel = await opened(world)
    await world.fault("chat.postMessage", "timeout", times=1, seconds=5)

    posted = await world.chat.post(channel, notice("hello"), key="k1")

    assert [one["ts"] for one in await world.messages(channel, "hello")] == [posted.ts]


async def test_a_connection_cut_after_the_post_makes_no_second_message(world: World) -> None:
    channel = await opened(world)
    await world.fault("chat.postMessage", "timeout", times=1, seconds=0.05)

    posted = await world.chat.post(channel, notice("hello"), key="k1")

    assert [one["ts"] for one in await world.messages(channel, "hello")] == [posted.ts]


async def test_a_post_that_never_arrived_is_sent_again(world: World) -> None:
    channel = await opened(world)
    await world.fault("chat.postMessage", "lost", times=1, seconds=0.05)

    posted = await world.chat.post(channel, notice("hello"), key="k1")

    assert [one["ts"] for one in await world.messages(channel, "hello")] == [posted.ts]


async def test_a_reply_whose_answer_was_lost_is_found_in_its_thread(world: World) -> None:
    channel = await opened(world)
    parent = await world.chat.post(channel, notice("parent"), key="parent")
    await world.fault("chat.postMessage", "timeout", times=1, seconds=0.05)

    reply = await world.chat.post(channel, notice("reply"), key="reply", thread=parent.ts)

    assert [(one["ts"], one["thread_ts"]) for one in await world.messages(channel, "reply")] == [(reply.ts, parent.ts)]


async def test_after_a_crash_the_message_is_found_not_posted_again(world: World) -> None:
    channel = await opened(world)
    posted = await world.chat.post(channel, notice("hello"), key="other")
    await world.store.posting("k1", channel)
    await world.chat._client.chat_postMessage(  # noqa: SLF001 - what a process did that died before it wrote it down
        channel=channel, text="hello", metadata={"event_type": METADATA, "event_payload": {"key": "k1"}}
    )

    found = await world.another_chat().post(channel, notice("hello"), key="k1")

    assert (found != posted, len(await world.messages(channel, "hello"))) == (True, 2)


async def test_after_a_crash_before_the_post_it_is_posted(world: World) -> None:
    channel = await opened(world)
    await world.store.posting("k1", channel)

    found = await world.chat.post(channel, notice("hello"), key="k1")

    assert [one["ts"] for one in await world.messages(channel, "hello")] == [found.ts]


async def test_slack_failing_for_good_is_unavailable_and_the_next_call_posts_once(world: World) -> None:
    channel = await opened(world)
    await world.fault("chat.postMessage", "http_503", times=3)
    with pytest.raises(UnavailableError):
        await world.chat.post(channel, notice("hello"), key="k1")

    await world.chat.post(channel, notice("hello"), key="k1")

    assert len(await world.messages(channel, "hello")) == 1


async def test_a_cancelled_caller_makes_no_second_message(world: World) -> None:
    channel = await opened(world)
    await world.workspace.inflict({"target": "slack", "fault": "slow", "seconds": 0.2})
    first = asyncio.create_task(world.chat.post(channel, notice("hello"), key="k1"))
    await asyncio.sleep(0.1)
    first.cancel()

    await world.chat.post(channel, notice("hello"), key="k1")

    assert len(await world.messages(channel, "hello")) == 1


async def test_rate_limits_are_waited_out(world: World) -> None:
    channel = await opened(world)
    await world.fault("chat.postMessage", "ratelimited", times=1, retry_after=1)

    await world.chat.post(channel, notice("hello"), key="k1")

    assert len(await world.messages(channel, "hello")) == 1


async def test_a_channel_goes_by_its_name_too(world: World) -> None:
    await opened(world, "inc-by-name")

    posted = await world.chat.post("inc-by-name", notice("hello"), key="k1")

    assert [one["ts"] for one in await world.messages("inc-by-name", "hello")] == [posted.ts]


async def test_a_channel_the_bot_is_not_in_is_said_so(world: World) -> None:
    with pytest.raises(UnavailableError, match="in no channel called #nowhere") as caught:
        await world.chat.post("nowhere", notice("hello"), key="k1")

    assert caught.value.next_step == "Make it, and /invite @musd-bot there."


# --- Editing


async def test_an_edit_replaces_the_message(world: World) -> None:
    channel = await opened(world)
    posted = await world.chat.post(channel, notice("before"), key="k1")

    await world.chat.edit(posted, notice("after"))

    assert [(one["ts"], bool(one["edited"])) for one in await world.messages(channel, "after")] == [(posted.ts, True)]


async def test_an_edited_message_is_still_found_by_its_key(world: World) -> None:
    channel = await opened(world)
    posted = await world.chat.post(channel, notice("before"), key="k1")
    await world.chat.edit(posted, notice("after"))

    assert await world.another_chat()._find(channel, "k1", None) == posted  # noqa: SLF001 - as after a lost store


async def test_edits_in_quick_succession_are_few_and_the_last_one_wins(world: World) -> None:
    channel = await opened(world)
    chat = world.another_chat(interval=0.3)
    posted = await chat.post(channel, notice("edit 0"), key="k1")

    await asyncio.gather(*(chat.edit(posted, notice(f"edit {number}")) for number in range(1, 30)))

    assert len(await world.messages(channel, "edit 29")) == 1
    assert len(await world.calls("chat.update")) <= 3


@pytest.mark.parametrize("fault", ["archive-channel", "delete-channel"])
async def test_an_edit_where_there_is_no_channel_any_more_is_said_in_words(world: World, fault: str) -> None:
    channel = await opened(world)
    posted = await world.chat.post(channel, notice("before"), key="k1")
    await world.workspace.inflict({"target": "slack", "fault": fault, "channel": channel})

    with pytest.raises(UnavailableError, match=r"channel is (archived|gone)"):
        await world.chat.edit(posted, notice("after"))


async def test_an_edit_of_a_message_that_is_gone_is_said_in_words(world: World) -> None:
    channel = await opened(world)

    with pytest.raises(UnavailableError, match="the message is gone"):
        await world.chat.edit(MessageRef(channel, "1700000000.000001"), notice("after"))


# --- Pacing


async def test_messages_go_one_an_interval(world: World) -> None:
    channel = await opened(world)
    chat = world.another_chat(interval=0.2)

    began = time.monotonic()
    await asyncio.gather(*(chat.post(channel, notice(f"n{number}"), key=f"k{number}") for number in range(5)))
    took = time.monotonic() - began

    assert 0.8 <= took < 1.6


async def test_urgent_cards_pass_those_that_wait(world: World) -> None:
    channel = await opened(world)
    chat = world.another_chat(interval=0.2)
    cards: Sequence[Card] = [*(notice(f"notice {number}") for number in range(7)), incident_card()]

    await asyncio.gather(*(chat.post(channel, card, key=f"k{place}") for place, card in enumerate(cards)))

    order = ["CRITICAL" in one["text"] for one in await world.messages(channel) if "topic" not in one["text"]]
    assert order.index(True) <= 4


async def test_a_busy_channel_holds_up_no_other(world: World) -> None:
    busy, quiet = await opened(world, "busy"), await opened(world, "quiet")
    chat = world.another_chat(interval=5.0)
    waiting = [asyncio.create_task(chat.post(busy, notice("n"), key=f"k{number}")) for number in range(5)]
    await asyncio.sleep(0.05)

    began = time.monotonic()
    await chat.post(quiet, notice("hello"), key="quiet")
    took = time.monotonic() - began
    await chat.close()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert took < 1


async def test_slacks_real_rate_limits_are_kept(world: World) -> None:
    channel = await opened(world)
    await world.workspace.inflict({"target": "slack", "fault": "rate-limits"})
    chat = world.another_chat()

    await asyncio.gather(*(chat.post(channel, notice(f"n{number}"), key=f"k{number}") for number in range(5)))

    assert [one["error"] for one in await world.calls("chat.postMessage") if one["error"]] == []


# --- Whispers, words, secrets


async def test_a_whisper_is_seen_by_one_person(world: World) -> None:
    channel = await opened(world)
    await world.chat.invite(channel, [PEOPLE[0].id, PEOPLE[1].id])

    await world.chat.whisper(channel, PEOPLE[0].id, notice("only you"))

    seen = await world.door("/person/messages", channel=channel, user=PEOPLE[0].name)
    unseen = await world.door("/person/messages", channel=channel, user=PEOPLE[1].name)
    assert [any("only you" in one["text"] for one in told) for told in (seen, unseen)] == [True, False]


async def test_the_bots_own_secrets_never_reach_slack(world: World) -> None:
    channel = await opened(world)

    await world.chat.post(channel, NoticeCard(State.BAD, "see below", quote="pw hunter2-hunter2 end"), key="k1")

    assert "hunter2" not in str(await world.messages(channel))


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "ratelimited_forever", "http_500", "lost"])
async def test_no_error_shows_the_token_or_an_address(world: World, error: str) -> None:
    channel = await opened(world)
    await world.fault("chat.update", error, times=9, seconds=0.01)

    with pytest.raises(BotError) as caught:
        await world.chat.edit(MessageRef(channel, "1.1"), notice("x"))

    said = caught.value.sentences()
    assert (world.workspace.bot_token in said, "http" in said.lower().replace("http 500", "")) == (False, False)


def test_a_proxy_never_catches_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")

    proxies = [web_client("xoxb-x", url).proxy for url in ("http://127.0.0.1:1/api/", "https://slack.com/api/")]

    assert proxies == [None, "http://proxy.invalid:3128"]


def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "slack.com")

    assert proxy_for("https://slack.com/api/", "http://proxy.invalid:3128") is None
