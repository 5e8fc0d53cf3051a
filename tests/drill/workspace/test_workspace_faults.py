"""Breaking the workspace, mending it, and starting it again from its folder."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.part import UnknownFaultError
from bot.drill.workspace import Workspace


async def test_every_fault_is_listed_with_help(workspace: Workspace) -> None:
    assert all(one.target == "slack" and one.help for one in workspace.faults)


async def test_an_unknown_fault_lists_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(UnknownFaultError, match="it knows error, slow"):
        await workspace.inflict({"target": "slack", "fault": "explode"})


async def test_a_fault_without_what_it_needs_is_refused(workspace: Workspace) -> None:
    with pytest.raises(UnknownFaultError, match="'archive-channel' needs 'channel'"):
        await workspace.inflict({"target": "slack", "fault": "archive-channel"})


async def test_a_method_fails_as_often_as_told(workspace: Workspace, client: AsyncWebClient) -> None:
    await workspace.inflict({"target": "slack", "method": "auth.test", "error": "fatal_error", "times": 1})
    with pytest.raises(SlackApiError, match="fatal_error"):
        await client.auth_test()
    assert (await client.auth_test())["ok"]


async def test_the_sdk_waits_as_long_as_a_rate_limit_says(workspace: Workspace, client: AsyncWebClient) -> None:
    await workspace.inflict(
        {"target": "slack", "method": "auth.test", "error": "ratelimited", "retry_after": 1, "times": 1}
    )
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    begun = time.monotonic()
    assert (await client.auth_test())["ok"]
    assert time.monotonic() - begun > 0.9


async def test_an_internal_error_has_its_status(workspace: Workspace) -> None:
    await workspace.inflict({"target": "slack", "method": "auth.test", "error": "http_500"})
    async with aiohttp.ClientSession() as session, session.post(f"{workspace.url}/api/auth.test") as answer:
        assert answer.status == 500


@pytest.mark.parametrize(("error", "texts"), [("timeout", ["sent"]), ("lost", [])])
async def test_a_call_never_answered_may_have_been_carried_out(
    workspace: Workspace, client: AsyncWebClient, doors: Any, error: str, texts: list[str]
) -> None:
    fault = {"target": "slack", "method": "chat.postMessage", "error": error, "times": 1, "seconds": 5}
    await workspace.inflict(fault)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.chat_postMessage(channel="#musd-alerts", text="sent"), 0.2)
    assert await doors.texts("musd-alerts") == texts


async def test_with_rate_limits_a_channel_takes_a_message_a_second(
    workspace: Workspace, client: AsyncWebClient
) -> None:
    await workspace.inflict({"target": "slack", "fault": "rate-limits"})
    for _ in range(3):
        await client.chat_postMessage(channel="#musd-alerts", text="burst")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="#musd-alerts", text="too much")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")


async def test_the_calls_received_can_be_looked_up(workspace: Workspace, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="#musd-alerts", text="hello")
    async with aiohttp.ClientSession() as session, session.get(f"{workspace.url}/seen/slack") as answer:
        (call,) = await answer.json()
    assert (call["method"], call["channel"], call["error"]) == ("chat.postMessage", "#musd-alerts", None)
    assert abs(call["at"] - float(posted["ts"])) < 1


async def test_people_change_and_change_back(workspace: Workspace, client: AsyncWebClient) -> None:
    await workspace.inflict({"target": "slack", "fault": "deactivate", "user": "guardian-1"})
    await workspace.inflict({"target": "slack", "fault": "guest", "user": "guardian-2"})
    assert (await client.users_info(user="U0GUARD0001"))["user"]["deleted"]
    assert (await client.users_info(user="U0GUARD0002"))["user"]["is_restricted"]
    await workspace.mend()
    assert not (await client.users_info(user="U0GUARD0001"))["user"]["deleted"]
    assert not (await client.users_info(user="U0GUARD0002"))["user"]["is_restricted"]


async def test_a_deactivated_person_can_do_nothing(workspace: Workspace, doors: Any) -> None:
    await workspace.inflict({"target": "slack", "fault": "deactivate", "user": "guardian-1"})
    said = await doors.post("say", user="guardian-1", channel="musd-alerts", text="hi")
    assert said == {"ok": False, "error": "account_inactive"}


async def test_a_shared_channel_says_so(workspace: Workspace, client: AsyncWebClient, doors: Any) -> None:
    await workspace.inflict({"target": "slack", "fault": "shared-channel", "channel": "musd-infra"})
    infra = next(one["id"] for one in await doors.get("channels") if one["name"] == "musd-infra")
    assert (await client.conversations_info(channel=infra))["channel"]["is_ext_shared"]


async def test_a_renamed_and_archived_channel_comes_back(workspace: Workspace, doors: Any) -> None:
    await workspace.inflict({"target": "slack", "fault": "rename-channel", "channel": "musd-infra", "name": "musd-iac"})
    await workspace.inflict({"target": "slack", "fault": "archive-channel", "channel": "musd-iac"})
    await workspace.mend()
    infra = next(one for one in await doors.get("channels") if one["name"] == "musd-infra")
    assert not infra["is_archived"]


async def test_a_workspace_continues_from_its_folder(tmp_path: Path, manifest: Path, page: Path) -> None:
    first = Workspace(0, manifest, page)
    await first.start(tmp_path / "slack")
    client = AsyncWebClient(token=first.bot_token, base_url=f"{first.url}/api/")
    made = await client.conversations_create(name="inc-1", is_private=True)
    room = made["channel"]["id"]
    posted = await client.chat_postMessage(
        channel=room, text="incident", metadata={"event_type": "m", "event_payload": {}}
    )
    await client.chat_postMessage(channel=room, text="note", thread_ts=posted["ts"])
    await client.files_upload_v2(channel=room, filename="a.png", content=b"\x89PNG")
    await first.stop()

    second = Workspace(0, manifest, page)
    await second.start(tmp_path / "slack")
    try:
        client = AsyncWebClient(token=first.bot_token, base_url=f"{second.url}/api/")
        replies = await client.conversations_replies(channel=room, ts=posted["ts"])
        assert [one["text"] for one in replies["messages"]] == ["incident", "note"]
        (file,) = (await client.files_list())["files"]
        async with aiohttp.ClientSession() as session, session.get(file["url_private"]) as answer:
            assert (answer.content_type, await answer.read()) == ("image/png", b"\x89PNG")
        later = await client.chat_postMessage(channel=room, text="later")
        assert later["ts"] > posted["ts"]
    finally:
        await second.stop()


async def test_stopping_is_quick_whatever_is_open(workspace: Workspace, client: AsyncWebClient) -> None:
    await workspace.inflict({"target": "slack", "method": "auth.test", "error": "lost", "seconds": 60})
    url = (await client.apps_connections_open(app_token=workspace.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        hanging = asyncio.create_task(session.post(f"{workspace.url}/api/auth.test"))
        await session.ws_connect(url)
        await session.get(f"{workspace.url}/page/changes")
        begun = time.monotonic()
        await workspace.stop()
        assert time.monotonic() - begun < 3
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_a_change_calls_back(workspace: Workspace, client: AsyncWebClient) -> None:
    changes: list[None] = []
    workspace.on_change(lambda: changes.append(None))
    await client.chat_postMessage(channel="#musd-alerts", text="hello")
    assert changes == [None]
