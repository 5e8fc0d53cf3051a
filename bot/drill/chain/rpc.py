"""JSON-RPC over HTTP, as little of it as the practice chain needs to be set up, broken and mended."""

from typing import Any

from aiohttp import ClientSession


class RpcError(Exception):
    """The node answered with an error; `data` holds a revert's bytes as hex, where it was one."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('message')} {error.get('data') or ''}".rstrip())
        self.data = str(error.get("data") or "")


class Rpc:
    """One node."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def __call__(self, method: str, *params: Any) -> Any:
        """The result of one call. Raises `RpcError` for the node's refusal, aiohttp's errors when it isn't there."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._session.post(self.url, json=request) as response:
            answer = await response.json(content_type=None)
        if "error" in answer:
            raise RpcError(method, answer["error"])
        return answer["result"]

    async def number(self, method: str, *params: Any) -> int:
        """A result that is a quantity."""
        return int(await self(method, *params), 16)

    async def head(self) -> tuple[int, int]:
        """The newest block's number and its time in seconds since 1970."""
        block = await self("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), int(block["timestamp"], 16)
