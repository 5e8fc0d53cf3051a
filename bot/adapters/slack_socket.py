"""Socket Mode kept alive: connected at start and ever after, and watched, since a socket can be open and silent."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient

_AGAIN = 2.0
"""Seconds between two tries to connect, and between two looks of the watchdog."""
_NEW_ADDRESS_AFTER = 30.0
"""Seconds without a working socket after which its address is thrown away: an address is good once, and the SDK tries
one that has failed for ever."""
DEAD_AFTER = 300.0
"""Seconds after which the process says that it is not alive: a new process is the last remedy for a deaf one."""

log = structlog.get_logger()


class SlackSocket:
    """The watch over the SDK's client. Its own pings close a silent socket in half a minute; the rest is here."""

    def __init__(
        self, client: SocketModeClient, connect: Callable[[], Awaitable[object]], *, dead_after: float = DEAD_AFTER
    ) -> None:
        """`connect` makes the first connection; the client keeps it up from then on. `dead_after` is in seconds."""
        self._client = client
        self._connect = connect
        self._dead_after = dead_after
        self._heard = time.monotonic()

    async def connected(self) -> bool:
        """Whether payloads can come in now."""
        return bool(await self._client.is_connected())

    def deaf(self) -> bool:
        """Whether nothing could come in for too long: five minutes, unless told otherwise."""
        return time.monotonic() - self._heard > self._dead_after

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connect in the background, and watch. A Slack that is away holds nothing up: alerts are taken, pages sent."""
        tasks = [asyncio.create_task(self._keep_trying()), asyncio.create_task(self._watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    async def _keep_trying(self) -> None:
        while True:
            try:
                await self._connect()
            except SlackApiError as error:
                log.warning("Slack refuses the socket", error=error.response["error"])
            except (OSError, TimeoutError) as error:
                log.warning("Slack is not reachable", error=type(error).__name__)
            else:
                return
            await asyncio.sleep(_AGAIN)

    async def _watch(self) -> None:
        while True:
            if await self.connected():
                self._heard = time.monotonic()
            elif time.monotonic() - self._heard > _NEW_ADDRESS_AFTER:
                self._client.wss_uri = None
            await asyncio.sleep(_AGAIN)

    async def _close(self) -> None:
        # The SDK's own loops can outlive its close: they are ended here, and waited for.
        tasks = [self._client.current_session_monitor, self._client.message_receiver, self._client.message_processor]
        if self._client.current_session is None:
            self._client.closed = True
            await self._client.aiohttp_client_session.close()
        else:
            await self._client.close()  # type: ignore[no-untyped-call]  # the SDK gives it no types
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
