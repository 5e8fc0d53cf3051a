"""PagerDuty over real connections: the practice account, with the real client."""

import pickle
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_api import PagerDutyApi
from bot.adapters.pagerduty_oncall import PagerDutyOnCall
from bot.domain.incident import Incident, IncidentState
from bot.domain.oncall import OnCallRole
from bot.domain.signal import Severity
from bot.drill.pagerduty import PagerDuty
from bot.errors import RefusedError, UnavailableError
from bot.ports import OnCallReads, Page, Pager
from bot.views.redact import Redactor

INCIDENT = Incident(
    id="01ABC",
    topic="relay-down",
    runbook="relay-down",
    title="Relay Service Down",
    severity=Severity.CRITICAL,
    state=IncidentState.OPEN,
    opened_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    labels={"pod": "musd-relay-0", "severity": "critical"},
    summary="The relay is down",
    impact="Bridge operations halted",
)
LINK = "https://slack.example/archives/C1"
PAGE = Page(OnCallRole.PROTOCOL, (("The incident in Slack", LINK),))


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[PagerDuty]:
    account = PagerDuty()
    await account.start(tmp_path)
    yield account
    await account.stop()


@pytest.fixture
def api(account: PagerDuty) -> PagerDutyApi:
    return PagerDutyApi(
        events_url=account.url,
        api_token=SecretStr(account.api_token),
        api_url=account.url,
        sender="admin-1@musd-practice.invalid",
        pause=0.01,
    )


@pytest.fixture
def pager(account: PagerDuty, api: PagerDutyApi) -> PagerDutyPager:
    return PagerDutyPager(
        api,
        SecretStr(account.routing_key),
        others={OnCallRole.INFRASTRUCTURE: SecretStr(account.infra_routing_key)},
        fallback=SecretStr(account.second_routing_key),
        redactor=Redactor.of(["s3cr3t-value"]),
    )


def alone(account: PagerDuty, key: str = "", url: str = "") -> PagerDutyPager:
    """With one integration and no REST token."""
    return PagerDutyPager(
        PagerDutyApi(events_url=url or account.url, pause=0.01), SecretStr(key or account.routing_key)
    )


async def test_a_trigger_says_what_where_and_how_bad(account: PagerDuty, pager: PagerDutyPager) -> None:
    port: Pager = pager
    await port.trigger("musd-1", INCIDENT, PAGE)
    assert account.seen[-1]["body"] == {
        "event_action": "trigger",
        "routing_key": account.routing_key,
        "dedup_key": "musd-1",
        "payload": {
            "summary": "Relay Service Down: The relay is down",
            "source": "musd-bot",
            "severity": "critical",
            "custom_details": {
                "incident": "01ABC",
                "opened_at": "2026-01-02T03:04:05+00:00",
                "runbook": "relay-down",
                "role": "Protocol Engineering",
                "impact": "Bridge operations halted",
                "labels": {"pod": "musd-relay-0", "severity": "critical"},
            },
        },
        "links": [{"href": LINK, "text": "The incident in Slack"}],
    }


async def test_the_same_key_twice_is_one_page(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, PAGE)
    await pager.trigger("musd-1", INCIDENT, PAGE)
    assert len(account.incidents.all) == 1


async def test_resolving_ends_the_page(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, PAGE)
    await pager.resolve("musd-1")
    assert account.incidents.all[0]["status"] == "resolved"


