"""Health pages over real connections: the practice relay, the practice ledger, and servers that misbehave."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.adapters.health import HttpHealth
from bot.drill.cluster import Cluster
from bot.errors import ConfigurationError, UnavailableError
from bot.ports import Health, LedgerReads, RelayReads

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler, token: SecretStr | None = None) -> AsyncIterator[HttpHealth]:
    application = web.Application()
    application.router.add_get("/{path}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    health = HttpHealth("the relay", url, setting="MUSD_RELAY_URL", token=token, timeout=0.3)
    yield health
    await health.close()
    await runner.cleanup()


async def echo(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.method} {request.path} {request.headers.get('Authorization')}")


async def test_both_ports_are_fulfilled() -> None:
    health = HttpHealth("the relay", "", setting="MUSD_RELAY_URL")
    ports: tuple[RelayReads, LedgerReads] = (health, health)
    assert ports == (health, health)


async def test_a_healthy_relay_answers_200(tmp_path: Path) -> None:
    cluster = Cluster()
    await cluster.start(tmp_path)
    health = HttpHealth("the relay", cluster.relay_url, setting="MUSD_RELAY_URL")
    answer = await health.health()
    await health.close()
    await cluster.stop()
    assert answer.status == 200


async def test_an_unhealthy_relays_503_is_an_answer_with_its_reason(tmp_path: Path) -> None:
    cluster = Cluster()
    await cluster.start(tmp_path)
    await cluster.inflict({"fault": "relay-unhealthy", "reason": "supply mismatch"})
    health = HttpHealth("the relay", cluster.relay_url, setting="MUSD_RELAY_URL")
    answer = await health.health()
    await health.close()
    await cluster.stop()
    assert (answer.status, "supply mismatch" in answer.body) == (503, True)


async def test_readiness_is_asked_with_the_bearer_token() -> None:
    async with answering(echo, SecretStr("t0ken")) as health:
        assert await health.ready() == Health(200, "GET /readyz Bearer t0ken")


async def test_health_without_a_token_sends_none() -> None:
    async with answering(echo) as health:
        assert await health.health() == Health(200, "GET /health None")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound("https://elsewhere.example/")

    async with answering(redirect) as health:
        assert (await health.health()).status == 302


async def test_a_body_is_read_to_64_kilobytes() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b"x" * 10_000)
        return response

    async with answering(endless) as health:
        assert len((await health.health()).body) == 64 * 1024


async def test_bytes_that_are_no_text_are_still_an_answer() -> None:
    async def binary(_: web.Request) -> web.Response:
        return web.Response(body=b"ok \xff", content_type="text/plain", charset="no-such-encoding")

    async with answering(binary) as health:
        assert await health.health() == Health(200, "ok \ufffd")


async def test_silence_is_no_answer() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with answering(silent) as health:
        with pytest.raises(UnavailableError, match=r"No answer from the relay: no answer within 0\.3 s\."):
            await health.health()


async def test_a_refused_connection_is_said_in_words() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    health = HttpHealth("the Canton participant", url, setting="MUSD_LEDGER_URL")
    with pytest.raises(UnavailableError) as caught:
        await health.ready()
    await health.close()
    assert caught.value.sentences() == (
        "No answer from the Canton participant: the connection was refused. Its address comes from MUSD_LEDGER_URL."
    )


async def test_a_host_that_does_not_exist_is_said_in_words() -> None:
    health = HttpHealth("the relay", "http://relay.invalid", setting="MUSD_RELAY_URL")
    with pytest.raises(UnavailableError, match="its name can't be resolved"):
        await health.health()
    await health.close()


async def test_an_address_that_is_none_is_said_in_words() -> None:
    health = HttpHealth("the relay", "no url", setting="MUSD_RELAY_URL")
    with pytest.raises(UnavailableError, match="its URL is not a valid one"):
        await health.health()
    await health.close()


async def test_without_an_address_the_setting_is_named() -> None:
    health = HttpHealth("the Canton participant", "", setting="MUSD_LEDGER_URL")
    with pytest.raises(ConfigurationError) as caught:
        await health.ready()
    assert caught.value.sentences() == (
        "The address of the Canton participant is not configured. Set MUSD_LEDGER_URL to its URL."
    )
