"""The Web API through the genuine SDK: what it answers, and the errors it refuses with."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.workspace import Workspace


async def refusal(call: Any) -> Any:
    """The answer of a call that is refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response


async def channel_id(doors: Any, name: str) -> str:
    return str(next(one["id"] for one in await doors.get("channels") if one["name"] == name))


@pytest.fixture
async def alerts(doors: Any) -> str:
    return await channel_id(doors, "musd-alerts")


@pytest.fixture
async def incident(client: AsyncWebClient) -> str:
    """A private channel the bot has made."""
    made = await client.conversations_create(name="inc-1", is_private=True)
    return str(made["channel"]["id"])


async def test_auth_test_names_the_bot_and_lists_its_scopes(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user"], answer["user_id"], answer["bot_id"]) == ("musd-bot", "U0MUSDBOT01", "B0MUSDBOT01")
    assert "chat:write" in answer.headers["X-OAuth-Scopes"].split(",")


async def test_a_wrong_token_is_refused(workspace: Workspace) -> None:
    client = AsyncWebClient(token="xoxb-wrong", base_url=f"{workspace.url}/api/")
    assert (await refusal(client.auth_test()))["error"] == "invalid_auth"


async def test_the_app_token_opens_sockets_and_nothing_else(workspace: Workspace, client: AsyncWebClient) -> None:
    client.token = workspace.app_token
    assert (await client.apps_connections_open(app_token=workspace.app_token))["url"].startswith("ws://127.0.0.1:")
    assert (await refusal(client.auth_test()))["error"] == "not_allowed_token_type"


async def test_an_unknown_method_is_refused_loudly(
    client: AsyncWebClient, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await refusal(client.api_call("chat.scheduleMessage", json={"text": "later"})))["error"] == "unknown_method"
    assert "UNKNOWN METHOD chat.scheduleMessage" in capsys.readouterr().err
    async with aiohttp.ClientSession() as session, session.get(f"{workspace.url}/seen/unknown") as answer:
        (seen,) = await answer.json()
    assert (seen["method"], seen["arguments"]) == ("chat.scheduleMessage", ["text"])


async def test_a_missing_argument_is_named(client: AsyncWebClient) -> None:
    answer = await refusal(client.api_call("users.info"))
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"] == {"messages": ["[ERROR] missing required field: user"]}


async def test_a_scope_the_manifest_lacks_is_named(client: AsyncWebClient) -> None:
    answer = await refusal(client.users_lookupByEmail(email="a@b.c"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "users:read.email")
    assert "chat:write" in answer["provided"].split(",")


async def test_listing_group_conversations_needs_the_scope_for_them(client: AsyncWebClient) -> None:
    answer = await refusal(client.conversations_list(types="public_channel,mpim"))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "mpim:read")


async def test_arguments_may_come_as_query_form_or_json(workspace: Workspace, alerts: str) -> None:
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    address = f"{workspace.url}/api/chat.postMessage"
    async with aiohttp.ClientSession(headers=headers) as session:
        for given in (
            {"params": {"channel": alerts, "text": "hello"}},
            {"data": {"channel": alerts, "text": "hello", "blocks": '[{"type":"divider"}]'}},
            {"json": {"channel": alerts, "text": "hello"}},
        ):
            async with session.post(address, **given) as answer:  # type: ignore[arg-type]  # keyword by keyword
                assert (await answer.json())["ok"]


async def test_timestamps_look_like_slacks_and_only_grow(client: AsyncWebClient, alerts: str) -> None:
    stamps = [(await client.chat_postMessage(channel=alerts, text=str(number)))["ts"] for number in range(5)]
    assert stamps == sorted(set(stamps))
    assert {len(stamp) for stamp in stamps} == {17}


async def test_a_thread_is_counted_at_its_first_message(client: AsyncWebClient, alerts: str) -> None:
    first = await client.chat_postMessage(channel=alerts, text="incident")
    await client.chat_postMessage(channel=alerts, text="note", thread_ts=first["ts"])
    replies = await client.conversations_replies(channel=alerts, ts=first["ts"])
    assert [one["text"] for one in replies["messages"]] == ["incident", "note"]
    history = await client.conversations_history(channel=alerts)
    assert [(one["text"], one["reply_count"]) for one in history["messages"]] == [("incident", 1)]


async def test_metadata_is_kept_and_shown_where_asked_for(client: AsyncWebClient, alerts: str) -> None:
    metadata = {"event_type": "musd", "event_payload": {"id": "o-1"}}
    await client.chat_postMessage(channel=alerts, text="once", metadata=metadata)
    asked = await client.conversations_history(channel=alerts, include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == metadata
    assert "metadata" not in (await client.conversations_history(channel=alerts))["messages"][0]


async def test_updating_the_text_alone_keeps_the_blocks(client: AsyncWebClient, alerts: str) -> None:
    posted = await client.chat_postMessage(channel=alerts, text="a", blocks=[{"type": "divider", "block_id": "d"}])
    updated = await client.chat_update(channel=alerts, ts=posted["ts"], text="b")
    assert updated["message"]["blocks"] == [{"type": "divider", "block_id": "d"}]


async def test_history_goes_page_by_page(client: AsyncWebClient, alerts: str) -> None:
    for number in range(5):
        await client.chat_postMessage(channel=alerts, text=str(number))
    first = await client.conversations_history(channel=alerts, limit=2)
    pages = [[one["text"] for one in page["messages"]] async for page in first]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]


async def test_history_between_two_timestamps(client: AsyncWebClient, alerts: str) -> None:
    stamps = [(await client.chat_postMessage(channel=alerts, text=str(number)))["ts"] for number in range(4)]
    within = await client.conversations_history(channel=alerts, oldest=stamps[1], latest=stamps[2], inclusive=True)
    assert [one["text"] for one in within["messages"]] == ["2", "1"]


async def test_a_person_id_as_channel_opens_their_direct_conversation(client: AsyncWebClient, doors: Any) -> None:
    posted = await client.chat_postMessage(channel="U0GUARD0001", text="psst")
    assert posted["channel"].startswith("D")
    assert await doors.texts("@guardian-1") == ["psst"]


async def test_an_ephemeral_reaches_one_person_and_no_history(client: AsyncWebClient, doors: Any, alerts: str) -> None:
    await client.chat_postEphemeral(channel=alerts, user="U0GUARD0001", text="only you")
    assert await doors.texts("musd-alerts", "guardian-1") == ["only you"]
    assert await doors.texts("musd-alerts", "guardian-2") == []
    assert (await client.conversations_history(channel=alerts))["messages"] == []


async def test_a_file_is_uploaded_and_shared_in_a_thread(client: AsyncWebClient, doors: Any, alerts: str) -> None:
    first = await client.chat_postMessage(channel=alerts, text="incident")
    await client.files_upload_v2(
        channel=alerts, thread_ts=first["ts"], filename="relay.log", content="x" * 12, initial_comment="logs"
    )
    (file,) = await doors.get("files")
    assert (file["name"], file["content_type"], file["size"]) == ("relay.log", "text/plain", 12)
    message = await doors.last("musd-alerts")
    assert (message["text"], message["thread_ts"]) == ("logs", first["ts"])
    async with aiohttp.ClientSession() as session, session.get(file["url"]) as answer:
        assert await answer.text() == "x" * 12


async def test_users_show_what_roles_are_decided_on(client: AsyncWebClient) -> None:
    user = (await client.users_info(user="U0ADMIN0001"))["user"]
    shown = {name: user[name] for name in ("name", "team_id", "is_bot", "deleted", "is_restricted")}
    assert shown == {
        "name": "admin-1",
        "team_id": "T0MUSD00001",
        "is_bot": False,
        "deleted": False,
        "is_restricted": False,
    }


async def test_user_groups_are_listed_with_their_people(client: AsyncWebClient, doors: Any) -> None:
    made = await doors.post("usergroup", handle="practised", users=["guardian-1", "guardian-2"])
    groups = {one["handle"]: one for one in (await client.usergroups_list())["usergroups"]}
    group = groups["practised"]
    assert (group["id"], group["user_count"]) == (made["id"], 2)
    members = await client.usergroups_users_list(usergroup=group["id"])
    assert members["users"] == ["U0GUARD0001", "U0GUARD0002"]


async def test_pins_and_bookmarks_are_kept(client: AsyncWebClient, alerts: str) -> None:
    posted = await client.chat_postMessage(channel=alerts, text="checklist")
    await client.pins_add(channel=alerts, timestamp=posted["ts"])
    await client.bookmarks_add(channel_id=alerts, title="Runbook", type="link", link="https://example.org/runbook")
    assert [one["message"]["text"] for one in (await client.pins_list(channel=alerts))["items"]] == ["checklist"]
    assert [one["title"] for one in (await client.bookmarks_list(channel_id=alerts))["bookmarks"]] == ["Runbook"]


async def test_reactions_are_counted(client: AsyncWebClient, alerts: str) -> None:
    posted = await client.chat_postMessage(channel=alerts, text="done")
    await client.reactions_add(channel=alerts, timestamp=posted["ts"], name="eyes")
    message = (await client.reactions_get(channel=alerts, timestamp=posted["ts"]))["message"]
    assert message["reactions"] == [{"name": "eyes", "users": ["U0MUSDBOT01"], "count": 1}]


async def test_inviting_makes_members(client: AsyncWebClient, incident: str) -> None:
    await client.conversations_invite(channel=incident, users=["U0GUARD0001", "U0ADMIN0001"])
    members = (await client.conversations_members(channel=incident))["members"]
    assert members == ["U0MUSDBOT01", "U0GUARD0001", "U0ADMIN0001"]


async def test_one_bad_name_stops_an_invitation_unless_forced(client: AsyncWebClient, incident: str) -> None:
    users = "U0GUARD0001,U0NOBODY"
    refused = await refusal(client.conversations_invite(channel=incident, users=users))
    assert refused["error"] == "user_not_found"
    forced = await client.conversations_invite(channel=incident, users=users, force=True)
    assert forced["errors"] == [{"user": "U0NOBODY", "ok": False, "error": "user_not_found"}]


@pytest.mark.parametrize(
    ("users", "error"), [("U0MUSDBOT01", "cant_invite_self"), ("U0NOBODY", "user_not_found")], ids=["itself", "nobody"]
)
async def test_who_cannot_be_invited(client: AsyncWebClient, incident: str, users: str, error: str) -> None:
    assert (await refusal(client.conversations_invite(channel=incident, users=users)))["error"] == error


async def test_inviting_a_member_again_is_refused(client: AsyncWebClient, incident: str) -> None:
    await client.conversations_invite(channel=incident, users="U0GUARD0001")
    refused = await refusal(client.conversations_invite(channel=incident, users="U0GUARD0001"))
    assert refused["error"] == "already_in_channel"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Incident", "invalid_name_specials"),
        ("two words", "invalid_name_specials"),
        ("x" * 81, "invalid_name_maxlength"),
        ("---", "invalid_name_punctuation"),
        ("musd-alerts", "name_taken"),
    ],
)
async def test_names_no_channel_may_have(client: AsyncWebClient, name: str, error: str) -> None:
    assert (await refusal(client.conversations_create(name=name)))["error"] == error


