"""Severity and role of an alert, with configuration's word before the alert's own."""

import pytest

from bot.domain.oncall import OnCallRole
from bot.domain.routing import Routing, overrides
from bot.domain.signal import Severity

ROUTING = Routing(
    severities=overrides(["PVCNearlyFull=critical", "team:treasury=info"], Severity),
    roles=overrides(["PVCNearlyFull=infra", "team:treasury=security"], OnCallRole),
)


@pytest.mark.parametrize(
    ("labels", "labelled", "runbook", "expected"),
    [
        ({"alertname": "PVCNearlyFull", "team": "treasury"}, Severity.WARNING, None, Severity.CRITICAL),
        ({"alertname": "Other", "team": "treasury"}, Severity.CRITICAL, None, Severity.INFO),
        ({"alertname": "Other"}, Severity.CRITICAL, Severity.WARNING, Severity.CRITICAL),
        ({"alertname": "Other"}, None, Severity.CRITICAL, Severity.CRITICAL),
        ({"alertname": "Other"}, None, None, Severity.WARNING),
    ],
    ids=["the alert's own override", "its team's", "its label", "its runbook", "nothing known"],
)
def test_how_bad_an_alert_is(
    labels: dict[str, str], labelled: Severity | None, runbook: Severity | None, expected: Severity
) -> None:
    assert ROUTING.severity(labels, labelled, runbook) is expected


@pytest.mark.parametrize(
    ("labels", "runbook", "expected"),
    [
        ({"alertname": "PVCNearlyFull"}, OnCallRole.SECURITY, OnCallRole.INFRASTRUCTURE),
        ({"team": "treasury"}, None, OnCallRole.SECURITY),
        ({"team": "infra"}, OnCallRole.SECURITY, OnCallRole.SECURITY),
        ({"team": "infra"}, None, OnCallRole.INFRASTRUCTURE),
        ({"team": "nobody-knows"}, None, OnCallRole.PROTOCOL),
    ],
    ids=["the alert's own override", "its team's", "its runbook", "its team's name", "nothing known"],
)
def test_whose_an_alert_is(labels: dict[str, str], runbook: OnCallRole | None, expected: OnCallRole) -> None:
    assert ROUTING.role(labels, runbook) is expected


@pytest.mark.parametrize("entry", ["PVCNearlyFull", "PVCNearlyFull=terrible", "=critical", ""])
def test_an_override_that_says_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="is not name=word"):
        overrides([entry], Severity)
