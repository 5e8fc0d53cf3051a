"""The bot's way to the chain: two of these, A and B, so that one RPC can be broken while the other is well."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from bot.drill.chain.rpc import Rpc

Json = dict[str, Any]

MODES = ("down", "hang", "stale", "wrong-chain", "lying-paused")
PAUSED = "0x5c975abb"
"""The selector of ``paused()``."""
WRONG_CHAIN_ID = 11_155_111
_TAGS = {"latest", "pending", "safe", "finalized"}
_BLOCK_AT = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
    "eth_simulateV1": 1,
}
"""Where a method that may leave out its block has it."""


class Proxy:
    """One JSON-RPC endpoint in front of anvil. `break_it` changes how it answers, `mend` changes it back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.url = ""
        self.mode = ""
        self._seconds: float | None = None
        self._pinned = 0
        self._mended = asyncio.Event()
        self._session: ClientSession
        self._upstream = ""
        self._runner: web.AppRunner | None = None

    async def start(self, upstream: str) -> None:
        """Listen on a free loopback port and pass on to `upstream`."""
        self._upstream = upstream
        self._session = ClientSession(timeout=ClientTimeout(total=120))
        application = web.Application(client_max_size=32 * 1024**2)
        application.router.add_post("/", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection."""
        self.mend()
        if self._runner is not None:
            await self._runner.cleanup()
            await self._session.close()

    async def break_it(self, mode: str, request: Mapping[str, Any]) -> None:
        """Answer in one of `MODES` from now on; `request` is the fault with its arguments."""
        self.mend()
        if mode == "hang":
            self._seconds = float(request["seconds"]) if request.get("seconds") else None
        if mode == "stale":
            head, _ = await Rpc(self._session, self._upstream).head()
            self._pinned = max(0, head - int(request.get("blocks", 5)))
        self.mode = mode
        self._mended = asyncio.Event()

    def mend(self) -> None:
        """Answer truthfully and at once again; requests left hanging are answered now."""
        self.mode = ""
        self._mended.set()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.mode == "down":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        if self.mode == "hang":
            await self._wait()
        try:
            asked = json.loads(body)
        except ValueError:
            return web.json_response(_refusal(None, -32700, "parse error"))
        if not isinstance(asked, list):
            return web.json_response(await self._one(asked))
        return web.json_response([await self._one(one) for one in asked])

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._mended.wait(), self._seconds)
        except TimeoutError:
            return

    async def _one(self, asked: Json) -> Json:
        mode, pinned = self.mode, self._pinned
        if mode == "wrong-chain" and asked.get("method") in {"eth_chainId", "net_version"}:
            chain = hex(WRONG_CHAIN_ID) if asked["method"] == "eth_chainId" else str(WRONG_CHAIN_ID)
            return {"jsonrpc": "2.0", "id": asked.get("id"), "result": chain}
        if mode == "stale":
            asked = _in_the_past(asked, pinned)
        answer = await self._pass_on(asked)
        if mode == "stale":
            return _not_yet(asked, answer, pinned)
        if mode == "lying-paused" and _asks_paused(asked) and "result" in answer:
            return answer | {"result": "0x" + format(int(answer["result"], 16) ^ 1, "064x")}
        return answer

    async def _pass_on(self, asked: Json) -> Json:
        try:
            async with self._session.post(self._upstream, json=asked) as response:
                answer: Json = await response.json(content_type=None)
        except (ClientError, OSError) as failure:
            return _refusal(asked.get("id"), -32000, f"the practice chain does not answer: {failure}")
        return answer


def _refusal(identity: Any, code: int, message: str) -> Json:
    return {"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}}


def _asks_paused(asked: Json) -> bool:
    params = asked.get("params") or [{}]
    call = params[0] if isinstance(params[0], dict) else {}
    return asked.get("method") == "eth_call" and str(call.get("input") or call.get("data")).startswith(PAUSED)


def _in_the_past(asked: Json, block: int) -> Json:
    """The same question about an old block: every tag is replaced, and put in where it was left out."""
    params = list(asked.get("params") or [])
    place = _BLOCK_AT.get(str(asked.get("method")))
    if place is not None and len(params) == place:
        params.append("latest")
    if asked.get("method") == "eth_getLogs" and params:
        params[0] = {"toBlock": "latest"} | params[0] if "blockHash" not in params[0] else params[0]
    return asked | {"params": [_pin(one, block) for one in params]}


def _pin(value: Any, block: int) -> Any:
    if isinstance(value, dict):
        return {key: _pin(one, block) if key in {"fromBlock", "toBlock"} else one for key, one in value.items()}
    return hex(block) if isinstance(value, str) and value in _TAGS else value


def _not_yet(asked: Json, answer: Json, block: int) -> Json:
    """What a node that stopped at `block` would know of the answer."""
    if asked.get("method") == "eth_blockNumber":
        return answer | {"result": hex(block)}
    result = answer.get("result")
    number = result.get("blockNumber") if isinstance(result, dict) else None
    if asked.get("method") in {"eth_getTransactionReceipt", "eth_getTransactionByHash"} and number is not None:
        return answer | {"result": None} if int(number, 16) > block else answer
    return answer
