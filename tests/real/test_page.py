"""The practice page in a real Chromium, against the real workspace stand-in and a small app on the genuine Bolt."""

import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.people import PEOPLE
from bot.drill.workspace import Workspace

PAGE = Path(__file__).parents[2] / "bot" / "drill" / "page"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
MANIFEST = """
features:
  slash_commands:
    - {command: /musd, description: The bot, usage_hint: "status | pause [reason]", should_escape: true}
oauth_config:
  scopes:
    bot: [chat:write, commands, channels:manage, channels:read, channels:history, groups:write, groups:history]
"""

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def marked(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def button(label: str, action: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(label), "action_id": action, **more}


PAUSE_MODAL: dict[str, Any] = {
    "type": "modal",
    "title": plain("Pause protocol"),
    "submit": plain("Propose"),
    "blocks": [
        {
            "type": "input",
            "block_id": "targets",
            "label": plain("Contracts"),
            "element": {
                "type": "checkboxes",
                "action_id": "targets",
                "options": [{"text": plain(one), "value": one} for one in ("SMUSD", "BLE_BRIDGE")],
                "initial_options": [{"text": plain("SMUSD"), "value": "SMUSD"}],
            },
        },
        {
            "type": "input",
            "block_id": "reason",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "reason", "multiline": True},
        },
    ],
}
LOADING: dict[str, Any] = {
    "type": "modal",
    "title": plain("Pause protocol"),
    "blocks": [{"type": "section", "text": plain("Loading…")}],
}


@dataclass
class World:
    """A workspace with an app in it, a browser to look at it with, and what the app heard."""

    workspace: Workspace
    slack: AsyncWebClient
    browser: Browser
    heard: list[Any] = field(default_factory=list)

    async def window(self, person: str, place: str = "musd-alerts", **looks: Any) -> Page:
        """A window of that person at that place."""
        page = await self.browser.new_page(**looks)
        page.set_default_timeout(30000)
        await page.goto(f"{self.workspace.url}/?as={person}#{place}")
        await page.locator("#sidebar .row").first.wait_for(state="attached")
        return page

    async def post(self, text: str, **more: Any) -> str:
        """A message of the app in #musd-alerts; its ts."""
        return str((await self.slack.chat_postMessage(channel=await self.alerts(), text=text, **more))["ts"])

    async def alerts(self) -> str:
        """The id of #musd-alerts."""
        found = await self.slack.conversations_list()
        return next(str(one["id"]) for one in found["channels"] if one["name"] == "musd-alerts")


