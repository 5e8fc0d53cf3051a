"""HTTP mode: Slack's requests come in at a public address, so each has to prove that Slack sent it."""

import hashlib
import hmac
import shlex
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests

from tests.world.practice import PAUSABLE, Practice, firing, until, written

FORGED = urlencode({"command": "/musd", "text": "status", "user_id": "U0ADMIN0001", "channel_id": "C0ALERTS01"})


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world whose workspace posts to the bot instead of holding a socket."""
    running = Practice("--set", "slack_mode=http", data=tmp_path_factory.mktemp("http"))
    yield running
    running.stop()


def sent(http: Practice, *, secret: str | None = None, at: str | None = None, body: str = FORGED) -> requests.Response:
    """A command as somebody sends it: with the workspace's own secret unless told otherwise."""
    assert http.data is not None
    lines = dict(line.split("=", 1) for line in shlex.split((http.data / "bot.env").read_text()))
    stamp = at or str(int(time.time()))
    key = (secret or lines["MUSD_SLACK_SIGNING_SECRET"]).encode()
    signature = hmac.new(key, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signature}",
    }
    return http.http.post(http.world["bot"] + "/slack/events", data=body, headers=headers, timeout=10)


def test_no_socket_is_opened(http: Practice) -> None:
    calls = {call["method"] for call in http.get("/seen/slack")}

    assert "apps.connections.open" not in calls


def test_a_command_is_answered(http: Practice) -> None:
    asked = http.command("responder-1", "status")

    assert asked["ok"]
    assert until(lambda: "status" in http.said("musd-alerts").lower())


def test_an_alert_is_paused_from_its_button_by_a_press_and_a_modal(http: Practice) -> None:
    http.alert(firing())
    channel = http.incident("relay-down")
    _, proposal = http.propose_pause(channel=channel)

    assert http.press("guardian-1", proposal, "Confirm", channel)["ok"]

    assert until(lambda: all(http.paused(contract) for contract in PAUSABLE))


def test_an_event_is_heard(http: Practice) -> None:
    http.alert(firing("HeardOverHttp"))
    channel = http.incident("heardoverhttp")
    http.post("/person/say", user="responder-1", channel=channel, text="it is the disk")
    said = http.messages(channel)[-1]
    http.post("/person/react", user="responder-1", channel=channel, ts=said["ts"], name="memo")

    def marked() -> bool:
        http.command("guardian-1", "timeline", channel)
        return "it is the disk" in written(http.messages(channel, "guardian-1")[-1])

    assert until(marked)


def test_what_slack_signed_is_taken(http: Practice) -> None:
    assert sent(http).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [{"secret": "guessed"}, {"at": "1500000000"}, {"at": "soon"}, {"at": "-1"}],
    ids=["another secret", "an old request", "no number", "a negative number"],
)
def test_what_slack_did_not_sign_now_is_refused(http: Practice, wrong: dict[str, str]) -> None:
    assert sent(http, **wrong).status_code == 401


def test_a_body_that_is_too_large_is_not_read(http: Practice) -> None:
    assert sent(http, body="text=" + "x" * 2_000_000).status_code == 413


@pytest.mark.parametrize(
    "signature", ["", "v0=", "v0=\xe9", "v1=" + "0" * 64], ids=["none", "empty", "odd bytes", "v1"]
)
def test_a_signature_that_is_none_is_refused_before_anything_else(http: Practice, signature: str) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": signature.encode("latin-1")}

    answer = http.http.post(http.world["bot"] + "/slack/events", data=FORGED, headers=headers, timeout=10)

    assert answer.status_code == 401


@pytest.mark.parametrize(("body", "status"), [(b"", 401), (b"\xff\xfe", 400)], ids=["empty", "not UTF-8"])
def test_an_odd_body_without_a_signature_is_no_error_of_ours(http: Practice, body: bytes, status: int) -> None:
    headers = {"X-Slack-Request-Timestamp": str(int(time.time()))}

    answer = http.http.post(http.world["bot"] + "/slack/events", data=body, headers=headers, timeout=10)

    assert (answer.status_code, "Traceback" in answer.text) == (status, False)
