"""The doors: who sees and presses what, shortcuts, and who is kept out."""

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot.drill.workspace import Workspace


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


DIALOG = {"title": plain("Sure?"), "text": plain("Really."), "confirm": plain("Yes"), "deny": plain("No")}
MENU = {
    "type": "static_select",
    "action_id": "menu",
    "options": [{"text": plain("One"), "value": "1"}, {"text": plain("Two"), "value": "2"}],
}
BLOCKS = [
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {"type": "button", "action_id": "go", "text": plain("Go"), "value": "p1", "confirm": DIALOG},
            MENU,
        ],
    }
]


@pytest.fixture
async def pressed(app: AsyncApp, connect: Any) -> list[Any]:
    """Every interaction the connected app receives."""
    bodies: list[Any] = []

    async def take(ack: Any, body: Any) -> None:
        bodies.append(body)
        await ack()

    app.action("go")(take)
    app.action("menu")(take)
    app.shortcut("open")(take)
    app.shortcut("note")(take)
    await connect(app)
    return bodies


async def test_a_press_carries_what_slack_sends(pressed: list[Any], client: AsyncWebClient, doors: Any) -> None:
    posted = await client.chat_postMessage(channel="#musd-alerts", text="choose", blocks=BLOCKS)
    answer = await doors.post("press", user="outsider", channel="musd-alerts", ts=posted["ts"], label="Go")
    (body,) = pressed
    assert (answer["ok"], body["type"], body["user"]["id"]) == (True, "block_actions", "U0OUTSI0001")
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": posted["channel"],
        "is_ephemeral": False,
    }
    assert body["message"]["text"] == "choose"
    assert body["channel"] == {"id": posted["channel"], "name": "musd-alerts"}
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == ("go", "row", "p1", "button")
    assert {"trigger_id", "response_url", "state", "team", "api_app_id", "token"} <= body.keys()


async def test_a_choice_in_a_menu_is_remembered_for_the_next_press(
    pressed: list[Any], client: AsyncWebClient, doors: Any
) -> None:
    posted = await client.chat_postMessage(channel="#musd-alerts", text="choose", blocks=BLOCKS)
    where = {"user": "guardian-1", "channel": "musd-alerts", "ts": posted["ts"]}
    await doors.post("press", **where, action_id="menu", value="2")
    await doors.post("press", **where, action_id="go")
    first, second = pressed
    assert first["actions"][0]["selected_option"]["value"] == "2"
    assert second["state"]["values"]["row"]["menu"]["selected_option"]["value"] == "2"


async def test_a_button_in_an_ephemeral_is_pressed_by_its_reader_only(
    pressed: list[Any], client: AsyncWebClient, doors: Any
) -> None:
    channel = next(one["id"] for one in await doors.get("channels") if one["name"] == "musd-alerts")
    posted = await client.chat_postEphemeral(channel=channel, user="U0GUARD0001", text="choose", blocks=BLOCKS)
    where = {"channel": "musd-alerts", "ts": posted["message_ts"], "label": "Go"}
    assert (await doors.post("press", user="guardian-2", **where))["error"] == "message_not_found"
    assert (await doors.post("press", user="guardian-1", **where))["ok"]
    (body,) = pressed
    assert body["container"]["is_ephemeral"]
    assert "message" not in body


async def test_a_button_that_is_not_there_names_those_that_are(client: AsyncWebClient, doors: Any) -> None:
    posted = await client.chat_postMessage(channel="#musd-alerts", text="choose", blocks=BLOCKS)
    refused = await doors.post("press", user="guardian-1", channel="musd-alerts", ts=posted["ts"], label="Gone")
    assert (refused["error"], refused["known"]) == ("button_not_found", ["Go", ""])


@pytest.fixture
async def secret(client: AsyncWebClient) -> Any:
    """A message with a button in a private channel of the bot and guardian-1."""
    made = await client.conversations_create(name="inc-1", is_private=True)
    await client.conversations_invite(channel=made["channel"]["id"], users="U0GUARD0001")
    return await client.chat_postMessage(channel=made["channel"]["id"], text="secret", blocks=BLOCKS)


@pytest.mark.usefixtures("pressed")
async def test_nobody_presses_in_a_private_channel_they_are_not_in(secret: Any, doors: Any) -> None:
    where = {"channel": "inc-1", "ts": secret["ts"], "label": "Go"}
    assert await doors.post("press", user="outsider", **where) == {"ok": False, "error": "not_in_channel"}
    assert (await doors.post("press", user="guardian-1", **where))["ok"]


@pytest.mark.usefixtures("secret")
async def test_a_private_channel_shows_nothing_to_others(doors: Any) -> None:
    assert await doors.get("messages", channel="inc-1", user="outsider") == []
    assert await doors.texts("inc-1", "guardian-1") == ["secret"]
    assert await doors.texts("inc-1") == ["secret"]


@pytest.mark.usefixtures("secret")
async def test_nobody_writes_in_a_private_channel_they_are_not_in(doors: Any) -> None:
    said = await doors.post("say", user="outsider", channel="inc-1", text="hello?")
    assert said == {"ok": False, "error": "not_in_channel"}


