"""The bot's HTTP port. Nobody holds it by being slow: a request has so long to arrive whole and to be answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.errors import ConfigurationError
from bot.settings import Settings

LARGEST_BODY = 32 * 1024 * 1024
"""Bytes of one webhook: Alertmanager puts thousands of alerts in a body."""
_IDLE = 75.0
"""Seconds between two requests of a connection: longer than the proxies in front of us keep one."""


class Port:
    """A web application behind a port, and the time that whoever connects to it has."""

    def __init__(self, settings: Settings) -> None:
        """Nothing listens yet: give `app` its routes, then `open` it."""
        self._host, self._port = settings.http_host, settings.http_port
        self._patience = settings.http_patience.total_seconds()
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}
        """Connections that have not said what they want yet, each with its end."""
        self.app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._middleware()])

    def _middleware(self) -> Middleware:
        @web.middleware
        async def in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
            if silent := self._silent.pop(request.protocol, None):
                silent.cancel()
            try:
                async with asyncio.timeout(self._patience) as left:
                    return await handler(request)
            except TimeoutError:
                if left.expired():
                    raise web.HTTPRequestTimeout from None
                raise

        return in_time

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen.

        Raises:
            ConfigurationError: the port can't be had.
        """
        runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=_IDLE)
        await runner.setup()
        assert runner.server is not None  # noqa: S101 - set up a line above
        try:
            server = await asyncio.get_running_loop().create_server(
                self._connections(runner.server), self._host, self._port
            )
        except OSError as error:
            raise ConfigurationError(
                f"The port {self._port} on {self._host} can't be opened: {error.strerror}.",
                next_step="Set MUSD_HTTP_PORT to a free one.",
            ) from None
        try:
            yield
        finally:
            server.close()
            await runner.cleanup()

    def _connections(self, accept: Callable[[], web.RequestHandler]) -> Callable[[], web.RequestHandler]:
        """Each with its time: aiohttp itself waits for ever for the first request's headers."""

        def connected() -> web.RequestHandler:
            connection = accept()
            end = asyncio.get_running_loop().call_later(self._patience, self._hang_up, connection)
            self._silent[connection] = end
            return connection

        return connected

    def _hang_up(self, connection: web.RequestHandler) -> None:
        del self._silent[connection]
        connection.force_close()
