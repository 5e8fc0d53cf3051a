"""The ledger's PostgreSQL behind the practice cluster: a real part, like the cluster's own kubectl."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.kube_api import KubeApi
from bot.adapters.pod_exec import PodExec
from bot.adapters.postgres import PostgresInPod
from bot.drill.cluster import Cluster
from bot.drill.database import Database

_FILL = r"""
WITH chunks AS MATERIALIZED (
  SELECT k, (SELECT translate(encode(decode(string_agg(md5(random()::text || k || i), ''), 'hex'), 'base64'), E'\n', '')
    FROM generate_series(1, 48) AS i) AS chunk FROM generate_series(0, 99) AS k)
INSERT INTO lapi_events_create SELECT 4000 + n, chunk || n, decode(md5(n::text), 'hex')
  FROM generate_series(1, {rows}) AS n JOIN chunks ON k = n % 100"""
"""Rows of about a kilobyte. What they repeat lies further apart than a compressor looks back: none of it is saved."""
_ROW = 1150
"""Bytes that one of them takes."""


def needed(database: Database) -> None:
    """Skip, or fail where real parts are required, unless this machine has a PostgreSQL server."""
    if database.binaries is None:
        if os.environ.get("MUSD_TEST_REQUIRE_REAL") == "1":
            pytest.fail("there is no PostgreSQL server, and MUSD_TEST_REQUIRE_REAL=1 wants one")
        pytest.skip("there is no PostgreSQL server on this machine")


@pytest_asyncio.fixture(loop_scope="module")
async def database(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Database]:
    """One behind the test's own cluster, begun when something first wants it."""
    one = Database()
    needed(one)
    one.behind(cluster, tmp_path / "database")
    yield one
    await one.stop()


def in_pod(kube: KubeApi, place: Any, name: str = "canton_ledger") -> PostgresInPod:
    """The bot's own hands on it, with backups at this place."""
    pod = PodExec(kube, "app=canton-postgres")
    return PostgresInPod(pod, place, name=name, user="canton", data="/var/lib/postgresql/data")


class DrillsDatabase:
    """The ledger's database of a running drill, past its bot: whatever is asked is executed in the pod."""

    def __init__(self, kubeconfig: Path | str) -> None:
        self._kubeconfig = Path(kubeconfig)

    def ask(self, sql: str) -> str:
        """What it answers, unaligned and without headers."""
        return asyncio.run(self._asked(sql))

    def fill(self, mib: int) -> None:
        """Make it at least so large."""
        self.ask(_FILL.format(rows=mib * 2**20 // _ROW))

    def digest(self) -> str:
        """Of its tables' contents, byte for byte as `pg_dump` writes them."""
        return asyncio.run(self._digested())

    async def _asked(self, sql: str) -> str:
        async with self._pod() as pod:
            command = ["psql", "-U", "canton", "-d", "canton_ledger", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql]
            return (await pod.text(command)).strip()

    async def _digested(self) -> str:
        digest, held = hashlib.sha256(), b""
        async with self._pod() as pod, pod.run(["pg_dump", "-U", "canton", "--data-only", "canton_ledger"]) as running:
            async for piece in running.pieces():
                *lines, held = (held + piece).split(b"\n")
                for line in lines:
                    # Newer clients write a random word there, so that a dump can't smuggle in commands.
                    if not line.startswith((b"\\restrict", b"\\unrestrict")):
                        digest.update(line)
            running.insist()
        return digest.hexdigest()

    @asynccontextmanager
    async def _pod(self) -> AsyncIterator[PodExec]:
        kube = KubeApi("musd", self._kubeconfig, context="writer", timeout=60)
        try:
            yield PodExec(kube, "app=canton-postgres")
        finally:
            await kube.close()
