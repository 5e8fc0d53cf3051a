"""Running a command in a pod over the exec WebSocket (`kubectl exec`)."""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
from kubernetes_asyncio import client
from kubernetes_asyncio.stream import WsApiClient

from bot.errors import RefusedError

_READING = frozenset({"cat", "curl", "date", "df", "nc", "pg_isready", "psql", "stat"})
"""Programs a probe may run in a pod. `psql` is only ever handed a SELECT."""
_OUTPUTS, _END = (1, 2), 3
TEXT_AT_MOST = 64 * 1024
"""Bytes of what a command writes that are kept."""


def reads_only(command: Sequence[str]) -> None:
    """Nothing, where the command is one that is known to read only.

    Raises:
        RefusedError: it is none.
    """
    if command[0] not in _READING:
        raise RefusedError(f"{command[0]} is not known to read only.", means="It was not run.")


async def run(
    settings: Any, namespace: str, pod: str, container: str, command: Sequence[str], *, within: float
) -> tuple[int | None, str]:
    """The exit code and what was written; the code is None where the connection ended before the command did.

    Raises:
        ApiException: the API server refused.
        TimeoutError: the command took longer than `within` seconds.
    """
    written: list[bytes] = []
    code: int | None = None
    async with asyncio.timeout(within), WsApiClient(settings) as api_client:
        session = api_client.rest_client.pool_manager
        api_client.rest_client.pool_manager = aiohttp.ClientSession(connector=session.connector, trust_env=False)
        session.detach()
        try:
            api: Any = client.CoreV1Api(api_client)  # typed as if it answered with text
            opening = await api.connect_get_namespaced_pod_exec(
                pod,
                namespace,
                container=container,
                command=list(command),
                stdout=True,
                stderr=True,
                _preload_content=False,
            )
            async with opening as socket:
                async for message in socket:
                    piece = message.data if isinstance(message.data, bytes) else message.data.encode()
                    if piece[:1] and piece[0] in _OUTPUTS:
                        written.append(piece[1:])
                    elif piece[:1] == bytes([_END]):
                        code = exit_code(piece[1:])
        except aiohttp.WSServerHandshakeError as error:
            raise not_opened(error) from None
    return code, b"".join(written)[:TEXT_AT_MOST].decode(errors="replace").strip()


def not_opened(error: aiohttp.WSServerHandshakeError) -> Exception:
    """What the API server's refusal to open an exec means: the client library itself tells no more than the status."""
    dead = error.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR}
    why = f"HTTP {error.status}" + (", as for a container that does not run" if dead else "")
    return client.ApiException(status=error.status, reason=why)


def exit_code(status: bytes) -> int | None:
    """The code in the `Status` that ends an exec; None where it failed for another reason."""
    try:
        told = json.loads(status)
        if told.get("status") == "Success":
            return 0
        return int(told["details"]["causes"][0]["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        return None
