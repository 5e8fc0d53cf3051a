"""Backups and restores of a real PostgreSQL, by its own programs executed in its pod."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pyrage
import pytest
import pytest_asyncio

from bot.adapters.backup_places import Bucket, Folder
from bot.adapters.kube_api import KubeApi
from bot.adapters.postgres import PostgresInPod
from bot.adapters.sealed_backups import Sealed
from bot.drill.aws import Aws
from bot.drill.cluster import Cluster
from bot.drill.database import Database
from bot.errors import RefusedError, UnavailableError
from bot.ports import LedgerDatabase
from tests.world.ledger_database import in_pod

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]
NAME = "canton_ledger-20260304T031415Z.dump"
FRESH = "canton_ledger_fresh"


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    one.state.pace = 0.1
    await one.start(tmp_path / "cluster")
    yield one
    await one.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(cluster: Cluster, database: Database, tmp_path: Path) -> AsyncIterator[PostgresInPod]:
    assert database.binaries
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    yield in_pod(kube, Folder(tmp_path / "backups"))
    await kube.close()


async def unheard(_: str) -> None:
    """Nobody listens."""


async def test_the_port_is_fulfilled(ledger: PostgresInPod) -> None:
    port: LedgerDatabase = ledger
    assert port.name == "canton_ledger"


async def test_a_backup_is_described_by_what_is_in_it(ledger: PostgresInPod) -> None:
    dump = await ledger.back_up(NAME, unheard)
    assert dump.contents.rows == {
        "public.lapi_events_create": 4000,
        "public.lapi_parameters": 1,
        "public.par_active_contracts": 1500,
    }
    assert (dump.contents.ledger_end, dump.entries > 3, len(dump.sha256)) == ("48200", True, 64)
    assert await ledger.backups() == [dump]


async def test_a_restored_database_is_what_was_backed_up(ledger: PostgresInPod, database: Database) -> None:
    before = await database.dump()
    dump = await ledger.back_up(NAME, unheard)
    await database.ask("DELETE FROM lapi_events_create WHERE event_offset > 100")
    await ledger.load(dump, FRESH, unheard)
    assert await ledger.contents(FRESH) == dump.contents
    await ledger.swap(FRESH, "canton_ledger_before")
    assert await database.dump() == before
    assert {"canton_ledger", "canton_ledger_before"} <= set(await ledger.databases())
    assert FRESH not in await ledger.databases()


async def test_an_encrypted_backup_is_restored_as_well(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    assert database.binaries
    (tmp_path / "identity").write_text(str(pyrage.x25519.Identity.generate()))
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    ledger = in_pod(kube, Sealed(Folder(tmp_path / "backups"), tmp_path / "identity"))
    dump = await ledger.back_up(NAME, unheard)
    await ledger.load(dump, FRESH, unheard)
    found = await ledger.contents(FRESH)
    await kube.close()
    assert (found, dump.encrypted[:8]) == (dump.contents, "age, age")
    assert (tmp_path / "backups" / f"{NAME}.age").read_bytes().startswith(b"age-encryption.org/v1\n")


async def test_loading_twice_ends_in_the_same(ledger: PostgresInPod) -> None:
    dump = await ledger.back_up(NAME, unheard)
    await ledger.load(dump, FRESH, unheard)
    await ledger.load(dump, FRESH, unheard)
    assert await ledger.contents(FRESH) == dump.contents


async def test_a_bucket_serves_as_well(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    aws = Aws()
    await aws.start(tmp_path / "aws")
    os.environ |= {"AWS_ACCESS_KEY_ID": aws.access_key, "AWS_SECRET_ACCESS_KEY": aws.secret_key}
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    ledger = in_pod(kube, Bucket(aws.bucket, region=aws.region, prefix="ledger/", endpoint_url=aws.url))
    dump = await ledger.back_up(NAME, unheard)
    await ledger.load(dump, FRESH, unheard)
    found = await ledger.contents(FRESH)
    listed = await ledger.backups()
    await kube.close()
    await aws.stop()
    assert database.socket.exists()
    assert (found, listed) == (dump.contents, [dump])


async def test_half_a_dump_is_no_backup(cluster: Cluster, ledger: PostgresInPod, tmp_path: Path) -> None:
    # The first command is the session that holds the snapshot; it says little more than a line.
    await cluster.inflict({"fault": "exec-exit", "after": 2000, "code": 137, "times": 2})
    with pytest.raises(UnavailableError, match="exit 137"):
        await ledger.back_up(NAME, unheard)
    assert (await ledger.backups(), list((tmp_path / "backups").iterdir())) == ([], [])


async def test_a_pod_that_goes_away_under_a_dump_leaves_nothing(cluster: Cluster, ledger: PostgresInPod) -> None:
    await cluster.inflict({"fault": "pod-gone-mid-exec", "after": 10})
    with pytest.raises(UnavailableError, match="the pod or the connection went away"):
        await ledger.back_up(NAME, unheard)
    assert await ledger.backups() == []


async def test_a_database_that_is_down_says_so(cluster: Cluster, ledger: PostgresInPod) -> None:
    await cluster.inflict({"fault": "postgres-down"})
    with pytest.raises(RefusedError, match="connection to server on socket"):
        await ledger.back_up(NAME, unheard)


async def test_a_database_that_is_not_there_is_named(cluster: Cluster, database: Database, tmp_path: Path) -> None:
    assert database.binaries
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    with pytest.raises(RefusedError, match='database "canton_leger" does not exist'):
        await in_pod(kube, Folder(tmp_path / "backups"), name="canton_leger").back_up(NAME, unheard)
    await kube.close()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda dump: dump + b"x", "is not what was written: its checksum is"),
        (lambda dump: dump[:-400], "pg_restore in canton-postgres-0 ended with exit code 1"),
    ],
)
async def test_a_changed_backup_is_not_loaded(
    ledger: PostgresInPod, tmp_path: Path, changed: Callable[[bytes], bytes], words: str
) -> None:
    dump = await ledger.back_up(NAME, unheard)
    path = tmp_path / "backups" / NAME
    path.write_bytes(changed(path.read_bytes()))
    with pytest.raises(RefusedError, match=words):
        await ledger.load(dump, FRESH, unheard)


async def test_a_full_disk_leaves_no_backup(ledger: PostgresInPod, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / NAME).with_suffix(".part").symlink_to("/dev/full")
    with pytest.raises(UnavailableError, match="can't be written: No space left on device"):
        await ledger.back_up(NAME, unheard)
    assert (list(folder.iterdir()), await ledger.backups()) == ([], [])


@pytest.mark.parametrize("name", ["x; DROP DATABASE canton_ledger", 'a"b', "", "Ledger", "x" * 70])
async def test_a_name_that_is_none_gets_into_no_statement(ledger: PostgresInPod, name: str) -> None:
    with pytest.raises(RefusedError, match="no database's name"):
        await ledger.swap(name, "canton_ledger_before")
