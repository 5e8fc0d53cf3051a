"""A metric breaks: Prometheus, Alertmanager, page, channel, people. It mends: resolved everywhere.

And what the bot says of the protocol, kept by Prometheus for a day, comes back as pictures.
"""

import asyncio
import contextlib
import io
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from PIL import Image

from bot.adapters.prometheus import PrometheusHistory
from bot.domain.series import Sample, Series
from bot.engine.pictures import EVERY
from bot.views.chart import HEIGHT
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
DAY = {
    Series.RESERVE_RATIO: (101.0, 93.25),
    Series.SHARE_PRICE: (1.05, 0.9875),
    Series.ORACLE_PRICE: (0.16, 0.0625),
    Series.ORACLE_AGE: (0.5, 42.0),
    Series.SUPPLY: (28.5, 41.25),
    Series.CAP: (40.0, 40.0),
    Series.LIQUIDATIONS: (0.0, 37.0),
}
"""What yesterday was like by what the bot exported: as a rule, and for an hour around its middle."""
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


@dataclass
class Watched:
    """A practised bot whose metrics a real Prometheus keeps, and whose alerts come from it."""

    practice: Practice
    exporter: Exporter
    url: str


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Prometheus remembers the day before; the bot is asked for samples every second."""
    folder, exporter = tmp_path_factory.mktemp("prometheus"), Exporter()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"recheck": "1", "sample_every": "1", "prometheus_url": f"http://{address}"}
    practice = Practice(*(word for name, value in settings.items() for word in ("--set", f"{name}={value}")))
    try:
        remember(folder, practice.world["bot"])
        with (
            alertmanager(practice, folder) as manager,
            prometheus(folder, address, exporter, manager.url, practice.world["bot"]) as url,
        ):
            yield Watched(practice, exporter, url)
    finally:
        practice.stop()
        exporter.server.shutdown()


def remember(folder: Path, bot: str) -> None:
    """Have Prometheus know what the bot would have said for a day, every five minutes until now."""
    now, lines = time.time(), []
    labels = f'{{instance="{bot.removeprefix("http://")}",job="musd-bot"}}'
    for one, (usual, odd) in DAY.items():
        lines.append(f"# TYPE musd_{one.value} gauge")
        for minutes in range(24 * 60, 4, -5):
            value = odd if 11 * 60 < minutes < 12 * 60 else usual
            lines.append(f"musd_{one.value}{labels} {value} {now - minutes * 60:.3f}")
    (folder / "day.txt").write_text("\n".join([*lines, "# EOF", ""]))
    importing = ["tsdb", "create-blocks-from", "openmetrics", str(folder / "day.txt"), str(folder / "tsdb")]
    done = subprocess.run([binary("promtool"), *importing], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def prometheus(folder: Path, address: str, exporter: Exporter, manager: str, bot: str) -> Iterator[str]:
    """A running Prometheus; its URL."""
    program = binary("prometheus") if not Path("/usr/bin/prometheus").exists() else "/usr/bin/prometheus"
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


def test_a_metric_breaks_and_mends(watched: Watched) -> None:
    """One story through the real chain of alerting, all eight alerts at once."""
    practice, exporter = watched.practice, watched.exporter
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
    seen = until(lambda: series(watched.url, 'musd_signals_total{severity="critical",status="firing"}'))
    assert float(seen[0]["value"][1]) == len(CRITICAL)

    exporter.values = dict(WELL)
    until(lambda: resolved(practice) == triggered(practice), 120)
    for one in incidents:
        until(lambda one=one: "RESOLVED" in written(practice.messages(one["name"])[0]))
    until(lambda: "OraclePriceStale is resolved" in practice.said("musd-alerts"))


@pytest.mark.parametrize("one", Series)
def test_what_the_bot_exports_comes_back_as_the_series_of_a_picture(watched: Watched, one: Series) -> None:
    samples = until(lambda: ends_as_exported(watched, one))
    usual, odd = DAY[one]
    assert [sample.value for sample in samples[:100]] == [usual] * 100
    assert odd in {sample.value for sample in samples}
    assert samples[-1].at - samples[0].at > timedelta(hours=23)


def ends_as_exported(watched: Watched, one: Series) -> Sequence[Sample] | None:
    """The series over a day, once its newest sample is what the bot says at this moment."""
    samples = asyncio.run(PrometheusHistory(watched.url).series(one, timedelta(hours=24)))
    now = watched.practice.metrics()[f"musd_{one.value}"]
    # The age is another at every reading, and grows between the two that are compared here.
    close = now == pytest.approx(samples[-1].value, abs=0.2 if one is Series.ORACLE_AGE else 1e-9)
    return samples if close else None


def test_the_status_draws_the_five_pictures_of_it_with_their_thresholds(watched: Watched) -> None:
    practice = watched.practice
    before = {one["id"] for one in practice.get("/person/files")}
    assert practice.command("responder-1", "status", "musd-infra")["ok"]

    def uploaded() -> dict[str, str] | None:
        files = [one for one in practice.get("/person/files") if one["id"] not in before]
        # An incident's diagnosis may draw one of its own meanwhile.
        return next((one for one in files if one["content_type"] == "image/png" and "surge at" in one["alt"]), None)

    picture = until(uploaded)
    for words in (
        "between 93.25 and 101.",
        "monitor at 99.00, pause mints at 95.00, pause all at 90.00",
        "between 0.9875 and 1.0",
        "5 % lower at ",
        "between 0.0625 and 0.16",
        "and 42 in 24 hours, stale at 60",
        "and 41.25 in 24 hours, cap at 40.00",
        "and 37 in 24 hours, surge at 20",
    ):
        assert words in picture["alt"]

    image = Image.open(io.BytesIO(practice.http.get(picture["url"], timeout=10).content)).convert("RGB")
    panels = image.height // HEIGHT
    assert panels == len(EVERY) + 1  # the oracle's price has its age below it
    for panel in range(panels):
        colours = image.crop((0, panel * HEIGHT, image.width // 4, (panel + 1) * HEIGHT)).getcolors(1 << 16)
        assert (0, 114, 178) in {colour for _, colour in colours}  # the line, in yesterday's first hours


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
