"""The part of PagerDuty's REST API the bot calls, as `pdpyras` calls it."""

import math
from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

from aiohttp import web

from bot.drill.listening import Handler, Json, now, parse_stamp, stamp
from bot.drill.pagerduty import account
from bot.drill.pagerduty.incidents import Incidents, RefusedError
from bot.drill.pagerduty.webhooks import Receiver

INVALID = 2001
UNAUTHORIZED = 2006
NOT_FOUND = 2100
NO_SUCH_REQUESTER = 1008
PAGE = 25
LARGEST_PAGE = 100


def refusal(status: int, code: int, message: str, *errors: str) -> web.Response:
    """An error in the REST API's shape."""
    error: Json = {"message": message, "code": code}
    if errors:
        error["errors"] = list(errors)
    return web.json_response({"error": error}, status=status)


class Rest:
    """The routes, over the account and its incidents."""

    def __init__(self, incidents: Incidents, token: str) -> None:
        self._incidents = incidents
        self._token = token
        self.subscriptions: list[Json] = []

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What it answers; everything wants the token, everything written also a ``From``."""
        read = {
            "/abilities": self._abilities,
            "/incidents": self._list_incidents,
            "/incidents/{id}": self._get_incident,
            "/incidents/{id}/notes": self._list_notes,
            "/oncalls": self._on_calls,
            "/escalation_policies": self._policies,
            "/escalation_policies/{id}": self._policy,
            "/schedules": self._schedules,
            "/schedules/{id}": self._schedule,
            "/services": self._services,
            "/services/{id}": self._service,
            "/users": self._users,
            "/users/me": self._me,
            "/users/{id}": self._user,
            "/priorities": self._priorities,
            "/webhook_subscriptions": self._list_subscriptions,
        }
        write = {
            "/incidents": self._create_incident,
            "/incidents/{id}/notes": self._add_note,
            "/incidents/{id}/responder_requests": self._ask_for,
            "/incidents/{id}/status_updates": self._status_update,
        }
        yield from (web.get(path, self._guard(handler)) for path, handler in read.items())
        yield from (web.post(path, self._guard(handler, signed=True)) for path, handler in write.items())
        yield web.put("/incidents", self._guard(self._update_incidents, signed=True))
        yield web.put("/incidents/{id}", self._guard(self._update_incident, signed=True))
        yield web.post("/webhook_subscriptions", self._guard(self._subscribe))

    def receivers(self) -> list[Receiver]:
        """Those who subscribed to webhooks through the API."""
        return [
            Receiver(one["delivery_method"]["url"], one["_secret"], one["id"], tuple(one["events"]))
            for one in self.subscriptions
            if one["active"]
        ]

    def _guard(self, handler: Handler, *, signed: bool = False) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") not in {f"Token token={self._token}", f"Bearer {self._token}"}:
                return refusal(401, UNAUTHORIZED, "Unauthorized")
            try:
                return (_unsigned(request) if signed else None) or await handler(request)
            except RefusedError as refused:
                return refusal(400, INVALID, "Invalid Input Provided", str(refused))
            except KeyError as missing:
                return refusal(404, NOT_FOUND, "Not Found", f"{missing.args[0]} is not here")
            except ValueError as wrong:
                return refusal(400, INVALID, "Invalid Input Provided", str(wrong))

        return guarded

    async def _abilities(self, _: web.Request) -> web.Response:
        return web.json_response({"abilities": ["urgencies", "coordinated_responding", "service_support_hours"]})

    # Incidents

    async def _list_incidents(self, request: web.Request) -> web.Response:
        asked = request.query
        found = list(self._incidents.all)
        if "incident_key" in asked:
            found = [one for one in found if one["incident_key"] == asked["incident_key"]]
        if statuses := asked.getall("statuses[]", []):
            found = [one for one in found if one["status"] in statuses]
        if services := asked.getall("service_ids[]", []):
            found = [one for one in found if one["service"]["id"] in services]
        if urgencies := asked.getall("urgencies[]", []):
            found = [one for one in found if one["urgency"] in urgencies]
        if users := asked.getall("user_ids[]", []):
            found = [one for one in found if any(a["assignee"]["id"] in users for a in one["assignments"])]
        if "since" in asked:
            found = [one for one in found if parse_stamp(one["created_at"]) >= parse_stamp(asked["since"])]
        if "until" in asked:
            found = [one for one in found if parse_stamp(one["created_at"]) <= parse_stamp(asked["until"])]
        if asked.get("sort_by", "").endswith(":desc"):
            found.reverse()
        return _page(request, "incidents", found)

    async def _get_incident(self, request: web.Request) -> web.Response:
        return web.json_response({"incident": self._incidents.find(request.match_info["id"])})

    async def _create_incident(self, request: web.Request) -> web.Response:
        wanted = _inside(await request.json(), "incident", "type", "title", "service")
        service = wanted["service"]["id"]
        if service not in account.SERVICES:
            raise RefusedError("Service is invalid")
        key = wanted.get("incident_key") or uuid4().hex
        if self._incidents.open_with(key, service):
            raise RefusedError("Open incident with matching dedup key already exists on this service")
        policy = wanted.get("escalation_policy", {}).get("id", "")
        if policy and policy not in account.POLICIES:
            raise RefusedError("Escalation policy is invalid")
        agent = _agent(request)
        incident = self._incidents.create(
            title=wanted["title"], key=key, service=service, agent=agent, policy=policy, body=wanted.get("body", {})
        )
        incident["urgency"] = wanted.get("urgency", "high")
        if wanted.get("priority"):
            self._incidents.prioritise(incident, wanted["priority"]["id"], agent)
        if wanted.get("assignments"):
            self._incidents.reassign(incident, _assignees(wanted), agent)
        return web.json_response({"incident": incident}, status=201)

    async def _update_incident(self, request: web.Request) -> web.Response:
        incident = self._incidents.find(request.match_info["id"])
        self._update(incident, _inside(await request.json(), "incident", "type"), _agent(request))
        return web.json_response({"incident": incident})

    async def _update_incidents(self, request: web.Request) -> web.Response:
        wanted = (await request.json()).get("incidents", [])
        if len(wanted) > 250:
            return refusal(413, INVALID, "Request Entity Too Large")
        changed = []
        for change in wanted:
            incident = self._incidents.find(change["id"])
            self._update(incident, change, _agent(request))
            changed.append(incident)
        return _page(request, "incidents", changed)

    def _update(self, incident: Json, change: Json, agent: Json) -> None:
        book = self._incidents
        if "priority" in change:
            wanted = change["priority"]
            book.prioritise(incident, wanted["id"] if wanted else None, agent)
        for field in ("title", "urgency"):
            if field in change:
                incident[field] = change[field]
        if "escalation_policy" in change:
            book.delegate(incident, change["escalation_policy"]["id"], agent)
        if "assignments" in change:
            book.reassign(incident, _assignees(change), agent)
        if "escalation_level" in change:
            book.escalate(incident, int(change["escalation_level"]), agent)
        status = change.get("status")
        if status is not None:
            moves = {"acknowledged": book.acknowledge, "resolved": book.resolve, "triggered": book.reopen}
            if status not in moves:
                raise RefusedError("Status is invalid")
            moves[status](incident, agent)

    async def _list_notes(self, request: web.Request) -> web.Response:
        incident = self._incidents.find(request.match_info["id"])
        return web.json_response({"notes": self._incidents.notes[incident["id"]]})

    async def _add_note(self, request: web.Request) -> web.Response:
        incident = self._incidents.find(request.match_info["id"])
        note = _inside(await request.json(), "note", "content")
        return web.json_response({"note": self._incidents.note(incident, note["content"], _agent(request))})

    async def _ask_for(self, request: web.Request) -> web.Response:
        incident = self._incidents.find(request.match_info["id"])
        asked = await request.json()
        for field in ("requester_id", "message", "responder_request_targets"):
            if not asked.get(field):
                raise RefusedError(f"{field} is missing")
        requester = account.user_reference(asked["requester_id"])
        done = self._incidents.ask_for(incident, asked["message"], asked["responder_request_targets"], requester)
        return web.json_response({"responder_request": done})

    async def _status_update(self, request: web.Request) -> web.Response:
        self._incidents.find(request.match_info["id"])
        asked = await request.json()
        if not asked.get("message"):
            raise RefusedError("Message is missing")
        update = {"id": uuid4().hex[:14].upper(), "created_at": stamp(now()), "sender": _agent(request)}
        return web.json_response({"status_update": {**update, **asked}})

    # The account

    async def _on_calls(self, request: web.Request) -> web.Response:
        asked = request.query
        since = parse_stamp(asked["since"]) if "since" in asked else now()
        until = parse_stamp(asked["until"]) if "until" in asked else since
        if until < since or until - since > account.FOR_EVER + timedelta(days=1):
            raise RefusedError("until must be after since and at most 90 days later")
        found = account.on_call(since, until)
        for parameter, field in (
            ("escalation_policy_ids[]", "escalation_policy"),
            ("user_ids[]", "user"),
            ("schedule_ids[]", "schedule"),
        ):
            if wanted := asked.getall(parameter, []):
                found = [one for one in found if one[field] and one[field]["id"] in wanted]
        if asked.get("earliest") == "true":
            first: dict[tuple[str, int, str], Json] = {}
            for one in found:
                first.setdefault((one["escalation_policy"]["id"], one["escalation_level"], one["user"]["id"]), one)
            found = list(first.values())
        if "users" in asked.getall("include[]", []):
            found = [{**one, "user": account.USERS[one["user"]["id"]]} for one in found]
        return _page(request, "oncalls", found)

    async def _policies(self, request: web.Request) -> web.Response:
        return _page(request, "escalation_policies", _matching(request, map(account.policy, account.POLICIES)))

    async def _policy(self, request: web.Request) -> web.Response:
        return web.json_response({"escalation_policy": account.policy(request.match_info["id"])})

    async def _schedules(self, request: web.Request) -> web.Response:
        at = now()
        found = (account.schedule(identity, at, at) for identity in account.ROTATIONS)
        return _page(request, "schedules", _matching(request, found))

    async def _schedule(self, request: web.Request) -> web.Response:
        asked = request.query
        until = parse_stamp(asked["until"]) if "until" in asked else now() + timedelta(weeks=2)
        since = parse_stamp(asked["since"]) if "since" in asked else until - timedelta(weeks=2)
        return web.json_response({"schedule": account.schedule(request.match_info["id"], since, until)})

    async def _services(self, request: web.Request) -> web.Response:
        return _page(request, "services", _matching(request, map(account.service, account.SERVICES)))

    async def _service(self, request: web.Request) -> web.Response:
        return web.json_response({"service": account.service(request.match_info["id"])})

    async def _users(self, request: web.Request) -> web.Response:
        asked = request.query.get("query", "").lower()
        found = [one for one in account.USERS.values() if asked in f"{one['name']} {one['email']}".lower()]
        return _page(request, "users", found)

    async def _me(self, _: web.Request) -> web.Response:
        # What an account-level key is told; pdpyras decides by this text which kind of key it has.
        text = "You can't get the current user when using an account-level access token."
        return web.json_response({"error": text}, status=400)

    async def _user(self, request: web.Request) -> web.Response:
        return web.json_response({"user": account.USERS[request.match_info["id"]]})

    async def _priorities(self, request: web.Request) -> web.Response:
        return _page(request, "priorities", [account.priority(one) for one in account.PRIORITIES])

    async def _list_subscriptions(self, request: web.Request) -> web.Response:
        return _page(request, "webhook_subscriptions", [_public(one) for one in self.subscriptions])

    async def _subscribe(self, request: web.Request) -> web.Response:
        wanted = _inside(await request.json(), "webhook_subscription", "type", "delivery_method", "events", "filter")
        if not wanted["delivery_method"].get("url"):
            raise RefusedError("delivery_method.url is missing")
        secret = uuid4().hex + uuid4().hex
        method = {"id": f"PDM{len(self.subscriptions) + 1:04d}", "temporarily_disabled": False, "custom_headers": []}
        made = {
            "active": True,
            "description": "",
            **wanted,
            "id": f"PSUB{len(self.subscriptions) + 1:04d}",
            "delivery_method": {**method, **wanted["delivery_method"], "secret": None},
            "_secret": secret,
        }
        self.subscriptions.append(made)
        # The secret is shown this once.
        shown = {**_public(made), "delivery_method": {**made["delivery_method"], "secret": secret}}
        return web.json_response({"webhook_subscription": shown}, status=201)


def _unsigned(request: web.Request) -> web.Response | None:
    sender = request.headers.get("From")
    if not sender:
        return refusal(400, INVALID, "Invalid Input Provided", "From header is required")
    if sender not in {user["email"] for user in account.USERS.values()}:
        return refusal(400, NO_SUCH_REQUESTER, "Requester User Not Found")
    return None


def _agent(request: web.Request) -> Json:
    return account.user_reference(account.find_user(request.headers["From"]))


def _assignees(change: Json) -> list[str]:
    return [one["assignee"]["id"] for one in change["assignments"]]


def _public(subscription: Json) -> Json:
    return {key: value for key, value in subscription.items() if not key.startswith("_")}


def _matching(request: web.Request, found: Iterable[Json]) -> list[Json]:
    asked = request.query.get("query", "").lower()
    return [one for one in found if asked in one["name"].lower()]


def _inside(body: Json, wrapper: str, *needed: str) -> Json:
    inner = body.get(wrapper)
    if inner is None:
        raise RefusedError(f"{wrapper} is missing")
    for field in needed:
        if not inner.get(field):
            raise RefusedError(f"{field.replace('_', ' ').capitalize()} cannot be empty")
    found: Json = inner
    return found


def _page(request: web.Request, name: str, found: list[Json]) -> web.Response:
    offset = int(request.query.get("offset", 0))
    limit = int(request.query.get("limit", PAGE))
    if offset < 0 or not 0 <= limit <= LARGEST_PAGE:
        raise RefusedError(f"Limit must be at most {LARGEST_PAGE} and offset not negative")
    end = offset + limit if limit else math.inf
    page = found[offset : int(end) if limit else None]
    total = len(found) if request.query.get("total") in {"1", "true"} else None
    return web.json_response({name: page, "limit": limit, "offset": offset, "total": total, "more": end < len(found)})
