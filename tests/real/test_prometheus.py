"""A metric breaks: Prometheus, Alertmanager, page, channel, people. It mends: resolved everywhere."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.world.alertmanager import alertmanager, binary
from tests.world.practice import Practice, until, written

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

RULES = Path(__file__).with_name("runbooks.rules.yml")
WELL = {
    "relay_up": 1.0,
    "validators_up": 3.0,
    "oracle_price_age_seconds": 20.0,
    "supply_of_cap_ratio": 0.8,
    "reserve_ratio": 1.02,
    "liquidations_within_ten_minutes": 0.0,
    "share_price": 1.05,
    "canton_participant_up": 1.0,
}
ILL = {
    "relay_up": 0.0,
    "validators_up": 2.0,
    "oracle_price_age_seconds": 600.0,
    "supply_of_cap_ratio": 1.2,
    "reserve_ratio": 0.94,
    "liquidations_within_ten_minutes": 44.0,
    "share_price": 0.9,
    "canton_participant_up": 0.0,
}
CRITICAL = {
    "Relay Service Down": "musd-infra",
    "Validator Down": "musd-infra",
    "Supply Cap Breach": "musd-security",
    "Reserve Ratio Below Threshold": "musd-protocol-eng",
    "Share": "musd-protocol-eng",
    "Canton": "musd-infra",
}
"""How the title of each critical alert's incident begins or reads, and whose it is."""
_CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: ["{rules}"]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: protocol
    static_configs: [{{targets: ["{exporter}"]}}]
  - job_name: musd-bot
    static_configs: [{{targets: ["{bot}"]}}]
"""


class Exporter:
    """What the protocol's services say of themselves; a test changes `values`."""

    def __init__(self) -> None:
        self.values = dict(WELL)
        exporter = self

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{name} {value}\n" for name, value in exporter.values.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.server.server_address[1]}"


@contextlib.contextmanager
def prometheus(folder: Path, exporter: Exporter, manager: str, bot: str) -> Iterator[str]:
    """A running Prometheus; its address."""
    program = binary("prometheus") if not Path("/usr/bin/prometheus").exists() else "/usr/bin/prometheus"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "prometheus.yml"
    named = {"rules": RULES, "exporter": exporter.address}
    config.write_text(
        _CONFIG.format(alertmanager=manager.removeprefix("http://"), bot=bot.removeprefix("http://"), **named)
    )
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", "--rules.alert.resend-delay=1s"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address={address}"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: _ready(f"http://{address}"))
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)


def _ready(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/-/ready", timeout=2).ok
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Prometheus and Alertmanager keep their files."""
    return tmp_path_factory.mktemp("prometheus")


def test_a_metric_breaks_and_mends(folder: Path) -> None:
    """One story through the real chain of alerting, all eight alerts at once."""
    exporter = Exporter()
    practice = Practice("--set", "recheck=1")
    try:
        with (
            alertmanager(practice, folder) as manager,
            prometheus(folder, exporter, manager.url, practice.world["bot"]) as url,
        ):
            exporter.values = dict(ILL)
            until(lambda: len(triggered(practice)) == len(CRITICAL))
            incidents = until(lambda: len(found := practice.channels("inc-")) == len(CRITICAL) and found)
            for title, team in CRITICAL.items():
                page = until(lambda title=title: next((p for p in practice.pages() if title in summary(p)), None))
                channel = next(one for one in practice.channels("inc-") if page["links"][0]["href"].endswith(one["id"]))
                until(lambda channel=channel, team=team: f"<#{channel['id']}>" in practice.said(team))
            until(lambda: all(len(one["members"]) >= 8 for one in practice.channels("inc-")))
            until(lambda: "OraclePriceStale" in practice.said("musd-alerts"))
            until(lambda: "LiquidationSurge" in practice.said("musd-alerts"))
            seen = until(lambda: series(url, 'musd_signals_total{severity="critical",status="firing"}'))
            assert float(seen[0]["value"][1]) == len(CRITICAL)

            exporter.values = dict(WELL)
            until(lambda: resolved(practice) == triggered(practice), 120)
            for one in incidents:
                until(lambda one=one: "RESOLVED" in written(practice.messages(one["name"])[0]))
            until(lambda: "OraclePriceStale is resolved" in practice.said("musd-alerts"))
    finally:
        practice.stop()
        exporter.server.shutdown()


def triggered(practice: Practice) -> set[str]:
    return {page["dedup_key"] for page in practice.pages()}


def resolved(practice: Practice) -> set[str]:
    return {page["dedup_key"] for page in practice.pages("resolve")}


def summary(page: dict[str, dict[str, str]]) -> str:
    return page["payload"]["summary"]


def series(url: str, query: str) -> list[dict[str, list[str]]]:
    """What Prometheus has scraped from the bot itself."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5).json()
    found: list[dict[str, list[str]]] = answer["data"]["result"]
    return found
