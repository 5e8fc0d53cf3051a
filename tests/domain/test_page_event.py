"""PagerDuty's webhooks: only what is signed is read, and what is read is what was sent."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.page_event import parse, signed
from bot.errors import MalformedError

SECRET = "practice-secret"
EVENT = {
    "event": {
        "id": "01EVENT",
        "event_type": "incident.acknowledged",
        "occurred_at": "2026-01-02T03:04:05.000Z",
        "agent": {"id": "PUSER", "type": "user_reference", "summary": "Grace Garcia"},
        "data": {
            "incident_key": "musd-01ABC",
            "assignees": [{"id": "PUSER", "summary": "Grace Garcia"}],
            "escalation_policy": {"summary": "musd-protocol-oncall"},
        },
    }
}


def signature(body: bytes, secret: str = SECRET) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_signature_of_the_body_is_taken() -> None:
    assert signed(b"body", signature(b"body"), SECRET)


def test_one_of_several_signatures_is_enough() -> None:
    assert signed(b"body", f"{signature(b'body', 'old')}, {signature(b'body')}", SECRET)


@pytest.mark.parametrize("header", ["", "v1=", "v1=" + "0" * 64, signature(b"other"), signature(b"body", "else"), "ü"])
def test_anything_else_is_not(header: str) -> None:
    assert not signed(b"body", header, SECRET)


def test_odd_bytes_are_no_signature() -> None:
    assert not signed(b"body", b"v1=\xff".decode("utf-8", "surrogateescape"), SECRET)


def test_without_a_secret_nothing_is_signed() -> None:
    assert not signed(b"body", signature(b"body", ""), "")


def test_an_event_is_read() -> None:
    event = parse(json.dumps(EVENT).encode())
    assert event is not None
    assert (event.key, event.agent, event.by_a_person, event.assignees) == (
        "musd-01ABC",
        "Grace Garcia",
        True,
        ("Grace Garcia",),
    )


@pytest.mark.parametrize("kind", ["pagey.ping", "incident.annotated", "service.updated"])
def test_what_means_nothing_here_is_taken_and_forgotten(kind: str) -> None:
    assert parse(json.dumps({"event": {**EVENT["event"], "event_type": kind}}).encode()) is None


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps({"event": value}).encode()
    )
)
def test_any_other_body_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(MalformedError, match="version 3"):
        parse(body)
