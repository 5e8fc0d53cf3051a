"""Every step of an incident's life, from every state it may be in: taken, or refused with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.incident import (
    Incident,
    IncidentState,
    Step,
    acknowledge,
    archive,
    close,
    lead,
    of_alert,
    reopen,
    resolve,
    set_severity,
)
from bot.domain.signal import Severity
from bot.errors import RefusedError

AT = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
SOMEBODY = "U0GUARD0001"
STEPS: dict[str, Step] = {
    "acknowledge": lambda one: acknowledge(one, SOMEBODY, LATER),
    "lower": lambda one: set_severity(one, Severity.MEDIUM),
    "lead": lambda one: lead(one, SOMEBODY),
    "resolve": lambda one: resolve(one, "the disk was cleared", LATER),
    "reopen": lambda one: reopen(one, "it is full again"),
    "close": close,
    "archive": archive,
}
SENSIBLE = {
    IncidentState.OPEN: {"acknowledge", "lower", "lead", "resolve"},
    IncidentState.ACKNOWLEDGED: {"lower", "lead", "resolve"},
    IncidentState.RESOLVED: {"lead", "reopen", "close"},
    IncidentState.CLOSED: {"reopen", "archive"},
}


def incident(state: IncidentState = IncidentState.OPEN, **more: Any) -> Incident:
    made = {"id": "i1", "topic": "t", "runbook": None, "title": "Relay Service Down", "severity": Severity.CRITICAL}
    return Incident.model_validate({**made, "state": state, "opened_at": AT, **more})


def fields(step: Step, one: Incident) -> dict[str, Any]:
    return dict(step(one).fields)


@pytest.mark.parametrize("state", IncidentState)
def test_only_the_sensible_steps_are_taken(state: IncidentState) -> None:
    def taken(step: Step) -> bool:
        try:
            step(incident(state))
        except RefusedError:
            return False
        return True

    assert {name for name, step in STEPS.items() if taken(step)} == SENSIBLE[state]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("state", IncidentState)
def test_a_refusal_says_what_it_means(state: IncidentState, name: str) -> None:
    if name in SENSIBLE[state]:
        return
    with pytest.raises(RefusedError) as refused:
        STEPS[name](incident(state))

    assert refused.value.means == "Nothing was changed."


@pytest.mark.parametrize("state", IncidentState)
def test_whatever_a_step_stores_is_an_incident(state: IncidentState) -> None:
    for name in SENSIBLE[state]:
        one = incident(state)
        changed = Incident.model_validate({**one.model_dump(), **STEPS[name](one).fields})
        assert changed != one


def test_who_acknowledges_an_incident_without_a_lead_leads_it() -> None:
    assert fields(STEPS["acknowledge"], incident())["lead"] == SOMEBODY


def test_who_acknowledges_does_not_take_the_lead_from_anybody() -> None:
    assert fields(STEPS["acknowledge"], incident(lead="U0RESPO0001"))["lead"] == "U0RESPO0001"


def test_the_first_acknowledgement_is_the_one_that_counts() -> None:
    reopened = incident(acknowledged_at=AT)

    assert fields(STEPS["acknowledge"], reopened)["acknowledged_at"] == AT


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (Severity.CRITICAL, Severity.HIGH, "lowered"),
        (Severity.MEDIUM, Severity.HIGH, "raised"),
        (Severity.HIGH, Severity.CRITICAL, "raised"),
    ],
)
def test_a_severity_goes_up_or_down(before: Severity, after: Severity, kind: str) -> None:
    change = set_severity(incident(severity=before), after)

    assert (change.kind, change.text) == (kind, f"Severity {kind} from {before} to {after}")


@pytest.mark.parametrize("wrong", [Severity.CRITICAL, Severity.WARNING, Severity.INFO])
def test_a_severity_it_has_or_that_is_no_incident_s_is_refused(wrong: Severity) -> None:
    with pytest.raises(RefusedError):
        set_severity(incident(), wrong)


def test_resolving_takes_a_reason() -> None:
    with pytest.raises(RefusedError, match="Resolving takes a reason"):
        resolve(incident(), "  ", LATER)


def test_what_was_acknowledged_is_so_again_when_it_is_reopened() -> None:
    over = incident(IncidentState.RESOLVED, acknowledged_at=AT, resolved_at=LATER, resolution="fixed")

    assert fields(STEPS["reopen"], over) == {
        "state": IncidentState.ACKNOWLEDGED,
        "resolved_at": None,
        "resolution": "",
    }


def test_nothing_is_reopened_whose_channel_was_put_away() -> None:
    with pytest.raises(RefusedError) as refused:
        reopen(incident(IncidentState.CLOSED, archived=True), "again")

    assert refused.value.next_step == "Open a new incident."


def test_nobody_takes_a_lead_they_have() -> None:
    with pytest.raises(RefusedError, match="leads this incident already"):
        lead(incident(lead=SOMEBODY), SOMEBODY)


@pytest.mark.parametrize(
    ("alert", "expected"),
    [(Severity.CRITICAL, Severity.CRITICAL), (Severity.WARNING, Severity.MEDIUM), (Severity.HIGH, Severity.HIGH)],
)
def test_an_alert_s_severity_as_an_incident_s(alert: Severity, expected: Severity) -> None:
    assert of_alert(alert) is expected


def test_a_critical_incident_pages_under_its_own_key() -> None:
    assert (incident().pages, incident().page_key) == (True, "musd-i1")