def small_app(client: AsyncWebClient, heard: list[Any]) -> AsyncApp:
    """An app that opens a modal, refuses a short reason, and writes down what it is told."""
    app = AsyncApp(client=client, signing_secret="unused")

    @app.command("/musd")
    async def command(ack: AsyncAck, command: dict[str, Any]) -> None:
        heard.append(command["text"])
        await ack(f"You typed {command['text']}")

    @app.action("pause")
    async def pause(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        opened = await client.views_open(trigger_id=body["trigger_id"], view=LOADING)
        await ack()
        await client.views_update(view_id=opened["view"]["id"], view={**PAUSE_MODAL, "callback_id": "pause"})

    @app.action("restart")
    async def restart(ack: AsyncAck) -> None:
        heard.append("restart")
        await ack()

    @app.view("pause")
    async def submitted(ack: AsyncAck, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        reason = values["reason"]["reason"]["value"]
        if len(reason) < 10:
            await ack(response_action="errors", errors={"reason": "Say a little more"})
            return
        heard.append(([one["value"] for one in values["targets"]["targets"]["selected_options"]], reason))
        await ack()

    return app


async def world_door(_request: web.Request) -> web.Response:
    return web.json_response({"people": [one.as_json() for one in PEOPLE], "pids": {"bot": os.getpid()}})


async def empty_door(_request: web.Request) -> web.Response:
    return web.json_response([])


def workspace_on(port: int, folder: Path) -> Workspace:
    """A workspace with the world's doors the page asks for."""
    manifest = folder / "manifest.yml"
    manifest.write_text(MANIFEST)
    made = Workspace(port, manifest, PAGE)
    made.app.router.add_get("/world", world_door)
    made.app.router.add_get("/scenarios", empty_door)
    made.app.router.add_get("/faults", empty_door)
    return made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The workspace, the app and the browser, shared by the tests of this module."""
    if CHROMIUM is None:
        missing = "no chromium on this machine: apt-get install chromium, or set CHROMIUM"
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("workspace")
    workspace = workspace_on(0, folder)
    await workspace.start(folder)
    client = AsyncWebClient(token=workspace.bot_token, base_url=f"{workspace.url}/api/")
    heard: list[Any] = []
    handler = AsyncSocketModeHandler(small_app(client, heard), workspace.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it without types
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield World(workspace, client, browser, heard)
        await browser.close()
    await handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt leaves it without types
    await workspace.stop()


async def test_a_message_shows_its_blocks_and_its_text_stays_text(world: World) -> None:
    fields = [marked("*Severity*\nCritical"), marked("<@U0GUARD0001> leads")]
    blocks = [
        {"type": "header", "text": plain(":rotating_light: Relay down")},
        {"type": "section", "text": marked("&lt;img src=x&gt; `code` ~no~"), "fields": fields},
        {"type": "context", "elements": [marked("_from_ <https://example.org|Prometheus>")]},
    ]
    await world.post("Relay down", blocks=blocks)
    page = await world.window("guardian-1")
    message = page.locator("#messages .message").last
    await expect(message.get_by_role("heading", name="🚨 Relay down")).to_be_visible()
    parts = (".section .text", "code", "s", ".mention.mine", ".context a")
    expected = ["<img src=x> code no", "code", "no", "@guardian-1", "Prometheus"]
    assert expected == [(await message.locator(part).first.inner_text()).strip() for part in parts]
    await page.close()


async def test_a_button_with_a_confirm_dialog_asks_before_the_app_hears_of_it(world: World) -> None:
    confirm = {"title": plain("Restart?"), "text": marked("*40 s*"), "confirm": plain("Go"), "deny": plain("No")}
    await world.post("r", blocks=[{"type": "actions", "elements": [button("Restart", "restart", confirm=confirm)]}])
    page = await world.window("operator-1")
    press = page.locator("#messages").get_by_role("button", name="Restart").last
    await press.click()
    await page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert "restart" not in world.heard
    await press.click()
    await page.get_by_role("dialog").get_by_role("button", name="Go").click()
    await expect(page.locator("#status")).to_contain_text("“Restart” answered in")
    assert world.heard.count("restart") == 1
    await page.close()


async def test_a_modal_fills_in_after_loading_shows_errors_beside_the_field_and_submits(world: World) -> None:
    await world.post("p", blocks=[{"type": "actions", "elements": [button("Pause protocol…", "pause")]}])
    page = await world.window("guardian-1")
    await page.locator("#messages").get_by_role("button", name="Pause protocol…").last.click()
    modal = page.get_by_role("dialog", name="Pause protocol")
    await modal.get_by_label("BLE_BRIDGE").check()
    await modal.get_by_label("Reason").fill("short")
    await modal.get_by_role("button", name="Propose").click()
    await expect(modal.locator(".wrong .field-error")).to_have_text("Please check: Say a little more")
    await modal.get_by_label("Reason").fill("the bridge cannot attest")
    await modal.get_by_role("button", name="Propose").click()
    await expect(modal).to_have_count(0)
    expected = (["SMUSD", "BLE_BRIDGE"], "the bridge cannot attest")
    assert expected == world.heard[-1]
    await page.close()


async def test_a_typed_command_is_completed_and_its_answer_is_only_for_who_typed_it(world: World) -> None:
    page = await world.window("guardian-1")
    other = await world.window("guardian-2")
    box = page.locator("#composer-text")
    await box.press_sequentially("/musd sta")
    await box.press("Tab")
    await box.press("Enter")
    await expect(page.locator(".message.ephemeral").last).to_contain_text("You typed status")
    await expect(page.locator(".message.ephemeral").last).to_contain_text("Only visible to you")
    assert world.heard[-1] == "status"
    assert await other.locator(".message.ephemeral").count() == 0
    await page.close()
    await other.close()


async def test_a_private_channel_is_hidden_from_who_is_not_in_it(world: World) -> None:
    made = await world.slack.conversations_create(name="inc-secret", is_private=True)
    await world.slack.conversations_invite(channel=made["channel"]["id"], users=[PEOPLE[2].id])
    await world.slack.chat_postMessage(channel=made["channel"]["id"], text="only for guardians")
    insider = await world.window("guardian-1", "inc-secret")
    outsider = await world.window("outsider", "inc-secret")
    await expect(insider.locator("#messages")).to_contain_text("only for guardians")
    await expect(outsider.locator("#channel-head")).to_contain_text("musd-alerts")
    assert "inc-secret" not in await outsider.locator("body").inner_text()
    await insider.close()
    await outsider.close()


async def test_what_one_person_replies_in_a_thread_appears_in_the_others_window_by_itself(world: World) -> None:
    ts = await world.post("a thread starts")
    one = await world.window("guardian-1", f"musd-alerts/{ts}")
    two = await world.window("responder-1", f"musd-alerts/{ts}")
    await one.locator("#thread-text").fill("on it")
    await one.locator("#thread-text").press("Enter")
    await expect(two.locator("#thread .message").last).to_contain_text("on it")
    await expect(two.locator("#messages .replies").last).to_contain_text("1 reply")
    await one.close()
    await two.close()


async def test_a_channel_not_in_view_turns_bold_when_something_is_written_in_it(world: World) -> None:
    page = await world.window("guardian-1", "general")
    await world.post("something new")
    await expect(page.locator(".row.unread", has_text="musd-alerts")).to_be_visible()
    await page.close()


async def test_on_a_phone_the_channels_slide_in_and_nothing_is_wider_than_the_window(world: World) -> None:
    page = await world.window("guardian-1", viewport={"width": 390, "height": 800})
    await expect(page.locator("#sidebar")).to_be_hidden()
    await page.get_by_role("button", name="Channels").click()
    await page.locator("#sidebar").get_by_role("link", name="channel, general").click()
    await expect(page.locator("#channel-head")).to_contain_text("general")
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.close()


async def test_the_page_asks_nobody_but_the_workspace_and_breaks_no_rule_of_its_policy(world: World) -> None:
    page = await world.browser.new_page()
    asked: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{world.workspace.url}/?as=guardian-1#musd-alerts")
    await page.locator("#messages .message").first.wait_for()
    await page.get_by_role("button", name="Break something").click()
    await expect(page.locator("#panel")).to_contain_text("Scenarios")
    assert ({world.workspace.url.split("/")[2]}, []) == (asked, complaints)
    await page.close()


async def test_a_banner_says_when_the_drill_has_gone_and_goes_when_it_is_back(world: World, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    first = workspace_on(port, tmp_path)
    await first.start(tmp_path)
    page = await world.browser.new_page()
    await page.goto(f"{first.url}/?as=guardian-1")
    await page.locator("#sidebar .row").first.wait_for()
    await first.stop()
    await expect(page.get_by_role("alert")).to_contain_text("The drill has gone", timeout=10_000)
    second = workspace_on(port, tmp_path)
    await second.start(tmp_path)
    await expect(page.get_by_role("alert")).to_be_hidden(timeout=15_000)
    await page.close()
    await second.stop()
