"""Where the world is told: a Discord webhook and a status page (Statuspage's API), both on one port."""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from bot.drill.listening import Json, StandIn, down, now, slow, stamp
from bot.drill.part import Fault

TARGETS = ("discord", "statuspage")
COMPONENT_STATES = ("operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage")
INCIDENT_STATES = (
    ("investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "verifying", "completed")
)  # fmt: skip
COMPONENTS = {"cmpprotocol1": "mUSD protocol", "cmpbridge001": "Bridge", "cmpcanton001": "Canton services"}
DISCORD_LIMIT = 2000
"""Characters of one Discord message."""


class Announcements(StandIn):
    """What is posted here is seen by the public; `seen` holds every request."""

    name = "announcements"
    faults = (
        down("announcements"),
        slow("announcements"),
        Fault("announcements", "discord-down", "Discord answers 503"),
        Fault("announcements", "statuspage-down", "the status page answers 503"),
        Fault(
            "announcements", "discord-ratelimited", "Discord answers 429", {"times": "how often; always if left out"}
        ),
        Fault("announcements", "statuspage-ratelimited", "the status page answers 420", {"times": "as above"}),
    )

    def __init__(self) -> None:
        super().__init__()
        self.page_id = "practicepage1"
        self.statuspage_token = "practice-statuspage-token"  # noqa: S105 - planted: it opens this stand-in alone
        self.components = dict.fromkeys(COMPONENTS, "operational")
        self.incidents: list[Json] = []
        self.messages: list[Json] = []
        """Discord's messages, oldest first."""

    @property
    def discord_url(self) -> str:
        """The webhook's address, which is its secret."""
        return f"{self.url}/discord/100000000000000001/practice-webhook-token"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Discord below ``/discord``, the status page below ``/v1``."""
        yield web.post("/discord/{id}/{token}", self._message)
        page = f"/v1/pages/{self.page_id}"
        yield web.get(f"{page}/components", self._list_components)
        yield web.get(page + "/components/{id}", self._get_component)
        yield web.patch(page + "/components/{id}", self._change_component)
        yield web.put(page + "/components/{id}", self._change_component)
        yield web.get(f"{page}/incidents", self._list_incidents)
        yield web.get(f"{page}/incidents/unresolved", self._list_incidents)
        yield web.post(f"{page}/incidents", self._open_incident)
        yield web.get(page + "/incidents/{id}", self._get_incident)
        yield web.patch(page + "/incidents/{id}", self._change_incident)
        yield web.put(page + "/incidents/{id}", self._change_incident)

    def remember(self) -> Json:
        """What the public sees."""
        return {"components": self.components, "incidents": self.incidents, "messages": self.messages}

    def recall(self, state: Json) -> None:
        """Continue from what `remember` returned."""
        self.components, self.incidents = state["components"], state["incidents"]
        self.messages = state["messages"]

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """An error in the words of whichever was asked."""
        if request.path.startswith("/discord/"):
            if status != 429:
                return web.json_response({"message": "service unavailable", "code": 0}, status=status)
            limit = {"message": "You are being rate limited.", "retry_after": 0.5, "global": False}
            headers = {"Retry-After": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0.5"}
            return web.json_response(limit, status=429, headers=headers)
        return web.json_response({"error": "Too many requests" if status == 420 else "Unavailable"}, status=status)

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """What is wrong with the target that was asked, and the status page's token check."""
        target, limit = ("discord", 429) if request.path.startswith("/discord/") else ("statuspage", 420)
        if f"{target}-down" in self.broken:
            return self.refuse(503, request)
        if self.take(f"{target}-ratelimited"):
            return self.refuse(limit, request)
        if target == "statuspage" and request.headers.get("Authorization") != f"OAuth {self.statuspage_token}":
            return web.json_response({"error": "Could not authenticate"}, status=401)
        return None

    async def _message(self, request: web.Request) -> web.Response:
        if not self.discord_url.endswith(request.path):
            return web.json_response({"message": "Unknown Webhook", "code": 10015}, status=404)
        body = await _json(request)
        content = str(body.get("content") or "")
        if not content and not body.get("embeds"):
            return web.json_response({"message": "Cannot send an empty message", "code": 50006}, status=400)
        if len(content) > DISCORD_LIMIT:
            wrong = [f"Must be {DISCORD_LIMIT} or fewer in length."]
            return web.json_response({"content": wrong, "code": 50035}, status=400)
        message = {"id": str(1100000000000000000 + len(self.messages)), "timestamp": stamp(now()), **body}
        self.messages.append(message)
        return web.json_response(message) if request.query.get("wait") == "true" else web.Response(status=204)

    async def _list_components(self, _: web.Request) -> web.Response:
        return web.json_response([self._component(key) for key in self.components])

    async def _get_component(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.components:
            return _not_found()
        return web.json_response(self._component(request.match_info["id"]))

    async def _change_component(self, request: web.Request) -> web.Response:
        key = request.match_info["id"]
        if key not in self.components:
            return _not_found()
        status = (await _json(request)).get("component", {}).get("status")
        if status not in COMPONENT_STATES:
            return web.json_response({"error": [f"status must be one of {', '.join(COMPONENT_STATES)}"]}, status=422)
        self.components[key] = status
        return web.json_response(self._component(key))

    async def _list_incidents(self, request: web.Request) -> web.Response:
        only_open = request.path.endswith("/unresolved")
        shown = [one for one in self.incidents if not (only_open and one["status"] in ("resolved", "completed"))]
        return web.json_response(shown[::-1])

    async def _open_incident(self, request: web.Request) -> web.Response:
        wanted = (await _json(request)).get("incident", {})
        if not wanted.get("name"):
            return web.json_response({"error": ["name can't be blank"]}, status=422)
        incident = {
            "id": f"practiceinc{len(self.incidents) + 1}",
            "name": wanted["name"],
            "status": "investigating",
            "impact": wanted.get("impact_override", "none"),
            "page_id": self.page_id,
            "created_at": stamp(now()),
            "incident_updates": [],
        }
        answer = self._update(incident, wanted)
        if answer.status == 200:
            self.incidents.append(incident)
            answer.set_status(201)
        return answer

    async def _get_incident(self, request: web.Request) -> web.Response:
        found = self._find(request)
        return _not_found() if found is None else web.json_response(found)

    async def _change_incident(self, request: web.Request) -> web.Response:
        found = self._find(request)
        return _not_found() if found is None else self._update(found, (await _json(request)).get("incident", {}))

    def _update(self, incident: Json, wanted: Json) -> web.Response:
        status = wanted.get("status", incident["status"])
        states = wanted.get("components", {})
        if status not in INCIDENT_STATES:
            return web.json_response({"error": [f"status must be one of {', '.join(INCIDENT_STATES)}"]}, status=422)
        if not set(states) <= set(self.components) or not set(states.values()) <= set(COMPONENT_STATES):
            return web.json_response({"error": ["components are invalid"]}, status=422)
        self.components |= states
        incident |= {"status": status, "updated_at": stamp(now()), "name": wanted.get("name", incident["name"])}
        update = {"status": status, "body": wanted.get("body", ""), "created_at": stamp(now())}
        incident["incident_updates"].insert(0, update)
        return web.json_response(incident)

    def _find(self, request: web.Request) -> Json | None:
        return next((one for one in self.incidents if one["id"] == request.match_info["id"]), None)

    def _component(self, key: str) -> Json:
        return {"id": key, "name": COMPONENTS[key], "status": self.components[key], "page_id": self.page_id}


async def _json(request: web.Request) -> Json:
    try:
        body: Any = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text='{"error": "the body is not a JSON object"}', content_type="application/json")
    return body


def _not_found() -> web.Response:
    return web.json_response({"error": "Record not found"}, status=404)
