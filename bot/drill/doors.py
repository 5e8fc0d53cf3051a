"""The world's doors on the workspace's port: what there is, breaking it, what its parts have seen, scenarios."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.drill.bot_settings import ALERTMANAGER_TOKEN
from bot.drill.people import PEOPLE

if TYPE_CHECKING:
    from bot.drill.world import World


class Doors:
    """The routes, each a method."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def add_to(self, app: web.Application) -> None:
        """Put them on the application, before it starts."""
        app.router.add_get("/world", self._describe)
        app.router.add_get("/faults", self._faults)
        app.router.add_post("/faults", self._inflict)
        app.router.add_get("/scenarios", self._scenarios)
        app.router.add_post("/scenarios", self._play)
        app.router.add_get("/seen/{part}", self._seen)

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.json_response(description(self._world))

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.breaker.known())

    async def _inflict(self, request: web.Request) -> web.Response:
        given = await _json_object(request)
        if given is None:
            return _refuse('the body is a JSON object such as {"target": "world", "fault": "relay-down"}')
        try:
            await self._world.breaker.inflict(given)
        except ValueError as error:
            return _refuse(str(error))
        return web.json_response({"ok": True})

    async def _scenarios(self, _request: web.Request) -> web.Response:
        return web.json_response(self._world.stage.listing())

    async def _play(self, request: web.Request) -> web.Response:
        given = await _json_object(request) or {}
        acts = {"start": self._world.stage.start, "mend": self._world.stage.mend}
        action = str(given.get("action"))
        if action not in acts:
            return _refuse(f"action must be start or mend, not {action!r}")
        try:
            await acts[action](str(given.get("key")))
        except KeyError as error:
            return _refuse(str(error.args[0]))
        except ValueError as error:
            return _refuse(str(error))
        return web.json_response({"ok": True})

    async def _seen(self, request: web.Request) -> web.Response:
        name = request.match_info["part"]
        seen = {part.name: getattr(part, "seen", []) for part in self._world.parts}
        if name not in seen:
            return _refuse(f"there is no part {name!r}; there are {', '.join(seen)}", status=404)
        return web.json_response(seen[name])


def description(world: "World") -> dict[str, Any]:
    """What `GET /world` answers."""
    chain = world.chain
    return {
        "slack": world.workspace.url,
        "bot": world.bot.url,
        "alertmanager_token": ALERTMANAGER_TOKEN,
        "rpc": chain.url,
        "rpc_urls": list(chain.rpc_urls),
        "chain_id": chain.chain_id,
        "contracts": chain.contracts,
        "timelock": chain.timelock,
        "collateral_token": chain.collateral_token,
        "pauser": chain.pauser,
        "unpauser": chain.unpauser,
        "kubernetes": world.cluster.url,
        "kubeconfig": str(world.cluster.kubeconfig),
        "docker": world.docker.url,
        "relay": world.cluster.relay_url,
        "ledger": world.ledger.url,
        "pagerduty": world.pagerduty.url,
        "prices": world.prices.url,
        "aws": world.aws.url,
        "announcements": world.announcements.url,
        "data": str(world.folder),
        "pids": {"bot": world.bot.pid},
        "people": [person.as_json() for person in PEOPLE],
    }


async def _json_object(request: web.Request) -> dict[str, Any] | None:
    try:
        given = await request.json()
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _refuse(error: str, status: int = 400) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)