async def test_an_archived_channel_keeps_its_name(client: AsyncWebClient, incident: str) -> None:
    await client.conversations_archive(channel=incident)
    assert (await refusal(client.conversations_create(name="inc-1")))["error"] == "name_taken"


async def test_an_archived_channel_takes_no_message(client: AsyncWebClient, incident: str) -> None:
    await client.conversations_archive(channel=incident)
    assert (await refusal(client.chat_postMessage(channel=incident, text="late")))["error"] == "is_archived"


async def test_the_bot_must_join_before_it_posts(client: AsyncWebClient, doors: Any) -> None:
    general = await channel_id(doors, "general")
    assert (await refusal(client.chat_postMessage(channel=general, text="hello")))["error"] == "not_in_channel"
    await client.conversations_join(channel=general)
    assert (await client.chat_postMessage(channel=general, text="hello"))["ok"]


async def test_a_private_channel_it_left_does_not_exist_for_the_bot(client: AsyncWebClient, incident: str) -> None:
    await client.conversations_invite(channel=incident, users="U0GUARD0001")
    await client.conversations_leave(channel=incident)
    assert (await refusal(client.conversations_info(channel=incident)))["error"] == "channel_not_found"


async def test_a_topic_has_250_characters_at_most(client: AsyncWebClient, alerts: str) -> None:
    assert (await refusal(client.conversations_setTopic(channel=alerts, topic="x" * 251)))["error"] == "too_long"


