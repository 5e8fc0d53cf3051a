"""The end of a log, however long it is: what is kept of it in memory is bounded."""

from collections import deque
from collections.abc import AsyncIterable

import aiohttp

_LINE_AT_MOST = 2000
"""Characters of one line that are kept."""
_LOG_AT_MOST = 256 * 1024
"""Bytes of one log that are kept: the newest."""
_READ_AT_MOST = 8 * 1024 * 1024
"""Bytes of one log that are read at all."""


async def newest(pieces: AsyncIterable[bytes]) -> bytes:
    """The end of a body. A cut first line is left out.

    Raises:
        ClientPayloadError: it is longer than anybody reads.
    """
    kept = deque[bytes]()
    size = read = 0
    async for piece in pieces:
        kept.append(piece)
        size, read = size + len(piece), read + len(piece)
        while size - len(kept[0]) >= _LOG_AT_MOST:
            size -= len(kept.popleft())
        if read > _READ_AT_MOST:
            raise aiohttp.ClientPayloadError
    text = b"".join(kept)
    return text if read == size else text[text.find(b"\n") + 1 :]


def lines(text: bytes) -> list[str]:
    """Its lines, without the empty ones."""
    return [line[:_LINE_AT_MOST] for line in text.decode(errors="replace").split("\n") if line]
