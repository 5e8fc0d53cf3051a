"""Two hundred hostile strings and a hundred planted secrets, through every door a text comes in by, in few messages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.views.hostile import HOSTILE
from tests.views.planted import PLANTED
from tests.world.practice import Practice, firing, until

_NOTE = 1900
"""Characters: a note keeps 2,000."""
_REACHES_OUT = re.compile(
    r".{0,60}(?:<!(?:channel|here|everyone|subteam)|(?<!`admin-1` )<@U0ADMIN0001(?!> has joined)|<https?://evil|<mailto:|<#C0000000001).{0,40}"
)


@dataclass(frozen=True)
class Seen:
    """All that can be seen of it afterwards."""

    slack: str
    files: str
    log: str
    transactions: Sequence[str]


def chunks(texts: Sequence[str], size: int) -> Iterator[str]:
    """The texts, a few at a time; those that alone are longer are left to the tests of the views."""
    held = ""
    for text in (one for one in texts if one.strip() and len(one) < size):
        if held and len(held) + len(text) + 3 > size:
            yield held
            held = ""
        held += f" ; {text}" if held else text
    yield held


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    data: Path = tmp_path_factory.mktemp("hostile")
    practice = Practice("--set", "recheck=1", "--set", "most_incidents=500", data=data)
    planted = [text for text, _ in PLANTED.values()]
    everything = [one.encode(errors="ignore").decode() for one in (*HOSTILE, *planted)]
    first = firing("RelayServiceDown", pod="<!channel> xoxb-123456789012-abcdefGHIJKL")
    first["annotations"] = {"summary": "<!here> " + planted[0], "description": "; ".join(planted[:20])}
    practice.alert(first)
    channel = practice.incident("relay-down")
    for chunk in chunks(everything, _NOTE):
        assert practice.command("responder-1", f"note {chunk}", channel)["ok"]
    warnings = [firing("PodRestarting", "warning", n=str(n)) for n in range(8)]
    for alert, chunk in zip(warnings, chunks(planted, 1000), strict=False):
        alert["annotations"] = {"summary": chunk}
    practice.alert(*warnings)
    assert practice.command("responder-1", "pause", channel)["ok"]
    view = until(lambda: practice.views("responder-1"))[-1]
    values = {"reason": next(chunks(planted, 900)), "contracts": ["SMUSD"]}
    assert practice.post("/person/submit", user="responder-1", view_id=view["id"], values=values)["ok"]
    proposal = until(lambda: practice.with_button(channel, "Confirm"))
    assert practice.press("guardian-1", proposal, "Confirm", channel)["ok"]
    until(lambda: practice.paused("SMUSD") and "Everything is as planned" in practice.said(channel))
    assert practice.command("responder-1", "postmortem", channel)["ok"]
    file = until(lambda: [one for one in practice.get("/person/files") if one["name"].startswith("postmortem")])
    slack = "\n".join(practice.said(one["name"]) for one in practice.channels())
    files = "\n".join(str(one) for one in practice.get("/person/files"))
    assert file
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": practice.world["contracts"]["SMUSD"]}
    logs = practice.rpc("eth_getLogs", query)
    practice.stop()
    return Seen(slack, files, (data / "bot.log").read_text(errors="replace"), [logs[-1]["transactionHash"]])


def test_they_went_in(seen: Seen) -> None:
    assert seen.slack.count("[redacted: ") > 50


@pytest.mark.parametrize("place", ["slack", "files", "log"])
def test_no_planted_secret_is_seen_again(seen: Seen, place: str) -> None:
    text = getattr(seen, place)

    assert [secret for _, secret in PLANTED.values() if len(secret) > 7 and secret in text] == []


def test_nothing_in_slack_reaches_out(seen: Seen) -> None:
    assert _REACHES_OUT.findall(seen.slack) == []


def test_the_hash_of_what_was_sent_is_not_eaten(seen: Seen) -> None:
    assert [one for one in seen.transactions if one not in seen.slack] == []
