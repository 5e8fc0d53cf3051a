"""A real Alertmanager that delivers to a practised bot. Without it tests are skipped, or fail where it is required."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.world.practice import Practice, until

_CONFIG = """
route:
  receiver: musd-bot
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: musd-bot
    webhook_configs:
      - url: {url}/alertmanager
        send_resolved: true
        http_config:
          authorization: {{type: Bearer, credentials: "{token}"}}
"""
_CHUNK = 1000


class Alertmanager:
    """A running one."""

    def __init__(self, url: str) -> None:
        self.url = url

    def take(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Alerts as Prometheus posts them."""
        for start in range(0, len(alerts), _CHUNK):
            answer = requests.post(f"{self.url}/api/v2/alerts", json=alerts[start : start + _CHUNK], timeout=30)
            answer.raise_for_status()


def binary(name: str) -> str:
    """Where it is, by either of its names."""
    found = shutil.which(f"prometheus-{name}") or shutil.which(name)
    if found is None:
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(f"there is no {name}, and MUSD_TEST_REQUIRE_REAL=1 wants one")
        pytest.skip(f"there is no {name} on this machine")
    return found


@contextlib.contextmanager
def alertmanager(practice: Practice, folder: Path) -> Iterator[Alertmanager]:
    """Start one that delivers to this practice world's bot."""
    program = binary("alertmanager")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "alertmanager.yml"
    config.write_text(_CONFIG.format(url=practice.world["bot"], token=practice.world["alertmanager_token"]))
    arguments = [f"--config.file={config}", f"--storage.path={folder / 'am'}", "--cluster.listen-address="]
    with (folder / "alertmanager.log").open("w") as log:
        process = subprocess.Popen(
            [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=subprocess.STDOUT
        )
    try:
        running = Alertmanager(f"http://127.0.0.1:{port}")
        until(lambda: _ready(running.url), 20)
        yield running
    finally:
        process.terminate()
        process.wait(10)


def _ready(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/-/ready", timeout=2).ok
    return False
