"""HTTP mode: Slack's requests come in at a public address, so each has to prove that Slack sent it."""

import hashlib
import hmac
import json
import secrets
import shlex
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.world.practice import PAUSABLE, Practice, firing, until, written

FORGED = urlencode({"command": "/musd", "text": "status", "user_id": "U0ADMIN0001", "channel_id": "C0ALERTS01"})
PATIENCE = 5
"""Seconds that a request has here: more than the three that Slack waits itself."""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world whose workspace posts to the bot instead of holding a socket."""
    settings = ("--set", "slack_mode=http", "--set", f"http_patience={PATIENCE}")
    running = Practice(*settings, data=tmp_path_factory.mktemp("http"))
    yield running
    running.stop()


def sent(
    http: Practice,
    *,
    secret: str | None = None,
    at: str | None = None,
    body: str = FORGED,
    instead: str = "",
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """A command as somebody sends it: with the workspace's own secret unless told otherwise.

    Args:
        http: the world.
        secret: another one.
        at: the time it says it is; now by itself.
        body: what is signed.
        instead: what is sent in its place, if anything else is.
        headers: besides the signature's, or in their place.
    """
    assert http.data is not None
    lines = dict(line.split("=", 1) for line in shlex.split((http.data / "bot.env").read_text()))
    stamp = at or str(int(time.time()))
    key = (secret or lines["MUSD_SLACK_SIGNING_SECRET"]).encode()
    signature = hmac.new(key, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    signed = {
        "Content-Type": "application/json" if body.startswith("{") else "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={signature}",
    }
    return http.http.post(
        http.world["bot"] + "/slack/events", data=instead or body, headers=signed | (headers or {}), timeout=10
    )


def typed(http: Practice, text: str) -> str:
    """The body of a command, as responder-1 types it in #musd-alerts."""
    channel = http.channels("musd-alerts")[0]["id"]
    answers = {"response_url": f"{http.world['slack']}/nowhere", "trigger_id": secrets.token_hex(8)}
    return urlencode({"command": "/musd", "text": text, "user_id": "U0RESPO0001", "channel_id": channel, **answers})


def interaction(**payload: Any) -> str:
    """The body of a press or a submission of responder-1's."""
    return urlencode({"payload": json.dumps({"user": {"id": "U0RESPO0001"}, "trigger_id": "1.2", **payload})})


def turned_away(http: Practice, what: str) -> int:
    """How often the audit log says that this came before."""
    rows = map(json.loads, http.terminal("audit", "export").splitlines())
    wanted = {"what": what, "why": "This very request came before."}
    return [(row["actor"], row["what"], row["detail"]) for row in rows].count(("U0RESPO0001", "refused", wanted))


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


def soon() -> str:
    """A time that Slack signs at; a request sent again has the same."""
    return str(int(time.time()))


def test_a_command_that_is_sent_again_wakes_nobody_twice(http: Practice) -> None:
    body, at = typed(http, "page infra the disk is full"), soon()

    assert [sent(http, body=body, at=at).status_code for _ in range(3)] == [200] * 3

    assert turned_away(http, "page infra the disk is full") == 2
    assert sent(http, body=typed(http, "page infra and this came last")).ok
    until(lambda: [page for page in http.pages() if "and this came last" in page["payload"]["summary"]])
    assert len([page for page in http.pages() if "the disk is full" in page["payload"]["summary"]]) == 1


def test_a_press_that_is_sent_again_takes_no_tick_back(http: Practice) -> None:
    http.alert(firing("TickedOverHttp"))
    channel = http.incident("tickedoverhttp")

    def item() -> dict[str, Any] | None:
        """The button behind «Identify the root cause»: *Tick*, or *Untick*."""
        blocks = [block for message in http.messages(channel) for block in message["blocks"]]
        return next(
            (b["accessory"] for b in blocks if b.get("accessory", {}).get("action_id") == "checklist:cause"), None
        )

    button = until(item)
    where = {"channel": {"id": http.channels(channel)[0]["id"]}, "message": {"ts": "1.2"}}
    body, at = interaction(type="block_actions", actions=[button], **where), soon()
    assert sent(http, body=body, at=at).ok
    until(lambda: (now := item()) and now["text"]["text"] == "Untick")

    assert sent(http, body=body, at=at).ok

    assert turned_away(http, "checklist:cause") == 1
    assert http.terminal("incidents", button["value"]).count("Ticked: Identify the root cause") == 1
    assert "Tick taken back" not in http.terminal("incidents", button["value"])


