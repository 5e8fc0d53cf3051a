"""Alertmanager's webhook, read without losing an alert and without trusting a byte."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.signal import Delivery, Severity, SignalStatus, parse_alertmanager
from bot.errors import MalformedError

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def alert(**changes: Any) -> dict[str, Any]:
    labels = {"alertname": "RelayServiceDown", "severity": "critical"}
    fields = {"status": "firing", "labels": labels, "startsAt": "2026-11-24T02:59:00Z", "fingerprint": "abc"}
    return fields | changes


def parsed(*alerts: Any, **changes: Any) -> Delivery:
    webhook = {"version": "4", "status": "firing", "alerts": list(alerts)} | changes
    return parse_alertmanager(json.dumps(webhook).encode(), NOW)


def test_an_alert_is_a_signal() -> None:
    signal = parsed(alert()).signals[0]

    assert (signal.name, signal.severity, signal.status) == (
        "RelayServiceDown",
        Severity.CRITICAL,
        SignalStatus.FIRING,
    )
    assert signal.starts_at == datetime(2026, 11, 24, 2, 59, tzinfo=UTC)


def test_the_same_delivery_has_the_same_keys() -> None:
    assert parsed(alert()).signals[0].key == parsed(alert()).signals[0].key


def test_resolving_is_another_signal() -> None:
    assert parsed(alert()).signals[0].key != parsed(alert(status="resolved")).signals[0].key


def test_an_alert_of_a_firing_group_can_have_resolved() -> None:
    signals = parsed(alert(), alert(status="resolved")).signals

    assert [signal.status for signal in signals] == [SignalStatus.FIRING, SignalStatus.RESOLVED]


def test_an_alert_without_a_name_is_kept() -> None:
    assert parsed(alert(labels={"severity": "critical"})).signals[0].name == "UnnamedAlert"


@pytest.mark.parametrize("label", ["", "page", "CRITICAL!", None])
def test_a_severity_nobody_knows_is_no_severity(label: str | None) -> None:
    assert parsed(alert(labels={"alertname": "X", "severity": label})).signals[0].severity is None


def test_a_severity_in_capitals_is_read() -> None:
    assert parsed(alert(labels={"alertname": "X", "severity": "Critical"})).signals[0].severity is Severity.CRITICAL


def test_without_a_fingerprint_the_labels_make_one() -> None:
    first, same, other = parsed(
        alert(fingerprint=None), alert(fingerprint=""), alert(fingerprint=7, labels={"alertname": "Y"})
    ).signals

    assert first.fingerprint == same.fingerprint != other.fingerprint


def test_without_a_start_it_started_when_it_arrived() -> None:
    assert parsed(alert(startsAt="yesterday")).signals[0].starts_at == NOW


def test_one_odd_alert_costs_the_others_nothing() -> None:
    odd = {"labels": 7, "annotations": ["x"], "status": {}, "startsAt": 3}

    assert [signal.name for signal in parsed(odd, alert()).signals] == ["UnnamedAlert", "RelayServiceDown"]


def test_what_alertmanager_left_out_is_counted() -> None:
    assert parsed(alert(), truncatedAlerts=12).truncated == 12


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"4"',
        b"\xff\xfe",
        b'{"version":"4"}',
        b'{"version":"4","alerts":{}}',
        b'{"alerts":[]}',
    ],
)
def test_what_is_no_webhook_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(MalformedError, match="not an Alertmanager webhook"):
        parse_alertmanager(body, NOW)


def test_another_version_is_refused_by_name() -> None:
    with pytest.raises(MalformedError, match="version '3'"):
        parsed(alert(), version="3")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(alerts=st.lists(st.dictionaries(st.sampled_from(["status", "labels", "annotations", "startsAt"]), JSON)))
def test_every_alert_of_a_readable_body_is_kept(alerts: list[dict[str, Any]]) -> None:
    assert len(parsed(*alerts).signals) == len(alerts)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(MalformedError):
        assert parse_alertmanager(body, NOW).truncated >= 0
