"""Envelopes on their way to the app: several sockets, missing acknowledgements, redelivery, signed requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.drill.workspace import Workspace


class RawSocket:
    """A bare websocket that acknowledges only when told to."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def next(self) -> Any:
        """The next envelope."""
        return json.loads((await self.ws.receive(timeout=5)).data)

    async def ack(self, envelope: Any, **more: Any) -> None:
        """Acknowledge an envelope, with a payload if given."""
        await self.ws.send_json({"envelope_id": envelope["envelope_id"], **more})


@pytest.fixture
async def dial(workspace: Workspace) -> AsyncIterator[Any]:
    """Opens raw sockets."""
    client = AsyncWebClient(base_url=f"{workspace.url}/api/")
    session = aiohttp.ClientSession()
    sockets: list[RawSocket] = []

    async def dialling() -> RawSocket:
        opened = await client.apps_connections_open(app_token=workspace.app_token)
        sockets.append(RawSocket(await session.ws_connect(opened["url"])))
        return sockets[-1]

    yield dialling
    await session.close()


def command(doors: Any) -> Any:
    return doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd status")


async def test_hello_counts_the_connections(dial: Any) -> None:
    assert [(await (await dial()).next())["num_connections"] for _ in range(3)] == [1, 2, 3]


async def test_an_address_lets_one_socket_in(workspace: Workspace) -> None:
    client = AsyncWebClient(base_url=f"{workspace.url}/api/")
    url = (await client.apps_connections_open(app_token=workspace.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_payloads_go_round_the_sockets(dial: Any, doors: Any) -> None:
    sockets = [await dial(), await dial()]
    for socket in sockets:
        await socket.next()
    for _ in range(2):
        asked = asyncio.create_task(command(doors))
        tasks = {asyncio.create_task(socket.next()): socket for socket in sockets}
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        (first,) = done
        for task in rest:
            task.cancel()
        await tasks[first].ack(first.result())
        assert (await asked)["ok"]
        sockets.remove(tasks[first])
        sockets.append(tasks[first])
    assert len({id(socket) for socket in sockets}) == 2


async def test_an_acknowledgement_may_come_over_another_socket(dial: Any, doors: Any) -> None:
    one, other = await dial(), await dial()
    await one.next()
    await other.next()
    asked = asyncio.create_task(command(doors))
    first, second = asyncio.create_task(one.next()), asyncio.create_task(other.next())
    await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    if first.done():
        second.cancel()
        await other.ack(first.result())
    else:
        first.cancel()
        await one.ack(second.result())
    assert (await asked)["ok"]


async def test_a_slash_command_carries_what_slack_sends(dial: Any, doors: Any) -> None:
    socket = await dial()
    await socket.next()
    asked = asyncio.create_task(
        doors.post("command", user="guardian-1", channel="musd-alerts", text="/musd ask @admin-1 & #musd-infra")
    )
    envelope = await socket.next()
    await socket.ack(envelope)
    await asked
    payload = envelope["payload"]
    infra = next(one["id"] for one in await doors.get("channels") if one["name"] == "musd-infra")
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert payload["text"] == f"ask <@U0ADMIN0001|admin-1> &amp; <#{infra}|musd-infra>"
    assert payload.keys() == {
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    }


async def test_a_command_not_acknowledged_in_three_seconds_fails_visibly(dial: Any, doors: Any) -> None:
    await (await dial()).next()
    assert await command(doors) == {"ok": False, "error": "operation_timeout"}
    assert await doors.texts("musd-alerts", "guardian-1") == ['/musd failed with the error "operation_timeout"']
    assert await doors.texts("musd-alerts", "guardian-2") == []


async def test_an_event_not_acknowledged_comes_again(dial: Any, doors: Any) -> None:
    socket = await dial()
    await socket.next()
    await doors.post("say", user="guardian-1", channel="musd-alerts", text="hello")
    first, second = await socket.next(), await socket.next()
    assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (0, 1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]


async def test_a_fault_delivers_events_twice(workspace: Workspace, dial: Any, doors: Any) -> None:
    socket = await dial()
    await socket.next()
    await workspace.inflict({"target": "slack", "fault": "redeliver", "count": 1})
    seen = []
    for text in ("one", "two"):
        await doors.post("say", user="guardian-1", channel="musd-alerts", text=text)
        for _ in range(2 if text == "one" else 1):
            envelope = await socket.next()
            await socket.ack(envelope)
            seen.append((envelope["payload"]["event"]["text"], envelope["retry_attempt"]))
    assert seen == [("one", 0), ("one", 1), ("two", 0)]


async def test_a_silent_socket_stays_open_and_the_sdk_leaves_it(
    workspace: Workspace, app: AsyncApp, connect: Any, doors: Any, until: Any
) -> None:
    @app.command("/musd")
    async def _(ack: Any) -> None:
        await ack()

    handler = await connect(app)
    socket: SocketModeClient = handler.client
    first = socket.current_session
    await workspace.inflict({"target": "slack", "fault": "silent", "seconds": 60})
    assert (await command(doors))["error"] == "operation_timeout"
    await until(lambda: socket.current_session is not first, seconds=15)
    assert (await command(doors))["ok"]


@pytest.mark.parametrize("fault", ["disconnect", "drop"])
async def test_the_sdk_comes_back_after(
    fault: str, workspace: Workspace, app: AsyncApp, connect: Any, doors: Any, until: Any
) -> None:
    @app.command("/musd")
    async def _(ack: Any) -> None:
        await ack()

    handler = await connect(app)
    first = handler.client.current_session
    await workspace.inflict({"target": "slack", "fault": fault})
    await until(lambda: handler.client.current_session is not first, seconds=15)

    async def answered() -> bool:
        return bool((await command(doors))["ok"])

    await until(answered)


async def test_with_a_request_url_payloads_are_signed_requests(workspace: Workspace, doors: Any) -> None:
    verifier = SignatureVerifier(workspace.signing_secret)
    received: list[tuple[str, bool, str]] = []

    async def receive(request: web.Request) -> web.Response:
        body = await request.text()
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-Slack")}
        received.append((request.content_type, verifier.is_valid_request(body, headers), body))
        return web.json_response({"text": "Seen"})

    app = web.Application()
    app.router.add_post("/slack/events", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    workspace.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        assert (await command(doors))["ok"]
    finally:
        await runner.cleanup()
    ((content_type, valid, body),) = received
    assert (content_type, valid) == ("application/x-www-form-urlencoded", True)
    assert "command=%2Fmusd&text=status" in body
    assert await doors.texts("musd-alerts", "guardian-1") == ["Seen"]


async def test_an_event_refused_over_http_comes_again(workspace: Workspace, doors: Any, until: Any) -> None:
    retries: list[tuple[str | None, str | None]] = []

    async def refuse(request: web.Request) -> web.Response:
        retries.append((request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        return web.Response(status=500)

    app = web.Application()
    app.router.add_post("/slack/events", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    workspace.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        await doors.post("say", user="guardian-1", channel="musd-alerts", text="hello")
        await until(lambda: len(retries) == 2)
    finally:
        await runner.cleanup()
    assert retries == [(None, None), ("1", "http_error")]


async def test_a_request_refused_is_a_failed_dispatch(workspace: Workspace, doors: Any) -> None:
    workspace.request_url = f"{workspace.url}/no/such/address"
    assert (await command(doors))["error"] == "dispatch_failed"
