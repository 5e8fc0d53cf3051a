"""A database of 200 MB, backed up and restored: byte for byte the same, and the bot's memory stays small throughout.

It takes minutes, so it runs with `make soak` alone (MUSD_SOAK).
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from bot.drill.cluster import Cluster
from bot.drill.database import Database

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not os.environ.get("MUSD_SOAK"), reason="takes minutes: set MUSD_SOAK, or run make soak"),
]
_MIB = 2**20
_FILL = """INSERT INTO lapi_events_create SELECT n, md5(n::text), decode(
  (SELECT string_agg(md5((n * 31 + k)::text), '') FROM generate_series(1, 40) AS k), 'hex')
  FROM generate_series(4001, 4001 + 290000) AS n"""
_BOT = """
import asyncio, json, resource, sys
from pathlib import Path
from bot.adapters.backup_places import Folder
from bot.adapters.kube_api import KubeApi
from bot.adapters.pod_exec import PodExec
from bot.adapters.postgres import PostgresInPod

async def unheard(_):
    pass

async def main(kubeconfig, folder):
    kube = KubeApi("musd", Path(kubeconfig), context="writer", timeout=30)
    ledger = PostgresInPod(
        PodExec(kube, "app=canton-postgres"), Folder(Path(folder)), name="canton_ledger", user="canton", data="/data"
    )
    dump = await ledger.back_up("large.dump", unheard)
    await ledger.load(dump, "canton_ledger_fresh", unheard)
    same = await ledger.contents("canton_ledger_fresh") == dump.contents
    await kube.close()
    print(json.dumps({"size": dump.size, "same": same, "kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_hundred_megabytes_pass_through_the_bot_and_are_never_held_by_it(tmp_path: Path) -> None:
    cluster, database = Cluster(), Database()
    assert database.binaries, "there is no PostgreSQL server on this machine"
    await cluster.start(tmp_path / "cluster")
    database.behind(cluster, tmp_path / "database")
    await database.ask(_FILL)
    size = int(await database.ask("SELECT pg_database_size('canton_ledger')"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _BOT, str(cluster.kubeconfig), str(tmp_path / "backups")),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    found = json.loads(out)
    same = await database.dump() == await database.dump("canton_ledger_fresh")
    await database.stop()
    await cluster.stop()
    assert size > 200 * _MIB
    assert (found["same"], same, found["kib"] < 300 * 1024) == (True, True, True), found
