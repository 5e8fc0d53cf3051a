"""The practice PagerDuty, spoken to by the genuine client."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package announces its successor on import
    from pdpyras import APISession, EventsAPISession, PDClientError, PDHTTPError

from bot.drill.pagerduty import PagerDuty
from bot.drill.pagerduty.webhooks import signature
from bot.drill.part import UnknownFaultError

Json = dict[str, Any]
BEFORE_THE_ROTATION_TURNS = {"since": "2024-01-02T00:00:00Z", "until": "2024-01-02T00:00:00Z"}


@pytest.fixture
async def pagerduty(tmp_path: Path) -> AsyncIterator[PagerDuty]:
    part = PagerDuty()
    await part.start(tmp_path)
    yield part
    await part.stop()


class Inbox:
    """Something that takes webhooks."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answers: list[int] = []
        self._more = asyncio.Condition()
        application = web.Application()
        application.add_routes([web.post("/hook", self._take)])
        self.server = TestServer(application)

    async def _take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers["X-PagerDuty-Signature"], await request.read()))
        async with self._more:
            self._more.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 202)

    async def wait_for(self, count: int) -> list[Json]:
        """The events taken so far, as soon as there are `count`."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: len(self.got) >= count)
        return [json.loads(body)["event"] for _, body in self.got]


@pytest.fixture
async def inbox(pagerduty: PagerDuty) -> AsyncIterator[Inbox]:
    box = Inbox()
    await box.server.start_server()
    pagerduty.webhook_url = str(box.server.make_url("/hook"))
    yield box
    await box.server.close()


def events(pagerduty: PagerDuty) -> EventsAPISession:
    session = EventsAPISession(pagerduty.routing_key)
    session.url = pagerduty.url
    session.sleep_timer = 0.01
    return session


def api(pagerduty: PagerDuty, sender: str = "guardian-1@musd-practice.invalid") -> APISession:
    session = APISession(pagerduty.api_token, default_from=sender)
    session.url = pagerduty.url
    session.sleep_timer = 0.01
    return session


async def trigger(pagerduty: PagerDuty, key: str = "relay", **more: Any) -> str:
    return str(await asyncio.to_thread(events(pagerduty).trigger, "Relay down", "musd-bot", key, **more))


async def incidents(pagerduty: PagerDuty) -> list[Json]:
    return list(await asyncio.to_thread(api(pagerduty).list_all, "incidents"))


async def test_a_trigger_opens_an_incident_for_whoever_is_on_call(pagerduty: PagerDuty) -> None:
    assert await trigger(pagerduty, custom_details={"pod": "relay-0"}) == "relay"
    (incident,) = await incidents(pagerduty)
    on_call = await asyncio.to_thread(api(pagerduty).list_all, "oncalls", params={"schedule_ids[]": ["PSCHPROTO"]})
    assert incident["status"] == "triggered"
    assert incident["escalation_policy"]["summary"] == "musd-protocol-oncall"
    assert [one["assignee"]["id"] for one in incident["assignments"]] == [one["user"]["id"] for one in on_call]
    assert incident["body"]["details"]["custom_details"] == {"pod": "relay-0"}


async def test_a_trigger_with_an_open_key_joins_the_incident(pagerduty: PagerDuty, inbox: Inbox) -> None:
    await trigger(pagerduty)
    await trigger(pagerduty)
    (incident,) = await incidents(pagerduty)
    assert incident["alert_counts"]["all"] == 2
    assert [one["event_type"] for one in await inbox.wait_for(1)] == ["incident.triggered"]


async def test_a_trigger_after_the_resolve_opens_another_incident(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    await asyncio.to_thread(events(pagerduty).acknowledge, "relay")
    await asyncio.to_thread(events(pagerduty).resolve, "relay")
    await trigger(pagerduty)
    assert [one["status"] for one in await incidents(pagerduty)] == ["resolved", "triggered"]


async def test_the_same_key_on_the_second_routing_key_is_another_incident(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    second = EventsAPISession(pagerduty.second_routing_key)
    second.url = pagerduty.url
    await asyncio.to_thread(second.trigger, "Relay down", "musd-bot", "relay")
    policies = [one["escalation_policy"]["summary"] for one in await incidents(pagerduty)]
    assert policies == ["musd-protocol-oncall", "musd-infra-oncall"]


async def test_an_event_without_severity_is_refused_in_pagerdutys_words(pagerduty: PagerDuty) -> None:
    async with ClientSession() as session:
        event = {
            "routing_key": pagerduty.routing_key,
            "event_action": "trigger",
            "payload": {"summary": "x", "source": "y"},
        }
        answer = await session.post(f"{pagerduty.url}/v2/enqueue", json=event)
        expected = {
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": ["'payload.severity' is missing or blank"],
        }
        assert (answer.status, await answer.json()) == (400, expected)


async def test_an_event_that_is_no_json_is_refused(pagerduty: PagerDuty) -> None:
    async with ClientSession() as session:
        answer = await session.post(f"{pagerduty.url}/v2/enqueue", data="{")
        assert (answer.status, (await answer.json())["errors"]) == (400, ["JSON parse error"])


async def test_an_unknown_routing_key_is_refused(pagerduty: PagerDuty) -> None:
    session = EventsAPISession("x" * 32)
    session.url = pagerduty.url
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(session.trigger, "a", "b")
    assert refused.value.response.json()["errors"] == ["Invalid routing key"]


async def test_a_wrong_token_is_unauthorized(pagerduty: PagerDuty) -> None:
    session = APISession("wrong")
    session.url = pagerduty.url
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(session.list_all, "incidents")
    assert refused.value.response.status_code == 401


async def test_a_write_without_from_is_refused(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    session = APISession(pagerduty.api_token)
    session.url = pagerduty.url
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(session.rpost, "/incidents/PINC0001/notes", json={"content": "x"})
    assert refused.value.response.json()["error"]["errors"] == ["From header is required"]


async def test_an_incident_that_is_not_there_is_not_found(pagerduty: PagerDuty) -> None:
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(api(pagerduty).rget, "/incidents/PNOBODY")
    assert refused.value.response.status_code == 404


async def test_acknowledging_through_the_api_names_who_did_it(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    change = {"type": "incident_reference", "status": "acknowledged"}
    incident = await asyncio.to_thread(api(pagerduty).rput, "/incidents/PINC0001", json=change)
    assert incident["status"] == "acknowledged"
    assert [one["acknowledger"]["summary"] for one in incident["acknowledgements"]] == ["Grace Garcia"]


async def test_escalating_assigns_the_next_level(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    change = {"type": "incident_reference", "escalation_level": 2}
    incident = await asyncio.to_thread(api(pagerduty).rput, "/incidents/PINC0001", json=change)
    assert [one["assignee"]["summary"] for one in incident["assignments"]] == ["Ada Adeyemi"]


async def test_escalating_above_the_last_level_is_refused(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    change = {"type": "incident_reference", "escalation_level": 3}
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(api(pagerduty).rput, "/incidents/PINC0001", json=change)
    assert refused.value.response.json()["error"]["errors"] == ["Escalation level 3 does not exist"]


async def test_a_resolved_incident_cannot_be_acknowledged(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    pagerduty.resolve("relay", "admin-1")
    change = {"type": "incident_reference", "status": "acknowledged"}
    with pytest.raises(PDHTTPError) as refused:
        await asyncio.to_thread(api(pagerduty).rput, "/incidents/PINC0001", json=change)
    assert refused.value.response.json()["error"]["errors"] == ["Incident Already Resolved"]


async def test_priority_notes_and_responders_are_kept_on_the_incident(pagerduty: PagerDuty) -> None:
    await trigger(pagerduty)
    session = api(pagerduty)
    first, *_ = await asyncio.to_thread(session.list_all, "priorities")
    change = {"type": "incident_reference", "priority": {"id": first["id"], "type": "priority_reference"}}
    await asyncio.to_thread(session.rput, "/incidents/PINC0001", json=change)
    await asyncio.to_thread(session.rpost, "/incidents/PINC0001/notes", json={"content": "Relay restarted"})
    target = {"responder_request_target": {"id": "PPOLSECUR", "type": "escalation_policy_reference"}}
    ask = {"requester_id": "PADMIN1", "message": "Please help", "responder_request_targets": [target]}
    await asyncio.to_thread(session.rpost, "/incidents/PINC0001/responder_requests", json=ask)
    incident = await asyncio.to_thread(session.rget, "/incidents/PINC0001")
    notes = await asyncio.to_thread(session.rget, "/incidents/PINC0001/notes")
    assert incident["priority"]["summary"] == "P1"
    assert [one["content"] for one in notes] == ["Relay restarted"]
    assert [one["message"] for one in incident["responder_requests"]] == ["Please help"]


async def test_an_incident_can_be_created_for_another_policy(pagerduty: PagerDuty) -> None:
    wanted = {
        "type": "incident",
        "title": "Keys",
        "service": {"id": pagerduty.service_id, "type": "service_reference"},
        "escalation_policy": {"id": "PPOLSECUR", "type": "escalation_policy_reference"},
    }
    incident = await asyncio.to_thread(api(pagerduty).rpost, "incidents", json=wanted)
    assert incident["escalation_policy"]["summary"] == "musd-security-oncall"


async def test_lists_come_in_pages(pagerduty: PagerDuty) -> None:
    for key in ("a", "b", "c"):
        await trigger(pagerduty, key)
    found = await asyncio.to_thread(lambda: list(api(pagerduty).iter_all("incidents", page_size=2)))
    assert [one["incident_key"] for one in found] == ["a", "b", "c"]


async def test_a_user_is_found_by_the_practice_persons_email(pagerduty: PagerDuty) -> None:
    found = await asyncio.to_thread(api(pagerduty).find, "users", "operator-1@musd-practice.invalid", attribute="email")
    assert found["name"] == "Olga Okafor"


async def test_who_is_on_call_and_who_is_next_can_be_read(pagerduty: PagerDuty) -> None:
    asked = {**BEFORE_THE_ROTATION_TURNS, "until": "2024-01-09T00:00:00Z", "schedule_ids[]": ["PSCHINFRA"]}
    found = await asyncio.to_thread(api(pagerduty).list_all, "oncalls", params=asked)
    assert [(one["user"]["summary"], one["end"]) for one in found] == [
        ("Olga Okafor", "2024-01-08T00:00:00.000Z"),
        ("Omar Ortiz", "2024-01-15T00:00:00.000Z"),
    ]


async def test_the_three_policies_of_the_runbooks_are_there(pagerduty: PagerDuty) -> None:
    found = await asyncio.to_thread(api(pagerduty).list_all, "escalation_policies")
    assert [one["name"] for one in found] == ["musd-protocol-oncall", "musd-infra-oncall", "musd-security-oncall"]


async def test_a_person_acting_there_is_told_in_a_signed_webhook(pagerduty: PagerDuty, inbox: Inbox) -> None:
    await trigger(pagerduty)
    async with ClientSession() as session:
        acting = {"dedup_key": "relay", "user": "guardian-2"}
        answer = await session.post(f"{pagerduty.url}/practice/acknowledge", json=acting)
        assert answer.status == 200
    _, happened = await inbox.wait_for(2)
    assert (happened["event_type"], happened["agent"]["summary"]) == ("incident.acknowledged", "Goran Gruber")
    assert (happened["data"]["incident_key"], happened["data"]["status"]) == ("relay", "acknowledged")
    assert [sent for sent, _ in inbox.got] == [signature(pagerduty.webhook_secret, body) for _, body in inbox.got]


async def test_every_door_tells_what_happened(pagerduty: PagerDuty, inbox: Inbox) -> None:
    await trigger(pagerduty)
    pagerduty.escalate("relay", "guardian-1")
    pagerduty.reassign("relay", "guardian-1", "operator-2")
    pagerduty.resolve("relay", "operator-2")
    kinds = [one["event_type"] for one in await inbox.wait_for(4)]
    assert kinds == ["incident.triggered", "incident.escalated", "incident.reassigned", "incident.resolved"]


async def test_a_door_without_an_open_incident_says_so(pagerduty: PagerDuty) -> None:
    async with ClientSession() as session:
        acting = {"dedup_key": "nothing", "user": "guardian-2"}
        answer = await session.post(f"{pagerduty.url}/practice/resolve", json=acting)
        expected = {"ok": False, "error": "no open PagerDuty incident has the key 'nothing'"}
        assert (answer.status, await answer.json()) == (404, expected)


async def test_a_webhook_is_tried_again_until_somebody_takes_it(pagerduty: PagerDuty, inbox: Inbox) -> None:
    inbox.answers = [503]
    await trigger(pagerduty)
    first, second = await inbox.wait_for(2)
    assert first["id"] == second["id"]


async def test_who_subscribes_through_the_api_is_told_what_was_asked_for(pagerduty: PagerDuty, inbox: Inbox) -> None:
    goal, pagerduty.webhook_url = pagerduty.webhook_url, None
    subscription = {
        "type": "webhook_subscription",
        "delivery_method": {"type": "http_delivery_method", "url": goal},
        "events": ["incident.resolved"],
        "filter": {"type": "account_reference"},
    }
    made = await asyncio.to_thread(api(pagerduty).rpost, "webhook_subscriptions", json=subscription)
    await trigger(pagerduty)
    pagerduty.resolve("relay", "admin-1")
    (happened,) = await inbox.wait_for(1)
    assert happened["event_type"] == "incident.resolved"
    assert inbox.got[0][0] == signature(made["delivery_method"]["secret"], inbox.got[0][1])


async def test_duplicate_webhooks_carry_the_same_id(pagerduty: PagerDuty, inbox: Inbox) -> None:
    await pagerduty.inflict({"fault": "duplicate-webhooks"})
    await trigger(pagerduty)
    first, second = await inbox.wait_for(2)
    assert first == second


async def test_a_forged_webhook_does_not_carry_the_right_signature(pagerduty: PagerDuty, inbox: Inbox) -> None:
    await trigger(pagerduty)
    await inbox.wait_for(1)
    await pagerduty.inflict({"fault": "forged-webhook"})
    _, lie = await inbox.wait_for(2)
    assert lie["event_type"] == "incident.resolved"
    assert inbox.got[1][0] != signature(pagerduty.webhook_secret, inbox.got[1][1])
    assert (await incidents(pagerduty))[0]["status"] == "triggered"


async def test_a_rate_limit_lasts_as_often_as_asked(pagerduty: PagerDuty) -> None:
    await pagerduty.inflict({"fault": "ratelimited", "times": 2})
    await trigger(pagerduty)
    assert [one["status"] for one in pagerduty.seen] == [429, 429, 202]


async def test_server_errors_reach_the_client(pagerduty: PagerDuty) -> None:
    await pagerduty.inflict({"fault": "http-500"})
    async with ClientSession() as session:
        answer = await session.post(f"{pagerduty.url}/v2/enqueue", json={})
        assert answer.status == 500


async def test_a_part_that_is_down_has_seen_nothing(pagerduty: PagerDuty) -> None:
    await pagerduty.inflict({"fault": "down"})
    async with ClientSession() as session:
        answer = await session.post(f"{pagerduty.url}/v2/enqueue", json={})
        assert (answer.status, pagerduty.seen) == (503, [])


async def test_a_dropped_connection_is_a_client_error(pagerduty: PagerDuty) -> None:
    await pagerduty.inflict({"fault": "down", "how": "close"})
    session = events(pagerduty)
    session.max_network_attempts = 0
    with pytest.raises(PDClientError):
        await asyncio.to_thread(session.trigger, "a", "b")


async def test_mending_ends_every_fault(pagerduty: PagerDuty) -> None:
    await pagerduty.inflict({"fault": "down"})
    await pagerduty.mend()
    assert await trigger(pagerduty) == "relay"


async def test_an_unknown_fault_is_refused_with_those_there_are(pagerduty: PagerDuty) -> None:
    with pytest.raises(UnknownFaultError, match="ratelimited"):
        await pagerduty.inflict({"fault": "flood"})


async def test_an_argument_a_fault_does_not_take_is_refused(pagerduty: PagerDuty) -> None:
    with pytest.raises(ValueError, match="takes seconds, not second"):
        await pagerduty.inflict({"fault": "slow", "second": 1})


async def test_an_argument_that_should_be_a_number_is_refused(pagerduty: PagerDuty) -> None:
    with pytest.raises(ValueError, match="seconds must be a number, not 'long'"):
        await pagerduty.inflict({"fault": "slow", "seconds": "long"})


async def test_incidents_and_what_was_seen_survive_a_restart(pagerduty: PagerDuty, tmp_path: Path) -> None:
    await trigger(pagerduty)
    await pagerduty.stop()
    again = PagerDuty()
    await again.start(tmp_path)
    try:
        assert [one["body"]["event_action"] for one in again.seen] == ["trigger"]
        assert again.acknowledge("relay", "guardian-1")["status"] == "acknowledged"
    finally:
        await again.stop()
