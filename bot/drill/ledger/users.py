"""The practice ledger's user management: who there is, with which rights, and who is denied everything."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.drill.ledger import errors, wire
from bot.drill.ledger.access import Access
from bot.drill.listening import Json

Answer = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Users:
    """`/v2/users`, as far as the bot calls it. Only the participant's admin gets to see others than itself."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def routes(self) -> dict[tuple[str, str], Answer]:
        """Its routes, to be guarded by a token."""
        return {
            ("POST", "/v2/users"): self._create,
            ("GET", "/v2/users/{id}"): self._describe,
            ("PATCH", "/v2/users/{id}"): self._update,
            ("GET", "/v2/users/{id}/rights"): self._rights,
        }

    async def _create(self, request: web.Request, user: str) -> web.Response:
        self._access.must_be_admin(user)
        asked = await request.json()
        made = str(asked["user"]["id"])
        if made in self._access.users:
            raise errors.LedgerError("USER_ALREADY_EXISTS", f"user {made!r} exists", errors.EXISTS)
        self._access.users[made] = list(asked.get("rights") or [])
        return self._shown(made)

    async def _describe(self, request: web.Request, user: str) -> web.Response:
        return self._shown(self._asked(request, user))

    async def _update(self, request: web.Request, user: str) -> web.Response:
        self._access.must_be_admin(user)
        found, asked = self._asked(request, user), await request.json()
        if asked["updateMask"]["paths"] != ["is_deactivated"]:
            raise errors.malformed("the practice ledger changes a user's is_deactivated alone")
        change = self._access.deactivated.add if asked["user"]["isDeactivated"] else self._access.deactivated.discard
        change(found)
        return self._shown(found)

    async def _rights(self, request: web.Request, user: str) -> web.Response:
        return web.json_response({"rights": self._access.users[self._asked(request, user)]})

    def _asked(self, request: web.Request, user: str) -> str:
        asked = request.match_info["id"]
        if asked != user:
            self._access.must_be_admin(user)
        if asked not in self._access.users:
            cause = f"getting user failed for unknown user {asked!r}"
            raise errors.LedgerError("USER_NOT_FOUND", cause, errors.MISSING, resource=("USER", asked))
        return asked

    def _shown(self, identity: str) -> web.Response:
        told: Json = wire.user(identity, deactivated=identity in self._access.deactivated)
        return web.json_response({"user": told})