async def test_only_its_own_messages_can_be_updated(client: AsyncWebClient, doors: Any, alerts: str) -> None:
    said = await doors.post("say", user="guardian-1", channel="musd-alerts", text="mine")
    refused = await refusal(client.chat_update(channel=alerts, ts=said["ts"], text="yours"))
    assert refused["error"] == "cant_update_message"


async def test_a_deleted_message_cannot_be_updated(client: AsyncWebClient, alerts: str) -> None:
    posted = await client.chat_postMessage(channel=alerts, text="oops")
    await client.chat_delete(channel=alerts, ts=posted["ts"])
    refused = await refusal(client.chat_update(channel=alerts, ts=posted["ts"], text="again"))
    assert refused["error"] == "message_not_found"


async def test_a_message_says_something(client: AsyncWebClient, alerts: str) -> None:
    assert (await refusal(client.api_call("chat.postMessage", json={"channel": alerts})))["error"] == "no_text"


async def test_a_text_can_be_too_long(client: AsyncWebClient, alerts: str) -> None:
    assert (await refusal(client.chat_postMessage(channel=alerts, text="x" * 40_001)))["error"] == "msg_too_long"


async def test_nobody_can_reply_to_a_message_that_is_not_there(client: AsyncWebClient, alerts: str) -> None:
    refused = await refusal(client.chat_postMessage(channel=alerts, text="x", thread_ts="1700000000.000100"))
    assert refused["error"] == "cannot_reply_to_message"
