"""How requests to a node travel: those that are asked at one moment together, each with its own answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from web3.types import RPCEndpoint

from bot.adapters.jsonrpc import Transport


class Node:
    """Answers each call with its own parameters, and remembers what came."""

    def __init__(self, *, batches: bool = True) -> None:
        self.posts: list[Any] = []
        self.batches = batches

    async def answer(self, request: web.Request) -> web.Response:
        """One POST."""
        body = await request.json()
        self.posts.append(body)
        if isinstance(body, list) and not self.batches:
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}})
        answers = [{"jsonrpc": "2.0", "id": one["id"], "result": one["params"]} for one in _listed(body)]
        return web.json_response(answers if isinstance(body, list) else answers[0])


def _listed(body: Any) -> list[Any]:
    return list(reversed(body)) if isinstance(body, list) else [body]  # nodes may answer in any order


@pytest_asyncio.fixture
async def node() -> AsyncIterator[tuple[Node, Transport]]:
    node, app = Node(), web.Application()
    app.router.add_post("/", node.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = Transport(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield node, transport
    await transport.close()
    await runner.cleanup()


async def ask(transport: Transport, *calls: tuple[str, Any]) -> list[Any]:
    answers = await asyncio.gather(*(transport.make_request(RPCEndpoint(name), [given]) for name, given in calls))
    return [answer["result"][0] for answer in answers]


@pytest.mark.asyncio
async def test_reads_of_one_moment_are_one_request_and_each_gets_its_own_answer(node: tuple[Node, Transport]) -> None:
    assert await ask(node[1], *(("eth_call", number) for number in range(6))) == [0, 1, 2, 3, 4, 5]
    assert len(node[0].posts) == 1


@pytest.mark.asyncio
async def test_what_may_take_long_holds_nobody_up(node: tuple[Node, Transport]) -> None:
    await ask(node[1], ("eth_call", 1), ("eth_getLogs", 2), ("eth_call", 3))
    assert sorted(isinstance(post, list) for post in node[0].posts) == [False, True]


@pytest.mark.asyncio
async def test_a_node_that_takes_no_batches_is_asked_one_by_one(node: tuple[Node, Transport]) -> None:
    node[0].batches = False
    assert await ask(node[1], ("eth_call", 1), ("eth_call", 2)) == [1, 2]


@pytest.mark.asyncio
async def test_one_who_no_longer_waits_costs_the_others_nothing(node: tuple[Node, Transport]) -> None:
    gone = asyncio.ensure_future(node[1].make_request(RPCEndpoint("eth_call"), ["gone"]))
    stays = asyncio.ensure_future(node[1].make_request(RPCEndpoint("eth_call"), ["stays"]))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays)["result"] == ["stays"]