async def test_writing_in_a_public_channel_joins_it(client: AsyncWebClient, doors: Any) -> None:
    made = await client.conversations_create(name="inc-2")
    assert (await doors.post("say", user="guardian-1", channel="inc-2", text="here"))["ok"]
    members = (await client.conversations_members(channel=made["channel"]["id"]))["members"]
    assert members == ["U0MUSDBOT01", "U0GUARD0001"]


async def test_what_people_type_is_escaped(doors: Any) -> None:
    await doors.post("say", user="guardian-1", channel="musd-alerts", text="a < b & <!channel> @admin-1")
    assert await doors.texts("musd-alerts") == ["a &lt; b &amp; &lt;!channel&gt; <@U0ADMIN0001>"]


async def test_a_response_url_replaces_an_ephemeral_five_times(
    pressed: list[Any], client: AsyncWebClient, doors: Any
) -> None:
    channel = next(one["id"] for one in await doors.get("channels") if one["name"] == "musd-alerts")
    posted = await client.chat_postEphemeral(channel=channel, user="U0GUARD0001", text="choose", blocks=BLOCKS)
    await doors.post("press", user="guardian-1", channel=channel, ts=posted["message_ts"], action_id="go")
    async with aiohttp.ClientSession() as session:
        answers = []
        for number in range(6):
            said = {"replace_original": True, "text": f"chosen {number}"}
            async with session.post(pressed[0]["response_url"], json=said) as answer:
                answers.append(answer.status)
    assert answers == [200, 200, 200, 200, 200, 404]
    assert await doors.texts("musd-alerts", "guardian-1") == ["chosen 4"]


async def test_a_global_shortcut_reaches_the_app(pressed: list[Any], doors: Any) -> None:
    assert (await doors.post("shortcut", user="guardian-1", callback_id="open"))["ok"]
    assert (pressed[0]["type"], pressed[0]["callback_id"]) == ("shortcut", "open")


async def test_a_message_shortcut_reaches_the_app(pressed: list[Any], doors: Any) -> None:
    said = await doors.post("say", user="guardian-2", channel="musd-alerts", text="oops")
    asked = {"user": "guardian-1", "callback_id": "note", "channel": "musd-alerts", "ts": said["ts"]}
    assert (await doors.post("shortcut", **asked))["ok"]
    assert (pressed[0]["type"], pressed[0]["message"]["text"]) == ("message_action", "oops")


async def test_a_command_nobody_declared_is_refused(doors: Any) -> None:
    refused = await doors.post("command", user="guardian-1", channel="musd-alerts", text="/deploy")
    assert refused == {"ok": False, "error": "unknown_command", "known": ["/musd"]}


async def test_the_only_command_need_not_be_spelt_out(app: AsyncApp, connect: Any, doors: Any) -> None:
    texts: list[str] = []

    @app.command("/musd")
    async def _(ack: Any, body: Any) -> None:
        texts.append(body["text"])
        await ack()

    await connect(app)
    for text in ("/musd pause all", "pause all"):
        await doors.post("command", user="guardian-1", channel="musd-alerts", text=text)
    assert texts == ["pause all", "pause all"]


async def test_the_manifests_commands_are_listed(doors: Any) -> None:
    listed = await doors.get("commands")
    assert [one["command"] for one in listed["commands"]] == ["/musd"]
    assert [one["callback_id"] for one in listed["shortcuts"]] == ["open", "note"]


async def test_unknown_people_and_channels_are_named(doors: Any) -> None:
    nobody = await doors.post("say", user="guardian-9", channel="musd-alerts", text="hi")
    nowhere = await doors.post("say", user="guardian-1", channel="musd-nowhere", text="hi")
    assert (nobody["error"], nowhere["error"]) == ("user_not_found", "channel_not_found")
    assert "guardian-1" in nobody["known"]


async def test_a_request_with_an_unknown_key_is_refused(doors: Any) -> None:
    refused = await doors.post("say", user="guardian-1", channel="musd-alerts", txt="hi")
    assert refused["error"] == "invalid_arguments"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
    ids=["origin", "host", "fetch"],
)
async def test_other_sites_are_kept_out(workspace: Workspace, headers: dict[str, str]) -> None:
    address = f"{workspace.url}/person/channels"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_pages_own_origin_is_let_in(workspace: Workspace) -> None:
    address = f"{workspace.url}/person/channels"
    async with aiohttp.ClientSession(headers={"Origin": workspace.url}) as session, session.get(address) as answer:
        assert answer.status == 200


async def test_the_page_runs_nothing_from_elsewhere(workspace: Workspace) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{workspace.url}/") as answer:
        assert "practice" in await answer.text()
        assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_nothing_beside_the_page_is_served(workspace: Workspace) -> None:
    address = URL(f"{workspace.url}/page/%2e%2e/app-manifest.yml", encoded=True)
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 404


async def test_changes_are_streamed_with_their_channel(workspace: Workspace, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{workspace.url}/page/changes") as stream:
        await stream.content.readuntil(b"\n\n")
        posted = await client.chat_postMessage(channel="#musd-alerts", text="new")
        assert await stream.content.readline() == f'data: {{"channel": "{posted["channel"]}"}}\n'.encode()
