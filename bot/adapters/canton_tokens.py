"""A new Canton token from the admin API that issues them, tried out on the ledger before anybody gets to use it."""

import aiohttp
from pydantic import SecretStr

from bot.adapters.canton_users import refusal
from bot.adapters.trouble import reason
from bot.errors import RefusedError, UnavailableError

_TIMEOUT = 5.0
_OK = 200


class CantonTokens:
    """Issues tokens. A value it has issued goes to its caller and nowhere else."""

    def __init__(self, url: str, admin_token: SecretStr, *, user: str, ledger_url: str) -> None:
        """Ask this API.

        Args:
            url: where tokens are issued: POST ``{"user": …}``, answered with a ``token`` or an ``access_token``.
            admin_token: a bearer token that may.
            user: whose token, unless somebody else's is asked for.
            ledger_url: the JSON Ledger API that a new token has to work on.
        """
        self._url = url
        self._admin = admin_token
        self._user = user
        self._ledger_url = ledger_url.rstrip("/")

    async def issue(self, holder: str = "") -> SecretStr:
        """A new token that works, of this holder or else of the usual user.

        Raises:
            RefusedError: the API issues none, or the ledger does not take it.
            UnavailableError: one of them does not answer.
        """
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
                token = await self._issued(session, holder or self._user)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = "no JSON" if isinstance(error, ValueError) else reason(error, timeout=_TIMEOUT)
            raise UnavailableError(f"Canton's admin API does not answer sensibly: {why}.") from None
        if refused := await refusal(self._ledger_url, token):
            raise RefusedError(f"The ledger does not take the new token: {refused}.")
        return token

    async def _issued(self, session: aiohttp.ClientSession, user: str) -> SecretStr:
        headers = {"Authorization": f"Bearer {self._admin.get_secret_value()}"}
        async with session.post(self._url, json={"user": user}, headers=headers, allow_redirects=False) as answer:
            if answer.status != _OK:
                raise RefusedError(f"Canton's admin API issues no token: HTTP {answer.status}.")
            found = await answer.json(content_type=None)
        value = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
        if not isinstance(value, str):
            raise RefusedError("Canton's admin API answered without a token.")
        return SecretStr(value)
