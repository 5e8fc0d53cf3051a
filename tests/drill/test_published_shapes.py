"""What the stand-ins say and are told, against the published descriptions of the real interfaces.

The descriptions are not part of the project: `PUBLISHED_INTERFACES` names the folder that holds them.
"""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from aiohttp import ClientSession
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # as above

from bot.drill.ledger import Ledger
from bot.drill.pagerduty import PagerDuty

Json = dict[str, Any]

FOLDER = Path(os.environ.get("PUBLISHED_INTERFACES", str(Path(__file__).parents[3] / "shared" / "data")))
CANTON = "canton-json-ledger-api.yaml"
PAGERDUTY = "pagerduty-rest-subset.json"
EVENTS = "pagerduty-events-v2.json"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no published interface descriptions in {FOLDER}")


@cache
def description(name: str) -> Json:
    text = (FOLDER / name).read_text()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Json = json.loads(text) if name.endswith("json") else yaml.load(text, loader)  # noqa: S506 - a safe loader
    if name == PAGERDUTY:
        # Everything there refers to this one, which the cut left out.
        names = ("id", "summary", "type", "self", "html_url")
        tag = {"type": "object", "properties": {one: {"type": "string"} for one in names}}
        found["components"]["schemas"].setdefault("Tag", {"allOf": [tag]})
    return found


