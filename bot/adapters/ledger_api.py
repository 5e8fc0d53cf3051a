"""Canton's JSON Ledger API v2 over plain HTTP, for reading and writing: no well-kept client for Canton 3.x exists."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.adapters.trouble import reason
from bot.errors import ConfigurationError, RefusedError, UnavailableError

_OK, _TOO_MANY = 200, 413
_UNAUTHENTICATED, _DENIED, _SERVER_ERROR = 401, 403, 500
_PAGE = 200
_MOST_PAGES = 50
_READING = ("CanReadAs", "CanActAs")
_ACTIVE = "/v2/state/active-contracts"
Json = Mapping[str, Any]


TIMEOUT = 3.0
"""Seconds that one request may take."""


class LedgerApi:
    """One participant, asked in the name of one user."""

    def __init__(self, url: str, token: SecretStr, *, package: str, timeout: float = TIMEOUT) -> None:
        """Ask one participant.

        Args:
            url: its base.
            token: a user's bearer token; its rights say which parties it reads and acts for.
            package: the package's name in template ids, such as ``musd-protocol``.
            timeout: seconds for one request.
        """
        self._url = url.rstrip("/")
        self._token = token
        self._package = package
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._rights: Sequence[Json] = ()

    def template_id(self, template: str) -> str:
        """``#package-name:Module:Template`` of ``Module:Template``."""
        return f"#{self._package}:{template}"

    async def get(self, path: str) -> Any:
        """The answer to a GET."""
        return await self._wanted("GET", path, None)

    async def active(self, *templates: str) -> Sequence[Json]:
        """The created events of the active contracts of these templates that the user may read, oldest first."""
        end = (await self.get("/v2/state/ledger-end"))["offset"]
        named = [{"templateId": self.template_id(one), "includeCreatedEventBlob": False} for one in templates]
        wanted = {"cumulative": [{"identifierFilter": {"TemplateFilter": {"value": one}}} for one in named]}
        by_party = dict.fromkeys(await self.parties(*_READING), wanted)
        body = {"activeAtOffset": end, "eventFormat": {"filtersByParty": by_party, "verbose": False}}
        status, found = await self.ask("POST", _ACTIVE, body)
        if status == _TOO_MANY:
            found = await self._pages(body)
        elif status != _OK:
            raise self.trouble(status, found)
        entries = (one.get("contractEntry", {}).get("JsActiveContract", {}) for one in found)
        # Each of the user's parties may see the same contract.
        unique = {one["createdEvent"]["contractId"]: one["createdEvent"] for one in entries if "createdEvent" in one}
        return list(unique.values())

    async def parties(self, *kinds: str) -> tuple[str, ...]:
        """The parties for whom the user has one of these rights, such as ``CanActAs``.

        Raises:
            UnavailableError: there is none.
        """
        if not self._rights:
            told = await self.get("/v2/authenticated-user")
            self._rights = [
                one.get("kind", {}) for one in (await self.get(f"/v2/users/{told['user']['id']}/rights"))["rights"]
            ]
        found = {kind[name]["value"]["party"] for kind in self._rights for name in kinds if name in kind}
        if not found:
            raise UnavailableError(
                f"The bot's Canton user has no right {' or '.join(kinds)}.",
                next_step="Grant it CanReadAs the operator, and CanActAs the one guardian party that is the bot's.",
            )
        return tuple(sorted(found))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body of an answer: JSON where it is JSON, else its text.

        Raises:
            UnavailableError: there is no answer.
        """
        if not self._url:
            raise ConfigurationError("The address of Canton is not configured.", next_step="Set MUSD_LEDGER_URL.")
        if self._session is None or self._session.closed:
            headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
            timeout = aiohttp.ClientTimeout(total=self._timeout)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=False)
        try:
            async with self._session.request(method, self._url + path, json=body, allow_redirects=False) as response:
                if response.content_type == "application/json":
                    return response.status, await response.json()
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnavailableError(f"No answer from Canton: {reason(error, timeout=self._timeout)}.") from None

    def trouble(self, status: int, said: Any) -> UnavailableError | RefusedError:
        """What a refusal means, in words; one that names a missing right says whose it is."""
        code = str(said.get("code", "")) if isinstance(said, Mapping) else ""
        cause = str(said.get("cause", "")) if isinstance(said, Mapping) else str(said)
        if status == _UNAUTHENTICATED:
            self._rights = ()
            return UnavailableError(
                f"Canton refuses the bot's token: {code or 'UNAUTHENTICATED'} (HTTP 401). {cause[:200]}".rstrip(),
                means="It has expired, was revoked, or is not this participant's.",
                next_step="Make a new token and set MUSD_LEDGER_TOKEN.",
            )
        if status == _DENIED:
            self._rights = ()
            return UnavailableError(
                f"Canton refuses: {code or 'PERMISSION_DENIED'} (HTTP 403). {cause[:200]}".rstrip(),
                means="The token is good, but its user lacks that right.",
                next_step="Grant the right with the participant's admin API, then try again.",
            )
        if status >= _SERVER_ERROR or not code:
            return UnavailableError(f"Canton refuses: {code or 'no reason given'} (HTTP {status}).")
        return RefusedError(f"Canton refuses: {assertion(cause) or code} (HTTP {status}).", means=cause[:300])

    async def _wanted(self, method: str, path: str, body: Any) -> Any:
        status, said = await self.ask(method, path, body)
        if status != _OK:
            trouble = self.trouble(status, said)
            raise trouble if isinstance(trouble, UnavailableError) else UnavailableError(trouble.happened)
        if not isinstance(said, dict | list):
            raise UnavailableError("Canton's answer has a shape this bot does not know.")
        return said

    async def _pages(self, body: Json) -> list[Any]:
        """More than one answer takes: page by page."""
        found: list[Any] = []
        token = None
        for _ in range(_MOST_PAGES):
            asked = {**body, "maxPageSize": _PAGE} | ({"pageToken": token} if token else {})
            page = await self._wanted("POST", f"{_ACTIVE}-page", asked)
            found += page["activeContracts"]
            token = page.get("nextPageToken")
            if not token:
                return found
        raise UnavailableError(f"Canton has more than {_MOST_PAGES * _PAGE} such contracts: too many to count.")


def assertion(cause: str) -> str:
    """The protocol's own word in a failed command, such as ``ALREADY_APPROVED``; empty where there is none."""
    last = cause.rpartition(": ")[2].strip()
    word = last.split(" ", 1)[0]
    return last if word and word == word.upper() and "_" in word else ""
