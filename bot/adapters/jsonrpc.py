"""JSON-RPC over HTTP for web3, on a session of our own.

web3's own provider opens a connection per request, retries by itself, and logs the URL, which holds a key.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import aiohttp
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

_ANSWER_AT_MOST = 4 * 1024 * 1024
_PIECE = 64 * 1024
_HTTP_ERROR = 400
_TRAVELS_TOGETHER = frozenset({"eth_call", "eth_getBlockByNumber", "eth_getCode", "eth_getBalance", "eth_getStorageAt"})
"""Reads that no node takes long for: a slow one would hold the others up."""
_Waiting = tuple[RPCEndpoint, Any, "asyncio.Future[RPCResponse]"]


class Transport(AsyncJSONBaseProvider):
    """One kept-alive session: no proxy from the environment, no redirects, no retries, bounded answers."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._waiting: list[_Waiting] = []
        self._flights: set[asyncio.Task[None]] = set()

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request. Short reads that are asked at the same moment travel as one: a status is few requests."""
        if method not in _TRAVELS_TOGETHER:
            return await self._single(method, params)
        answer: asyncio.Future[RPCResponse] = asyncio.get_running_loop().create_future()
        self._waiting.append((method, params, answer))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._depart)
        return await answer

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, []
        flight = asyncio.create_task(self._fly(waiting))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, waiting: Sequence[_Waiting]) -> None:
        try:
            answers = await self._together([(method, params) for method, params, _ in waiting])
        except Exception as error:  # noqa: BLE001 - each of those who asked gets it
            for _, _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, _, answer), found in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(found)

    async def _together(self, requests: list[tuple[RPCEndpoint, Any]]) -> Sequence[RPCResponse]:
        if len(requests) > 1:
            answers = await self.make_batch_request(requests)
            if isinstance(answers, list) and len(answers) == len(requests):
                return answers
        return [await self._single(method, params) for method, params in requests]

    async def _single(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        answer = await self._post(self.encode_rpc_request(method, params))
        return cast("RPCResponse", answer if isinstance(answer, dict) else {"error": {"message": "no JSON-RPC object"}})

    async def make_batch_request(
        self, batch_requests: list[tuple[RPCEndpoint, Any]]
    ) -> list[RPCResponse] | RPCResponse:
        """Several requests in one; the answers in the requests' order."""
        answer = await self._post(self.encode_batch_rpc_request(batch_requests))
        if isinstance(answer, list) and all(isinstance(one, dict) and isinstance(one.get("id"), int) for one in answer):
            return sorted(answer, key=lambda one: int(one["id"]))
        return cast("RPCResponse", answer)

    async def close(self) -> None:
        """Close its connections."""
        for flight in self._flights:
            flight.cancel()
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes) -> Any:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(headers={"Content-Type": "application/json"}, trust_env=False)
        async with self._session.post(self._url, data=body, allow_redirects=False) as response:
            text = await _bounded(response)
            if response.status >= _HTTP_ERROR and not text.lstrip().startswith((b"{", b"[")):
                response.raise_for_status()
        return self.decode_rpc_response(text)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    async for part in response.content.iter_chunked(_PIECE):
        parts.append(part)
        if sum(map(len, parts)) > _ANSWER_AT_MOST:
            raise aiohttp.ClientPayloadError
    return b"".join(parts)
