"""The real kubectl against a practice cluster: a real part, without which tests are skipped, or fail if they must."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_OLDEST = (1, 30)
"""Older ones have no exec over WebSocket."""


def needed() -> None:
    """Skip, or fail where real parts are required, unless this machine has one that is new enough."""
    if why := _missing():
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail(f"the real kubectl is required: {why}")
        pytest.skip(f"needs kubectl 1.30 or newer: {why}")


def _missing() -> str:
    """Why there is no kubectl to be held to; empty where there is one."""
    path = shutil.which("kubectl")
    if path is None:
        return "no kubectl on the PATH"
    shown = subprocess.run([path, "version", "--client", "-o", "json"], capture_output=True, text=True, check=False)
    found = re.search(r'"gitVersion": "v(\d+)\.(\d+)', shown.stdout)
    if found is None:
        return f"{path} does not tell its version: {shown.stderr.strip()}"
    version = (int(found[1]), int(found[2]))
    return "" if version >= _OLDEST else f"{path} is {version[0]}.{version[1]}, too old for exec over WebSocket"


def environment(kubeconfig: Path | str, home: Path) -> dict[str, str]:
    """What it finds itself in: that cluster, as the one who may change it, and nothing of this machine's."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(kubeconfig)}


class Terminal:
    """A shell in which somebody types a runbook's lines, word for word."""

    def __init__(self, kubeconfig: Path | str, home: Path) -> None:
        self.home = home
        """Where it is."""
        self._environment = environment(kubeconfig, home)

    def refused(self, line: str) -> str:
        """What a line that does not go through complains of."""
        ended = self._ended(line, {})
        assert ended.returncode != 0
        return ended.stderr

    def type(self, line: str, **variables: str) -> str:
        """What a line answers, with these shell variables set. One that fails fails the test."""
        ended = self._ended(line, variables)
        assert ended.returncode == 0, f"{line}: {ended.stderr}"
        return ended.stdout

    def _ended(self, line: str, variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=self._environment | variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
