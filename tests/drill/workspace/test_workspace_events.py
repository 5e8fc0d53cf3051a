"""Events the app subscribed to, received by a genuine Bolt app."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.workspace import Workspace


@pytest.fixture
async def heard(workspace: Workspace, client: AsyncWebClient, connect: Any) -> list[Any]:
    """Every event the connected app receives, its own echoes included, as it comes."""
    app = AsyncApp(client=client, signing_secret=workspace.signing_secret, ignoring_self_events_enabled=False)
    events: list[Any] = []

    async def listen(body: Any, next_: Any) -> None:
        if body.get("type") == "event_callback":
            events.append(body["event"])
        await next_()

    app.middleware(listen)
    for name in ("message", "app_mention", "reaction_added", "app_home_opened", "member_joined_channel"):
        app.event(name)(_nothing)
    for name in ("channel_archive", "channel_rename", "channel_deleted"):
        app.event(name)(_nothing)
    await connect(app)
    return events


async def _nothing() -> None:
    """Events are recorded by the middleware."""


def finder(heard: list[Any], kind: str, **fields: Any) -> Any:
    """Looks for an event of that kind with those fields."""
    wanted = {"type": kind, **fields}
    return lambda: next((one for one in heard if wanted.items() <= one.items()), None)


async def test_a_message_in_a_thread_reaches_the_app(heard: list[Any], doors: Any, until: Any) -> None:
    first = await doors.post("say", user="guardian-1", channel="musd-alerts", text="relay down?")
    await doors.post("say", user="guardian-2", channel="musd-alerts", text="yes", thread_ts=first["ts"])
    event = await until(finder(heard, "message", text="yes"))
    assert (event["thread_ts"], event["channel_type"], event["user"]) == (first["ts"], "channel", "U0GUARD0002")


async def test_the_bots_own_messages_are_echoed(heard: list[Any], client: AsyncWebClient, until: Any) -> None:
    await client.chat_postMessage(channel="#musd-alerts", text="mine")
    event = await until(finder(heard, "message", text="mine"))
    assert (event["bot_id"], event["user"]) == ("B0MUSDBOT01", "U0MUSDBOT01")


async def test_messages_of_channels_the_bot_is_not_in_do_not_reach_it(heard: list[Any], doors: Any, until: Any) -> None:
    await doors.post("say", user="guardian-1", channel="general", text="lunch?")
    await doors.post("say", user="guardian-1", channel="musd-alerts", text="back")
    await until(finder(heard, "message", text="back"))
    assert finder(heard, "message", text="lunch?")() is None


@pytest.mark.parametrize("text", ["@musd-bot help", "<@U0MUSDBOT01> help"])
async def test_a_mention_reaches_the_app(heard: list[Any], doors: Any, until: Any, text: str) -> None:
    await doors.post("say", user="guardian-1", channel="musd-alerts", text=text)
    event = await until(finder(heard, "app_mention"))
    assert event["text"] == "<@U0MUSDBOT01> help"


async def test_a_direct_message_reaches_the_app(heard: list[Any], doors: Any, until: Any) -> None:
    await doors.post("say", user="guardian-1", channel="@musd-bot", text="psst")
    assert (await until(finder(heard, "message", text="psst")))["channel_type"] == "im"


async def test_an_edited_message_is_an_event_of_its_own(heard: list[Any], client: AsyncWebClient, until: Any) -> None:
    posted = await client.chat_postMessage(channel="#musd-alerts", text="before")
    await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="after")
    event = await until(finder(heard, "message", subtype="message_changed"))
    assert (event["message"]["text"], event["previous_message"]["text"]) == ("after", "before")


async def test_a_reaction_reaches_the_app(heard: list[Any], doors: Any, until: Any) -> None:
    said = await doors.post("say", user="guardian-1", channel="musd-alerts", text="fixed")
    await doors.post("react", user="guardian-2", channel="musd-alerts", ts=said["ts"], name=":eyes:")
    event = await until(finder(heard, "reaction_added"))
    assert (event["reaction"], event["user"], event["item"]["ts"]) == ("eyes", "U0GUARD0002", said["ts"])


async def test_joining_reaches_the_app(heard: list[Any], client: AsyncWebClient, doors: Any, until: Any) -> None:
    await client.conversations_create(name="inc-2")
    await doors.post("join", user="guardian-1", channel="inc-2")
    event = await until(finder(heard, "member_joined_channel"))
    assert (event["user"], event["channel_type"]) == ("U0GUARD0001", "C")


async def test_opening_home_reaches_the_app_and_shows_what_it_publishes(
    heard: list[Any], client: AsyncWebClient, doors: Any, until: Any
) -> None:
    assert await doors.get("home", user="guardian-1") is None
    event = await until(finder(heard, "app_home_opened"))
    await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})
    home = await doors.get("home", user="guardian-1", quiet="1")
    assert [block["type"] for block in home["blocks"]] == ["divider"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"fault": "archive-channel"}, "channel_archive"),
        ({"fault": "rename-channel", "name": "musd-relay"}, "channel_rename"),
        ({"fault": "delete-channel"}, "channel_deleted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_people_do_to_a_channel_reaches_the_app(
    heard: list[Any], workspace: Workspace, until: Any, fault: dict[str, str], kind: str
) -> None:
    await workspace.inflict({"target": "slack", "channel": "musd-infra", **fault})
    assert await until(finder(heard, kind))


async def test_events_nobody_subscribed_to_are_not_sent(
    heard: list[Any], client: AsyncWebClient, doors: Any, until: Any
) -> None:
    await client.conversations_create(name="inc-3")
    await doors.post("say", user="guardian-1", channel="musd-alerts", text="after")
    await until(finder(heard, "message", text="after"))
    assert finder(heard, "channel_created")() is None
