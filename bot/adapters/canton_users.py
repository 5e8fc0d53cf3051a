"""Canton's users: one whose token may be stolen is denied everything, and another takes its place with its rights.

A JWT can't be revoked by itself; its user can (`PATCH /v2/users/{id}`, JSON Ledger API v2). A token of the same user
would be refused along with the old one, so the new one is issued to a successor.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.adapters.trouble import reason
from bot.errors import RefusedError, UnavailableError

_TIMEOUT = 5.0
_OK, _THERE_ALREADY = 200, 409
_REFUSED = frozenset({401, 403})


class CantonUsers:
    """Fulfils `ports.TokenUsers`."""

    def __init__(self, ledger_url: str, admin_token: SecretStr, *, user: str) -> None:
        """Ask this ledger with a token of the participant's admin.

        Args:
            ledger_url: the JSON Ledger API.
            admin_token: a bearer token with the right ``ParticipantAdmin``.
            user: whose tokens are rotated.
        """
        self._url = ledger_url.rstrip("/")
        self._admin = admin_token
        self.user = user

    async def deactivate(self) -> None:
        """Deny this user everything. One that is deactivated already stays so."""
        mask = {"paths": ["is_deactivated"], "unknownFields": {"fields": {}}}
        body = {"user": {"id": self.user, "isDeactivated": True}, "updateMask": mask}
        await self._ask("PATCH", f"/v2/users/{self.user}", "deactivate the user", body)

    async def succeed(self, mark: str) -> str:
        """Another user with the same rights, the same for the same mark; its id."""
        successor = f"{self.user}-{mark}"
        told = await self._ask("GET", f"/v2/users/{self.user}", "describe the user")
        rights = await self._ask("GET", f"/v2/users/{self.user}/rights", "list the user's rights")
        user = {"id": successor, "primaryParty": told["user"].get("primaryParty", "")}
        body = {"user": user, "rights": rights.get("rights", [])}
        await self._ask("POST", "/v2/users", "create the user's successor", body, fine=_THERE_ALREADY)
        return successor

    async def _ask(
        self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None, *, fine: int = _OK
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._admin.get_secret_value()}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT), trust_env=False) as session,
                session.request(method, self._url + path, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status not in {_OK, fine}:
                    raise RefusedError(
                        f"Canton does not {what} {self.user}: HTTP {answer.status}.",
                        next_step="Check MUSD_CANTON_ADMIN_TOKEN and MUSD_CANTON_TOKEN_USER, or do it by hand.",
                    )
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = "no JSON" if isinstance(error, ValueError) else reason(error, timeout=_TIMEOUT)
            raise UnavailableError(f"Canton does not say whether it did {what} {self.user}: {why}.") from None


async def refusal(ledger_url: str, token: SecretStr) -> str:
    """How the ledger turns this token down, such as ``HTTP 403``; empty while it takes it.

    Raises:
        UnavailableError: it neither takes it nor turns it down.
    """
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    url = f"{ledger_url.rstrip('/')}/v2/state/ledger-end"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT), trust_env=False) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status in {_OK, *_REFUSED}:
                return "" if answer.status == _OK else f"HTTP {answer.status}"
            raise UnavailableError(f"Whether the ledger takes the token is not known: HTTP {answer.status}.")
    except (aiohttp.ClientError, TimeoutError) as error:
        why = reason(error, timeout=_TIMEOUT)
        raise UnavailableError(f"Whether the ledger takes the token is not known: {why}.") from None