def without_nulls(value: Any) -> Any:
    """PagerDuty writes null for whatever is not there, also where its description doesn't say so."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def wrongs(name: str, schema: Json, value: Any) -> list[str]:
    """Where a value differs from a schema of that description."""
    whole = {**schema, "components": description(name)["components"]}
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(whole).iter_errors(value)]


def content(spoken: Json) -> Json | None:
    found: Json | None = spoken.get("content", {}).get("application/json", {}).get("schema")
    return found


def published_path(name: str, path: str) -> str:
    """The path with parameters that a real one is an example of, the most literal first."""
    parts = path.split("/")
    for one in sorted(description(name)["paths"], key=lambda one: one.count("{")):
        pattern = one.split("/")
        if len(pattern) == len(parts) and all(a == b or a[:1] == "{" for a, b in zip(pattern, parts, strict=True)):
            return str(one)
    raise LookupError(f"{name} publishes no {path}")


async def differences(name: str, url: str, method: str, path: str, body: Any, headers: Json) -> list[str]:
    """Send a request; where it and its answer differ from what is published. `path` is the published one, filled in."""
    async with ClientSession(headers=headers) as session, session.request(method, url + path, json=body) as answer:
        said = await answer.json()
    operation = description(name)["paths"][published_path(name, path)][method.lower()]
    found = []
    if body is not None:
        found += wrongs(name, content(operation["requestBody"]) or {}, body)
    spoken = operation["responses"].get(str(answer.status)) or operation["responses"].get("default", {})
    schema = content(spoken)
    if schema is None and "$ref" not in spoken:
        found.append(f"{method} {path}: no JSON is published for {answer.status}")
    return found + wrongs(name, schema or {}, without_nulls(said) if name == PAGERDUTY else said)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    part = Ledger()
    await part.start(tmp_path)
    yield part
    await part.stop()


def bearer(token: str) -> Json:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/v2/version", "/v2/state/ledger-end", "/v2/parties", "/v2/authenticated-user"])
async def test_the_ledgers_reads_are_as_published(ledger: Ledger, path: str) -> None:
    assert await differences(CANTON, ledger.url, "GET", path, None, bearer(ledger.token)) == []


async def test_the_ledgers_user_rights_are_as_published(ledger: Ledger) -> None:
    assert await differences(CANTON, ledger.url, "GET", "/v2/users/musd-bot/rights", None, bearer(ledger.token)) == []


def everything(ledger: Ledger) -> Json:
    wildcard = {"identifierFilter": {"WildcardFilter": {"value": {"includeCreatedEventBlob": False}}}}
    return {"filtersByParty": {ledger.operator: {"cumulative": [wildcard]}}, "verbose": True}


async def test_active_contracts_are_as_published(ledger: Ledger) -> None:
    body = {"activeAtOffset": ledger.book.offset, "eventFormat": everything(ledger)}
    path = "/v2/state/active-contracts"
    assert await differences(CANTON, ledger.url, "POST", path, body, bearer(ledger.token)) == []


async def test_pages_of_active_contracts_are_as_published(ledger: Ledger) -> None:
    body = {"maxPageSize": 2, "eventFormat": everything(ledger)}
    path = "/v2/state/active-contracts-page"
    assert await differences(CANTON, ledger.url, "POST", path, body, bearer(ledger.token)) == []


def pausing(ledger: Ledger, shape: str) -> Json:
    service = ledger.book.of("CantonLending:CantonLendingService")[-1]["id"]
    command = {
        "templateId": "#musd-protocol:CantonLending:CantonLendingService",
        "contractId": service,
        "choice": "Lending_SetPaused",
        "choiceArgument": {"newPaused": True},
    }
    commands = {"commandId": shape, "actAs": [ledger.operator], "commands": [{"ExerciseCommand": command}]}
    return {
        "commands": commands,
        "transactionFormat": {"transactionShape": shape, "eventFormat": everything(ledger)},
    }


@pytest.mark.parametrize("shape", ["TRANSACTION_SHAPE_ACS_DELTA", "TRANSACTION_SHAPE_LEDGER_EFFECTS"])
async def test_transactions_are_as_published(ledger: Ledger, shape: str) -> None:
    path, token = "/v2/commands/submit-and-wait-for-transaction", ledger.operator_token
    body = pausing(ledger, shape)
    assert await differences(CANTON, ledger.url, "POST", path, body, bearer(token)) == []


@pytest.mark.parametrize("fault", ["contention", "forbidden", "unauthorized", "many-contracts", "not-ready"])
async def test_the_ledgers_refusals_are_as_published(ledger: Ledger, fault: str) -> None:
    await ledger.inflict({"fault": fault})
    commands, active = "/v2/commands/submit-and-wait-for-transaction", "/v2/state/active-contracts"
    body = pausing(ledger, "TRANSACTION_SHAPE_ACS_DELTA")
    if fault == "many-contracts":
        commands, body = active, {"activeAtOffset": ledger.book.offset, "eventFormat": everything(ledger)}
    token = ledger.token if fault == "many-contracts" else ledger.operator_token
    assert await differences(CANTON, ledger.url, "POST", commands, body, bearer(token)) == []


@pytest.fixture
async def pagerduty(tmp_path: Path) -> AsyncIterator[PagerDuty]:
    part = PagerDuty()
    await part.start(tmp_path)
    yield part
    await part.stop()


def event(pagerduty: PagerDuty) -> Json:
    payload = {"summary": "Relay down", "source": "musd-bot", "severity": "critical", "custom_details": {"pod": "a"}}
    links = [{"href": "https://example.invalid/runbook", "text": "Runbook"}]
    key = hashlib.sha256(b"relay").hexdigest()
    call = {"routing_key": pagerduty.routing_key, "event_action": "trigger", "dedup_key": key}
    return {**call, "payload": payload, "links": links}


async def test_an_event_and_its_answer_are_as_published(pagerduty: PagerDuty) -> None:
    async with ClientSession() as session:
        answer = await session.post(f"{pagerduty.url}/v2/enqueue", json=event(pagerduty))
        said = await answer.json()
    operation = description(EVENTS)["paths"]["/enqueue"]["post"]
    assert wrongs(EVENTS, content(operation["requestBody"]) or {}, event(pagerduty)) == []
    assert wrongs(EVENTS, content(description(EVENTS)["components"]["responses"]["Success"]) or {}, said) == []


@pytest.mark.parametrize(
    "path",
    [
        *("/incidents", "/incidents/PINC0001", "/incidents/PINC0001/notes", "/oncalls", "/escalation_policies"),
        *("/escalation_policies/PPOLPROTO", "/schedules", "/schedules/PSCHPROTO", "/services", "/services/PSVCPROTO"),
        *("/users", "/users/PADMIN1", "/priorities", "/webhook_subscriptions"),
    ],
)
async def test_pagerdutys_reads_are_as_published(pagerduty: PagerDuty, path: str) -> None:
    async with ClientSession() as session:
        await session.post(f"{pagerduty.url}/v2/enqueue", json=event(pagerduty))
    headers = {"Authorization": f"Token token={pagerduty.api_token}"}
    assert await differences(PAGERDUTY, pagerduty.url, "GET", path, None, headers) == []


CHANGES: dict[str, tuple[str, str, Json]] = {
    "acknowledge": ("PUT", "/incidents/PINC0001", {"incident": {"type": "incident", "status": "acknowledged"}}),
    "escalate": ("PUT", "/incidents/PINC0001", {"incident": {"type": "incident", "escalation_level": 2}}),
    "note": ("POST", "/incidents/PINC0001/notes", {"note": {"content": "seen"}}),
    "status update": ("POST", "/incidents/PINC0001/status_updates", {"message": "we are on it"}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_pagerdutys_writes_are_as_published(pagerduty: PagerDuty, change: str) -> None:
    async with ClientSession() as session:
        await session.post(f"{pagerduty.url}/v2/enqueue", json=event(pagerduty))
    headers = {"Authorization": f"Token token={pagerduty.api_token}", "From": "admin-1@musd-practice.invalid"}
    method, path, body = CHANGES[change]
    assert await differences(PAGERDUTY, pagerduty.url, method, path, body, headers) == []