async def test_resolving_twice_is_no_error(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.resolve("musd-1")
    await pager.resolve("musd-1")
    assert account.incidents.all == []


async def test_without_a_link_there_is_none(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, Page(OnCallRole.PROTOCOL))
    assert "links" not in account.seen[-1]["body"]


async def test_long_texts_and_many_labels_are_cut(account: PagerDuty, pager: PagerDutyPager) -> None:
    labels = {f"label{number:03}": "x" * 10_000 for number in range(500)}
    await pager.trigger("musd-1", INCIDENT.model_copy(update={"labels": labels, "summary": "y" * 5000}), PAGE)
    payload = account.seen[-1]["body"]["payload"]
    shown = payload["custom_details"]["labels"]
    assert (len(payload["summary"]), len(shown), len(shown["label000"])) == (1024, 30, 500)


@pytest.mark.parametrize(
    ("severity", "word"),
    [(Severity.HIGH, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "info")],
)
async def test_a_severity_is_pagerdutys_word_for_it(
    account: PagerDuty, pager: PagerDutyPager, severity: Severity, word: str
) -> None:
    await pager.trigger("musd-1", INCIDENT.model_copy(update={"severity": severity}), PAGE)
    assert account.seen[-1]["body"]["payload"]["severity"] == word


@pytest.mark.parametrize("fault", ["ratelimited", "http-500"])
async def test_a_passing_trouble_is_waited_out(account: PagerDuty, pager: PagerDutyPager, fault: str) -> None:
    await account.inflict({"fault": fault, "times": 1})
    await pager.trigger("musd-1", INCIDENT, PAGE)
    assert (len(account.seen), len(account.incidents.all)) == (2, 1)


async def test_a_lasting_trouble_is_an_error_after_a_few_attempts(account: PagerDuty, pager: PagerDutyPager) -> None:
    await account.inflict({"fault": "ratelimited"})
    with pytest.raises(UnavailableError, match=r"PagerDuty did not take the event: it answered HTTP 429"):
        await pager.trigger("musd-1", INCIDENT, PAGE)
    assert len(account.seen) == 4


async def test_a_refused_connection_is_said_in_words() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(UnavailableError) as caught:
        await alone(PagerDuty(), "k" * 32, url).resolve("musd-1")
    assert caught.value.happened == "PagerDuty did not take the event: the connection was refused."


async def test_a_wrong_key_is_said_and_not_shown(account: PagerDuty) -> None:
    key = "a" * 16 + "b" * 16
    with pytest.raises(UnavailableError) as caught:
        await alone(account, key).trigger("musd-1", INCIDENT, PAGE)
    assert caught.value.happened == "PagerDuty did not take the event: it answered HTTP 400 (Invalid routing key)."


async def test_trying_again_helps_against_a_limit_and_not_against_a_wrong_key(account: PagerDuty) -> None:
    with pytest.raises(UnavailableError) as wrong:
        await alone(account, "a" * 32).resolve("musd-1")
    await account.inflict({"fault": "ratelimited"})
    with pytest.raises(UnavailableError) as limited:
        await alone(account).resolve("musd-1")
    assert (wrong.value.lasting, limited.value.lasting) == (True, False)


async def test_an_error_is_the_same_after_it_was_stored(account: PagerDuty) -> None:
    with pytest.raises(UnavailableError) as caught:
        await alone(account, "a" * 32).resolve("musd-1")
    stored = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own, as a durable step stores it
    assert (stored.sentences(), stored.lasting) == (caught.value.sentences(), True)


async def test_a_proxy_of_the_environment_is_not_used(
    account: PagerDuty, pager: PagerDutyPager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    await pager.trigger("musd-1", INCIDENT, PAGE)
    assert len(account.seen) == 1


async def test_escalating_wakes_the_second_level_once(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, PAGE)

    woken = [await pager.escalate("musd-1") for _ in range(2)]

    assert woken[0] == woken[1]
    assert account.incidents.all[0]["escalation_level"] == 2
    assert len([one for one in account.seen if one["method"] == "PUT"]) == 1


async def test_what_is_not_open_is_not_escalated(pager: PagerDutyPager) -> None:
    with pytest.raises(RefusedError, match="no open page"):
        await pager.escalate("musd-1")


async def test_without_a_rest_token_escalating_says_what_to_set(account: PagerDuty) -> None:
    with pytest.raises(UnavailableError, match="MUSD_PAGERDUTY_API_TOKEN"):
        await alone(account).escalate("musd-1")


async def test_a_roles_page_goes_to_its_own_service(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, Page(OnCallRole.INFRASTRUCTURE))
    assert account.incidents.all[0]["escalation_policy"]["summary"] == "musd-infra-oncall"


async def test_a_role_without_an_integration_of_its_own_uses_the_first(
    account: PagerDuty, pager: PagerDutyPager
) -> None:
    await pager.trigger("musd-1", INCIDENT, Page(OnCallRole.SECURITY))
    assert account.incidents.all[0]["escalation_policy"]["summary"] == "musd-protocol-oncall"


async def test_the_second_integration_pages_others(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.fall_back("musd-1", INCIDENT, PAGE)
    assert account.incidents.all[0]["service"]["summary"] == "mUSD fallback"


async def test_without_a_second_integration_that_is_said(account: PagerDuty) -> None:
    with pytest.raises(RefusedError, match="MUSD_PAGERDUTY_FALLBACK_KEY"):
        await alone(account).fall_back("musd-1", INCIDENT, PAGE)


async def test_acknowledging_and_resolving_reach_whichever_took_the_page(
    account: PagerDuty, pager: PagerDutyPager
) -> None:
    await pager.fall_back("musd-1", INCIDENT, PAGE)
    await pager.acknowledge("musd-1")
    acknowledged = account.incidents.all[0]["status"]
    await pager.resolve("musd-1")
    assert (acknowledged, account.incidents.all[0]["status"]) == ("acknowledged", "resolved")


async def test_secrets_in_what_comes_from_outside_are_redacted(account: PagerDuty, pager: PagerDutyPager) -> None:
    labels = {"password": "hunter2hunter2", "pod": "musd-relay-0"}
    incident = INCIDENT.model_copy(update={"summary": "with s3cr3t-value in it", "labels": labels})
    await pager.trigger("musd-1", incident, PAGE)
    sent = str(account.seen[-1]["body"])
    assert ("s3cr3t-value" in sent, "hunter2" in sent, "musd-relay-0" in sent) == (False, False, True)


async def test_a_critical_incidents_page_has_the_first_priority(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, PAGE)
    for _ in range(2):
        await pager.prioritise("musd-1", Severity.CRITICAL)
    changes = [one for one in account.seen if one["method"] == "PUT"]
    assert (account.incidents.all[0]["priority"]["summary"], len(changes)) == ("P1", 1)


async def test_the_same_note_twice_is_one(account: PagerDuty, pager: PagerDutyPager) -> None:
    await pager.trigger("musd-1", INCIDENT, PAGE)
    for _ in range(2):
        await pager.note("musd-1", "The channel is #inc-1, the key s3cr3t-value")
    notes = [note["content"] for note in account.incidents.notes["PINC0001"]]
    assert notes == ["The channel is #inc-1, the key [redacted: own secret]"]


async def test_who_is_on_call_by_a_policy(api: PagerDutyApi) -> None:
    port: OnCallReads = PagerDutyOnCall(api)
    shifts = await port.by_policy("musd-protocol-oncall")
    first = [one for one in shifts if one.level == 1]
    assert {one.email.partition("@")[0] for one in first} == {"guardian-1", "guardian-2"}
    assert [(one.name, one.until) for one in shifts if one.level == 2] == [("Ada Adeyemi", None)]


async def test_who_is_on_call_by_a_schedule(api: PagerDutyApi) -> None:
    by_name = await PagerDutyOnCall(api).by_schedule("musd-infra rotation")
    by_id = await PagerDutyOnCall(api).by_schedule("PSCHINFRA")
    assert by_name == by_id
    assert [one.email.partition("-")[0] for one in by_name] == ["operator"]


async def test_a_policy_that_is_not_there_is_refused(api: PagerDutyApi) -> None:
    with pytest.raises(RefusedError, match="musd-nobody"):
        await PagerDutyOnCall(api).by_policy("musd-nobody")


async def test_the_address_of_a_user(api: PagerDutyApi) -> None:
    assert await PagerDutyOnCall(api).email("PGUARDIAN1") == "guardian-1@musd-practice.invalid"
