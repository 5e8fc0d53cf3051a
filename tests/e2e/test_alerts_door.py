"""`POST /alertmanager`: who gets in, and what is said to everybody else."""

import pytest

from tests.world.practice import Practice, firing, until


def test_a_wrong_token_is_refused(practice: Practice) -> None:
    answer = practice.alert(firing("Forged"), token="wrong")

    assert answer.status_code == 401
    assert "bearer" in answer.json()["error"]


def test_no_token_is_refused(practice: Practice) -> None:
    answer = practice.http.post(practice.world["bot"] + "/alertmanager", json={}, timeout=5)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xff", b'{"version":"3","alerts":[]}', b'{"version":"4","alerts":7}'],
)
def test_a_malformed_body_is_refused_with_the_reason_and_no_traceback(practice: Practice, body: bytes) -> None:
    answer = practice.deliver(body)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert "Traceback" not in answer.text


def test_a_huge_body_is_taken(practice: Practice) -> None:
    alerts = [firing("Info", "info", n=str(n), padding="x" * 2000) for n in range(5000)]

    answer = practice.alert(*alerts)

    assert answer.json() == {"received": 5000, "new": 5000}


def test_a_body_beyond_32_mb_is_413_and_a_notice(practice: Practice) -> None:
    answer = practice.deliver(b"x" * (32 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert until(lambda: "refused" in practice.said("musd-alerts"))


def test_what_alertmanager_left_out_is_said(practice: Practice) -> None:
    practice.deliver({"version": "4", "alerts": [firing("Truncated", "info")], "truncatedAlerts": 37})

    assert until(lambda: "37 alerts" in practice.said("musd-alerts"))


def test_health_readiness_and_metrics_answer(practice: Practice) -> None:
    bot = practice.world["bot"]

    assert practice.http.get(bot + "/healthz", timeout=5).status_code == 200
    assert practice.http.get(bot + "/readyz", timeout=5).json() == {"status": "ready", "missing": []}
    assert "python_info" in practice.http.get(bot + "/metrics", timeout=5).text
