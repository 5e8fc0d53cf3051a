"""The health pages that systems have themselves: the relay's ``GET /health``, the ledger's ``GET /readyz``."""

import aiohttp
from pydantic import SecretStr

from bot.adapters.trouble import reason
from bot.errors import ConfigurationError, UnavailableError
from bot.ports import Health

_BODY_AT_MOST = 64 * 1024
"""Bytes of an answer that are read; the rest is left."""


TIMEOUT = 3.0
"""Seconds that one request may take."""


class HttpHealth:
    """Fulfils `ports.RelayReads`, and serves the ledger. Any status is an answer; redirects are not followed."""

    def __init__(
        self, name: str, url: str, *, setting: str, token: SecretStr | None = None, timeout: float = TIMEOUT
    ) -> None:
        """Ask one system.

        Args:
            name: what people call it, such as ``the relay``.
            url: its base, such as ``http://localhost:8080``.
            setting: where the URL comes from, for when it is missing or wrong.
            token: a bearer token, where it wants one.
            timeout: seconds for one request.
        """
        self._name = name
        self._url = url.rstrip("/")
        self._setting = setting
        self._token = token
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def health(self) -> Health:
        """``GET /health``."""
        return await self._get("/health")

    async def live(self) -> Health:
        """``GET /livez``."""
        return await self._get("/livez")

    async def ready(self) -> Health:
        """``GET /readyz``."""
        return await self._get("/readyz")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _get(self, path: str) -> Health:
        if not self._url:
            raise ConfigurationError(
                f"The address of {self._name} is not configured.", next_step=f"Set {self._setting} to its URL."
            )
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout), trust_env=False, headers=self._headers()
            )
        try:
            async with self._session.get(self._url + path, allow_redirects=False) as response:
                return Health(status=response.status, body=await _start(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = reason(error, timeout=self._timeout)
            raise UnavailableError(
                f"No answer from {self._name}: {why}.", next_step=f"Its address comes from {self._setting}."
            ) from None

    def _headers(self) -> dict[str, str]:
        token = self._token.get_secret_value() if self._token is not None else ""
        return {"Authorization": f"Bearer {token}"} if token else {}


async def _start(response: aiohttp.ClientResponse) -> str:
    """A body's beginning as text, whatever its encoding claims to be."""
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) >= _BODY_AT_MOST:
            response.close()
            break
    return body[:_BODY_AT_MOST].decode(errors="replace")
