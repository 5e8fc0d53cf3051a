"""Loopback ports that can be shut and opened again, so that connections are refused in between."""

import ssl
from collections.abc import Sequence

from aiohttp import web


class Doors:
    """An application behind several ports: plain HTTP where there is no TLS context, else HTTPS."""

    def __init__(self, app: web.Application, contexts: Sequence[ssl.SSLContext | None]) -> None:
        # A watcher that goes away must not leave its watch behind, hence the cancellation.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        self._contexts = contexts
        self._ports: list[int] = []

    async def open(self) -> list[str]:
        """Listen, the first time on free ports and later on the same ones; returns the base URLs."""
        if self._runner.server is None:
            await self._runner.setup()
        if not self._runner.sites:
            ports = self._ports or [0] * len(self._contexts)
            for port, context in zip(ports, self._contexts, strict=True):
                site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=context)
                await site.start()
                if not port:
                    self._ports.append(site.port)
        return [
            f"{'https' if context else 'http'}://127.0.0.1:{port}"
            for port, context in zip(self._ports, self._contexts, strict=True)
        ]

    async def shut(self) -> None:
        """Refuse new connections; those in use stay."""
        for site in list(self._runner.sites):
            await site.stop()

    async def close(self) -> None:
        """End everything."""
        await self._runner.cleanup()
