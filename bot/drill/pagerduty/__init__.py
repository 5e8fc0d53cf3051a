"""PagerDuty on loopback: the Events API v2, the REST API the bot calls, and the webhooks that come back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.drill.listening import Json, StandIn, down, slow
from bot.drill.pagerduty import account, events, rest, webhooks
from bot.drill.pagerduty.incidents import Incidents, RefusedError
from bot.drill.part import Fault


class PagerDuty(StandIn):
    """Sessions of `pdpyras` reach it through their ``url``; people act in it through ``/practice`` or its methods."""

    name = "pagerduty"
    faults = (
        down("pagerduty"),
        Fault("pagerduty", "ratelimited", "answers 429", {"times": "how often; always when left out"}),
        Fault("pagerduty", "http-500", "answers 500", {"times": "how often; always when left out"}),
        slow("pagerduty"),
        Fault("pagerduty", "duplicate-webhooks", "sends every webhook twice"),
        Fault("pagerduty", "forged-webhook", "sends one webhook now, wrongly signed, claiming a resolution"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.routing_key = "practice0routing0key0protocol000"
        self.second_routing_key = "practice0routing0key0fallback000"
        self.infra_routing_key = "practice0routing0key0infra000000"
        self.security_routing_key = "practice0routing0key0security000"
        self.api_token = "practice-api-token"  # noqa: S105 - planted: it opens nothing but this stand-in
        self.webhook_secret = "practice-webhook-secret"  # noqa: S105 - planted, as above
        self.webhook_url: str | None = None
        """Where webhooks go; nowhere while it is None."""
        self.service_id = next(iter(account.SERVICES))
        self.incidents = Incidents(self._announce)
        self.webhooks = webhooks.Webhooks(self._receivers, lambda: "duplicate-webhooks" in self.broken)
        self._rest = rest.Rest(self.incidents, self.api_token)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Both APIs, and the doors where a person acts."""
        yield web.post("/v2/enqueue", self._enqueue)
        yield from self._rest.routes()
        for action in ("acknowledge", "resolve", "escalate", "reassign"):
            yield web.post(f"/practice/{action}", self._act)

    async def start(self, folder: Path) -> None:
        """Listen, and begin to send webhooks."""
        await super().start(folder)
        self.webhooks.start()

    async def stop(self) -> None:
        """Save and end; webhooks not delivered yet are lost."""
        await self.webhooks.stop()
        await super().stop()

    def remember(self) -> Json:
        """The incidents, their notes, and who subscribed."""
        book = self.incidents
        return {"incidents": book.all, "notes": book.notes, "subscriptions": self._rest.subscriptions}

    def recall(self, state: Json) -> None:
        """Continue from what `remember` returned."""
        self.incidents.all = state["incidents"]
        self.incidents.notes = state["notes"]
        self._rest.subscriptions = state["subscriptions"]

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something; ``forged-webhook`` happens at once and does not last."""
        await super().inflict(request)
        if self.broken.pop("forged-webhook", None) is not None:
            await self._forge()

    def acknowledge(self, dedup_key: str, user: str) -> Json:
        """That person (``guardian-1``, an e-mail or an id) takes the open incident. Raises `KeyError` for neither."""
        incident, agent = self._open(dedup_key), self._person(user)
        self.incidents.acknowledge(incident, agent)
        return incident

    def resolve(self, dedup_key: str, user: str) -> Json:
        """That person resolves the open incident."""
        incident, agent = self._open(dedup_key), self._person(user)
        self.incidents.resolve(incident, agent)
        return incident

    def escalate(self, dedup_key: str, user: str, level: int | None = None) -> Json:
        """That person escalates it, to the next level unless one is named. Raises `RefusedError` above the last."""
        incident, agent = self._open(dedup_key), self._person(user)
        self.incidents.escalate(incident, level or incident["escalation_level"] + 1, agent)
        return incident

    def reassign(self, dedup_key: str, user: str, to: str) -> Json:
        """That person hands it to another."""
        incident, agent = self._open(dedup_key), self._person(user)
        self.incidents.reassign(incident, [account.find_user(to)], agent)
        return incident

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """A refusal in the words of whichever API was asked."""
        words = {429: "Rate Limit Exceeded", 500: "Internal Server Error", 503: "Service Unavailable"}
        if request.path.startswith("/v2/"):
            short = "throttle exceeded" if status == 429 else words[status]
            return events.refusal(status, short, words[status], [])
        answer = rest.refusal(status, {429: 2020}.get(status, 2000), words[status])
        if status == 429:
            answer.headers.update({"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "1"})
        return answer

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """Limits and errors."""
        if self.take("ratelimited"):
            return self.refuse(429, request)
        return self.refuse(500, request) if self.take("http-500") else None

    async def _enqueue(self, request: web.Request) -> web.Response:
        keys = (self.routing_key, self.second_routing_key, self.infra_routing_key, self.security_routing_key)
        services = dict(zip(keys, account.SERVICES, strict=True))
        return await events.accept(request, services, self.incidents)

    async def _act(self, request: web.Request) -> web.Response:
        asked = await request.json()
        try:
            incident = getattr(self, request.path.rpartition("/")[2])(**asked)
        except TypeError as wrong:
            return web.json_response({"ok": False, "error": str(wrong)}, status=400)
        except KeyError as missing:
            return web.json_response({"ok": False, "error": str(missing.args[0])}, status=404)
        except RefusedError as refused:
            return web.json_response({"ok": False, "error": str(refused)}, status=409)
        return web.json_response({"ok": True, "incident": incident})

    def _open(self, dedup_key: str) -> Json:
        incident = self.incidents.open_with(dedup_key)
        if incident is None:
            raise KeyError(f"no open PagerDuty incident has the key {dedup_key!r}")
        return incident

    def _person(self, who: str) -> Json:
        return account.user_reference(account.find_user(who))

    def _announce(self, event_type: str, incident: Json, agent: Json) -> None:
        self.webhooks.tell(webhooks.event(event_type, incident, agent))

    def _receivers(self) -> list[webhooks.Receiver]:
        mine = [webhooks.Receiver(self.webhook_url, self.webhook_secret, "PSUB0000")] if self.webhook_url else []
        return mine + self._rest.receivers()

    async def _forge(self) -> None:
        open_now = [one for one in self.incidents.all if one["status"] != "resolved"]
        if not open_now:
            raise ValueError("forged-webhook needs an open PagerDuty incident to lie about; there is none")
        body = webhooks.event("incident.resolved", {**open_now[-1], "status": "resolved"}, self._person("admin-1"))
        await self.webhooks.forge(body)
