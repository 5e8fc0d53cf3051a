"""A drill as the tests see it: the same doors that the page and people use, and nothing else."""

import contextlib
import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.world import warm

T = TypeVar("T")
NOW = "2026-11-24T03:00:00Z"
PAUSABLE = ("BORROW_MODULE", "SMUSD", "DIRECT_MINT", "BLE_BRIDGE")
PATIENCE = 3
"""Several practice worlds share a core, so whatever a bot asks may take this many times longer than usual."""
_PAUSED = "0x5c975abb"
_PAUSED_EVENT = "0x62e78cea01bee320cd4e420270b5ea74000d11b0c9f74754ebdbfc544b05a258"


class Practice:
    """A running `musd-bot drill`."""

    def __init__(
        self, *arguments: str, data: Path | None = None, port: int = 0, cold: bool = False, checkout: Path | None = None
    ) -> None:
        """Start it and wait until it says that it is ready.

        Args:
            arguments: of `musd-bot drill`.
            data: its folder; a temporary one by itself.
            port: its page's; 0 for any.
            cold: as a person starts it; see warm.py.
            checkout: another one than this, which it is the program of, and cold.
        """
        self.data = data
        arguments = ("drill", "--no-browser", "--port", str(port), "--set", f"MUSD_PATIENCE={PATIENCE}", *arguments)
        arguments += ("--data", str(data)) if data else ()
        command = [sys.executable, "-m", "bot", *arguments] if cold or checkout else warm.program(*arguments)
        self.process = subprocess.Popen(
            command,
            cwd=checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_clean_environment() | ({"PYTHONPATH": str(checkout)} if checkout else {}),
        )
        self.errors: list[str] = []
        self.seen_views: defaultdict[str, set[str]] = defaultdict(set)
        threading.Thread(target=self._drain, daemon=True).start()
        self.url = self._ready(120)
        self.http = requests.Session()
        self.http.trust_env = False
        self.world = self.get("/world")

    def _drain(self) -> None:
        assert self.process.stderr
        self.errors.extend(iter(self.process.stderr.readline, ""))

    def _ready(self, seconds: float) -> str:
        assert self.process.stdout
        lines: queue.Queue[str] = queue.Queue()
        stdout = self.process.stdout
        threading.Thread(target=lambda: [lines.put(line) for line in stdout], daemon=True).start()
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=0.2)
                if line.startswith("drill ready "):
                    return line.split()[2]
        self.stop()
        raise AssertionError("the drill did not get ready:\n" + "".join(self.errors[-40:]))

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    # --- doors -------------------------------------------------------------------------------------------------------

    def get(self, path: str, /, **query: Any) -> Any:
        """A door that answers."""
        answer = self.http.get(self.url + path, params=query, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def world_now(self) -> Any:
        """`GET /world` over a connection of its own, for a second thread."""
        with requests.Session() as session:
            session.trust_env = False
            return session.get(self.url + "/world", timeout=60).json()

    def post(self, path: str, /, **body: Any) -> Any:
        """A door that does."""
        answer = self.http.post(self.url + path, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def command(self, user: str, text: str, channel: str = "musd-alerts") -> Any:
        """Somebody types a slash command."""
        self._looks_at(user)
        return self.post("/person/command", user=user, channel=channel, text=text)

    def press(self, user: str, message: dict[str, Any], label: str, channel: str) -> Any:
        """Somebody presses a button."""
        self._looks_at(user)
        return self.post("/person/press", user=user, channel=channel, ts=message["ts"], label=label)

    def views(self, user: str) -> Any:
        """The modals somebody has open."""
        return self.get("/person/views", user=user)

    def modal(self, user: str) -> Any:
        """The modal that somebody's last press or command has opened, once it is there; not one left open before."""
        return until(lambda: [view for view in self.views(user) if view["id"] not in self.seen_views[user]])[-1]

    def _looks_at(self, user: str) -> None:
        self.seen_views[user] = {view["id"] for view in self.views(user)}

    def channels(self, containing: str = "") -> list[dict[str, Any]]:
        """Channels whose name contains this."""
        return [channel for channel in self.get("/person/channels") if containing in channel["name"]]

    def messages(self, channel: str, user: str | None = None) -> list[dict[str, Any]]:
        """What is written in a channel, replies included."""
        return self.get("/person/messages", channel=channel, **({"user": user} if user else {}))

    def said(self, channel: str) -> str:
        """Everything written in a channel, as one text."""
        return "\n".join(written(message) for message in self.messages(channel))

    def alert(self, *alerts: dict[str, Any], token: str | None = None) -> requests.Response:
        """Alertmanager delivers alerts."""
        body = {"version": "4", "status": "firing", "receiver": "musd-bot", "groupKey": "{}", "alerts": list(alerts)}
        return self.deliver(body, token)

    def deliver(self, body: Any, token: str | None = None) -> requests.Response:
        """Any body, as a webhook."""
        return self.http.post(
            self.world["bot"] + "/alertmanager",
            headers={"Authorization": f"Bearer {token or self.world['alertmanager_token']}"},
            **({"data": body} if isinstance(body, bytes) else {"json": body}),
            timeout=120,
        )

    def is_up(self) -> bool:
        """Whether the bot takes work: not between two lives."""
        with contextlib.suppress(requests.ConnectionError):
            return self.http.get(self.world["bot"] + "/readyz", timeout=10).ok
        return False

    def metrics(self) -> dict[str, float]:
        """What the bot says of itself at ``/metrics``: each sample by its name and labels as they stand there."""
        told = self.http.get(self.world["bot"] + "/metrics", timeout=10).text
        lines = (line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def pages(self, action: str = "trigger") -> list[dict[str, Any]]:
        """What PagerDuty's Events API received."""
        return [seen["body"] for seen in self.get("/seen/pagerduty") if seen["body"].get("event_action") == action]

    def break_(self, target: str, fault: str, **arguments: Any) -> None:
        """Break something."""
        self.post("/faults", target=target, fault=fault, **arguments)

    def terminal(self, *arguments: str, **settings: str) -> str:
        """What a command beside the bot prints, `settings` before the bot's own; the world's folder has to be known."""
        assert self.data is not None
        lines = shlex.split((self.data / "bot.env").read_text())
        command = warm.program(*arguments)
        environment = dict(line.split("=", 1) for line in lines) | settings
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return answer.stdout + answer.stderr

    def mend(self) -> None:
        """Mend everything."""
        self.post("/faults", target="all", fault="clear")

    # --- the chain ---------------------------------------------------------------------------------------------------

    def rpc(self, method: str, *parameters: Any) -> Any:
        """Ask the chain itself, past the bot."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        answer = self.http.post(self.world["rpc"], json=body, timeout=60).json()
        assert "error" not in answer, answer
        return answer["result"]

    def paused(self, contract: str) -> bool:
        """What the contract itself says."""
        call = {"to": self.world["contracts"][contract], "data": _PAUSED}
        return bool(int(self.rpc("eth_call", call, "latest"), 16))

    def paused_events(self) -> list[tuple[int, int, str]]:
        """Every Paused event of the four: block, place in the block, contract."""
        names = {self.world["contracts"][name].lower(): name for name in PAUSABLE}
        query = {"fromBlock": "0x0", "toBlock": "latest", "address": list(names), "topics": [_PAUSED_EVENT]}
        logs = self.rpc("eth_getLogs", query)
        return [
            (int(one["blockNumber"], 16), int(one["transactionIndex"], 16), names[one["address"].lower()])
            for one in logs
        ]

    # --- longer stories ----------------------------------------------------------------------------------------------

    def incident(self, slug: str, after: int = 0) -> str:
        """The name of the incident channel of this kind, once its first message is there."""

        def opened() -> str | None:
            found = self.channels(f"-{slug}-")[after:]
            return found[0]["name"] if found and self.messages(found[0]["name"]) else None

        return until(opened)

    def nothing_open(self, slug: str) -> None:
        """End what other tests left open of a runbook, so that its next alert opens an incident."""
        for channel in self.channels(f"-{slug}-"):
            if not channel["is_archived"] and "RESOLVED" not in written(self.messages(channel["name"])[0]):
                self.command("guardian-1", "incident resolve the drill goes on", channel["name"])
                until(lambda name=channel["name"]: "RESOLVED" in written(self.messages(name)[0]))  # type: ignore[misc]

    def propose_pause(
        self, user: str = "responder-1", channel: str = "musd-alerts", contracts: list[str] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """`/musd pause`, filled in; the channel and the message of the Proposal.

        One like it that is open is withdrawn first: two identical ones would be one.
        """
        for message in self.messages(channel):
            if any(button["label"] == "Withdraw" for button in message["buttons"]):
                proposer = re.findall(r"from <@(\w+)>", written(message))
                self.press(proposer[0], message, "Withdraw", channel)
        before = {message["ts"] for message in self.messages(channel)}
        assert self.command(user, "pause", channel)["ok"]
        view = self.modal(user)
        values: dict[str, Any] = {"reason": "an attacker drains the bridge"}
        if contracts is not None:
            values["contracts"] = contracts
        assert self.post("/person/submit", user=user, view_id=view["id"], values=values)["ok"]
        return channel, until(lambda: self.with_button(channel, "Confirm", before))

    def proposal(self, channel: str, title: str) -> Any:
        """The newest Proposal of this title that can still be approved."""
        found = [
            message
            for message in self.messages(channel)
            if f"Proposal: {title}" in written(message)
            and any(button["label"] in {"Approve", "Confirm"} for button in message["buttons"])
        ]
        return found[-1] if found else None

    def with_button(self, channel: str, label: str, but: set[str] | frozenset[str] = frozenset()) -> Any:
        """The newest message with this button."""
        found = [
            message
            for message in self.messages(channel)
            if message["ts"] not in but and any(button["label"] == label for button in message["buttons"])
        ]
        return found[-1] if found else None


def until(ask: Callable[[], T | None], seconds: float = 90) -> T:
    """Ask again until there is an answer; the limit is for a machine that is busy with other things too."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"this did not come true within {seconds:g} s: {ask}")


def share_price(practice: Practice, decimals: int) -> float:
    """What the chain itself says one whole share of smUSD is worth, in mUSD."""
    call = {"to": practice.world["contracts"]["SMUSD"], "data": f"0x07a2d13a{10**decimals:064x}"}
    return int(practice.rpc("eth_call", call, "latest"), 16) / 10**18


def firing(name: str = "RelayServiceDown", severity: str | None = "critical", **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager sends it."""
    named = {"alertname": name, **({"severity": severity} if severity else {}), **labels}
    return {
        "status": "firing",
        "labels": named,
        "annotations": {"summary": f"{name} is not well"},
        "startsAt": NOW,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"{hash(tuple(sorted(named.items()))) & 0xFFFFFFFFFFFFFFFF:016x}",
    }


def resolved(alert: dict[str, Any]) -> dict[str, Any]:
    """The same alert, over."""
    return alert | {"status": "resolved", "endsAt": "2026-11-24T03:10:00Z"}


def written(message: dict[str, Any]) -> str:
    """All the text of a message, wherever it stands in its blocks."""
    return "\n".join([message["text"] or "", *_texts(message["blocks"] or [])])


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield node["text"]
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _clean_environment() -> dict[str, str]:
    """The tests' environment without anything that a drill refuses as production's."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MUSD_", "SLACK_", "AWS_", "PAGERDUTY_", "KUBE")) or key == "MUSD_ANVIL"
    }
