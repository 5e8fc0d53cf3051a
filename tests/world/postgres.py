"""A throwaway PostgreSQL for the tests: the system's own server, on a Unix socket, gone when the tests are.

It is a real part: without its binaries the tests that want it are skipped, or fail where MUSD_TEST_REQUIRE_REAL=1.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_USER = "postgres"
_READY_SECONDS = 30


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    binaries: Path
    socket: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own clients against it; its output."""
        command = (str(self.binaries / program), "-h", str(self.socket), "-U", _USER, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def new_database(self) -> str:
        """Make an empty database; its URL, as an operator would write it."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.run("createdb", name)
        return f"postgresql://{_USER}@/{name}?host={self.socket}"


def binaries_or_skip() -> Path:
    """Where PostgreSQL's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
        pytest.fail("there is no PostgreSQL server in /usr/lib/postgresql, and MUSD_TEST_REQUIRE_REAL=1 wants one")
    pytest.skip("there is no PostgreSQL server in /usr/lib/postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of a run. It refuses to run as root, so as root it runs as the user postgres."""
    binaries = binaries_or_skip()
    # Not pytest's own folder: nobody but its owner may look into that one.
    folder = Path(tempfile.mkdtemp(prefix="musd-pg-"))
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
        other = {"user": _USER, "cwd": folder}
    data = folder / "data"
    make = f"-U {_USER} --auth=trust --no-sync --encoding=UTF8 --locale=C".split()
    subprocess.run([binaries / "initdb", "-D", data, *make], check=True, capture_output=True, **other)
    settings = ("fsync=off", "listen_addresses=", f"unix_socket_directories={folder}")
    options = [part for setting in settings for part in ("-c", setting)]
    server = subprocess.Popen([binaries / "postgres", "-D", data, *options], stderr=subprocess.DEVNULL, **other)
    try:
        _wait_until_ready(binaries, folder)
        yield Postgres(binaries, folder)
    finally:
        server.send_signal(signal.SIGINT)  # the fast way to stop: it doesn't wait for those still connected
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(binaries: Path, folder: Path) -> None:
    until = time.monotonic() + _READY_SECONDS
    while subprocess.run([binaries / "pg_isready", "-q", "-h", folder], check=False).returncode != 0:
        if time.monotonic() > until:
            pytest.fail(f"PostgreSQL was not ready after {_READY_SECONDS} s")
        time.sleep(0.05)


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """An empty PostgreSQL database of the test's own."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own: the test runs twice, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/musd.db"
    url: str = request.getfixturevalue("postgres_url")
    return url
