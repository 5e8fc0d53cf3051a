"""Events API v2: what monitoring and the bot send, checked as PagerDuty checks it."""

from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.drill.listening import Json
from bot.drill.pagerduty.incidents import Incidents

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
KEY_LENGTH = 32
DEDUP_LENGTH = 255
LARGEST = 512 * 1024
"""Bytes of one event."""


def refusal(status: int, short: str, message: str, errors: list[str]) -> web.Response:
    """An error in the Events API's shape."""
    return web.json_response({"status": short, "message": message, "errors": errors}, status=status)


def objections(event: Json) -> list[str]:
    """What is wrong with an event, one line each; empty when it is fine."""
    lines = []
    key = event.get("routing_key")
    if not key:
        lines.append("'routing_key' is missing or blank")
    elif not isinstance(key, str) or len(key) != KEY_LENGTH:
        lines.append(f"Length of 'routing_key' is incorrect (should be {KEY_LENGTH} characters)")
    action = event.get("event_action")
    if not action:
        lines.append("'event_action' is missing or blank")
    elif action not in ACTIONS:
        lines.append("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
    dedup = event.get("dedup_key")
    if action in ("acknowledge", "resolve") and not dedup:
        lines.append("'dedup_key' is missing or blank")
    if dedup is not None and (not isinstance(dedup, str) or len(dedup) > DEDUP_LENGTH):
        lines.append(f"'dedup_key' is too long (maximum is {DEDUP_LENGTH} characters)")
    if action == "trigger":
        lines += _payload_objections(event.get("payload"))
        lines += [
            f"'links[{place}].href' is missing or blank"
            for place, link in enumerate(event.get("links") or [])
            if not isinstance(link, dict) or not link.get("href")
        ]
    return lines


def _payload_objections(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    lines = [f"'payload.{field}' is missing or blank" for field in ("summary", "source") if not payload.get(field)]
    if not payload.get("severity"):
        lines.append("'payload.severity' is missing or blank")
    elif payload["severity"] not in SEVERITIES:
        lines.append(
            "'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"
        )
    if not isinstance(payload.get("custom_details", {}), dict):
        lines.append("'payload.custom_details' is invalid (must be an object)")
    return lines


async def accept(request: web.Request, services: dict[str, str], incidents: Incidents) -> web.Response:
    """Answer ``POST /v2/enqueue``. `services` says which service a routing key belongs to."""
    if len(await request.read()) > LARGEST:
        return refusal(413, "invalid event", "Event object is too large", ["Payload Too Large"])
    try:
        event = await request.json()
    except ValueError:
        return refusal(400, "Unrecognized object", "Event object format is unrecognized", ["JSON parse error"])
    if not isinstance(event, dict):
        return refusal(400, "Unrecognized object", "Event object format is unrecognized", ["JSON is not an object"])
    wrong = objections(event)
    if not wrong and event["routing_key"] not in services:
        wrong = ["Invalid routing key"]
    if wrong:
        return refusal(400, "invalid event", "Event object is invalid", wrong)
    dedup = event.get("dedup_key") or uuid4().hex
    _apply(event, dedup, services[event["routing_key"]], incidents)
    return web.json_response({"status": "success", "message": "Event processed", "dedup_key": dedup}, status=202)


def _apply(event: Json, dedup: str, service: str, incidents: Incidents) -> None:
    agent = {"id": f"PINT{service[4:]}", "type": "events_api_v2_inbound_integration_reference", "summary": "Events API"}
    found = incidents.open_with(dedup, service)
    if event["event_action"] == "trigger":
        if found is not None:
            incidents.join(found)
            return
        payload = event["payload"]
        names = ("client", "client_url", "links", "images")
        body: Json = {**payload, **{name: event[name] for name in names if name in event}}
        incident = incidents.create(title=payload["summary"][:1024], key=dedup, service=service, agent=agent, body=body)
        incident["urgency"] = "high" if payload["severity"] in ("critical", "error") else "low"
    elif found is not None and event["event_action"] == "acknowledge":
        incidents.acknowledge(found, agent)
    elif found is not None:
        incidents.resolve(found, agent)