def test_a_modal_that_is_sent_again_opens_one_incident(http: Practice) -> None:
    severity = {"selected_option": {"value": "high"}}
    typed_in = {"title": {"title": {"value": "Sent twice"}}, "severity": {"severity": severity}}
    channel = http.channels("musd-alerts")[0]["id"]
    ts = http.post("/person/say", user="responder-1", channel="musd-alerts", text="look at this")["ts"]
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "incident_open",
        "private_metadata": f"{channel} {ts}",
        "state": {"values": typed_in},
    }
    body, at = interaction(type="view_submission", view=view), soon()

    assert [sent(http, body=body, at=at).status_code for _ in range(2)] == [200, 200]

    assert turned_away(http, "incident_open") == 1
    assert http.incident("sent-twice")
    assert len(http.channels("-sent-twice-")) == 1


def test_an_event_that_slack_sends_again_is_taken_and_once(http: Practice) -> None:
    """Slack signs each try anew: the first is lost on its way, the second arrives, and so does the third."""
    http.alert(firing("HeardAtLast"))
    channel = http.incident("heardatlast")
    said = http.post("/person/say", user="responder-1", channel=channel, text="it is the cable")
    item = {"type": "message", "channel": http.channels(channel)[0]["id"], "ts": said["ts"]}
    event = {"type": "reaction_added", "user": "U0RESPO0001", "reaction": "memo", "item": item, "event_ts": "1.2"}
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": event})

    def tried(number: int, **wrong: str) -> int:
        again = {"X-Slack-Retry-Num": f"{number}", "X-Slack-Retry-Reason": "http_error"} if number else {}
        return sent(http, body=body, at=str(int(time.time()) - 5 + number), headers=again, **wrong).status_code

    assert [tried(0, secret="of another app"), tried(1), tried(2)] == [401, 200, 200]

    def timeline() -> str:
        http.command("guardian-1", "timeline", channel)
        return written(http.messages(channel, "guardian-1")[-1])

    assert until(lambda: "it is the cable" in (text := timeline()) and text).count("it is the cable") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "guessed"},
        {"at": "1500000000"},
        {"at": "9500000000"},
        {"at": "soon"},
        {"at": "-1"},
        {"instead": FORGED.replace("status", "pause")},
        {"headers": {"X-Slack-Signature": ""}},
        {"headers": {"X-Slack-Request-Timestamp": ""}},
    ],
    ids=["another secret", "old", "from the future", "no number", "negative", "changed", "no signature", "no time"],
)
def test_what_slack_did_not_sign_now_is_refused(http: Practice, wrong: dict[str, Any]) -> None:
    assert sent(http, **wrong).status_code == 401


def test_whoever_is_slow_is_hung_up_on_and_holds_up_nobody(http: Practice) -> None:
    """One says nothing, one never ends its headers, one never sends the body it announced."""
    bot = urlsplit(http.world["bot"])
    head = f"POST /alertmanager HTTP/1.1\r\nHost: {bot.netloc}\r\n"
    body = f"Authorization: Bearer {http.world['alertmanager_token']}\r\nContent-Length: 1000\r\n\r\n{{"
    connections = [socket.create_connection((bot.hostname, bot.port), timeout=60) for _ in range(3)]
    for connection, said in zip(connections, ("", head + "X-Slow: ", head + body), strict=True):
        connection.sendall(said.encode())

    assert http.http.get(http.world["bot"] + "/healthz", timeout=10).ok

    answers = [connection.recv(4096) for connection in connections]
    assert (answers[0], answers[1], answers[2].split(b"\r\n")[0]) == (b"", b"", b"HTTP/1.1 408 Request Timeout")
    for connection in connections:
        connection.close()


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
