"""Backup and restore of the ledger's database, against a real PostgreSQL and the real chain of the practice world."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bot.actions.backup import BackUp
from bot.actions.restore import RestoreDatabase
from bot.adapters.backup_places import Folder
from bot.adapters.kube_api import KubeApi
from bot.domain.action import Outcome
from bot.drill.cluster import Cluster, Run
from bot.drill.database import Database
from bot.errors import RefusedError
from bot.ports import Infrastructure, Writes
from tests.actions.conftest import ended
from tests.world.bench import Bench, Mortal, proposed
from tests.world.ledger_database import in_pod

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def bench(
    cluster: Cluster, infra: Infrastructure, database: Database, writes: Writes, tmp_path: Path
) -> AsyncIterator[Bench]:
    """Everything a restore is handed: its ledger has the supply it always had."""
    assert database.binaries
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)

    async def supply() -> Decimal:
        return Decimal(1_000_000)

    ledger = in_pod(kube, Folder(tmp_path / "backups"))
    changed = replace(infra, database=ledger, canton_supply=supply, patience=timedelta(seconds=6))
    yield Bench(replace(writes, infra=changed))
    await kube.close()


async def a_backup(bench: Bench) -> str:
    receipt = await bench.run(BackUp())
    assert receipt.complete, receipt
    return str(receipt.steps[0].evidence["backup"])


def restore(backup: str) -> RestoreDatabase:
    return RestoreDatabase(backup=backup, database="canton_ledger")


async def test_a_backup_says_what_it_is_known_by(bench: Bench) -> None:
    [step] = (await bench.run(BackUp())).steps
    assert step.evidence["checksum"].startswith("sha256:")
    assert (step.evidence["tables"], step.evidence["ledger end"]) == ("3, 5,501 rows", "48200")


async def test_a_restore_brings_back_what_was_backed_up(bench: Bench, database: Database, cluster: Cluster) -> None:
    before = await database.dump()
    backup = await a_backup(bench)
    await database.ask("DELETE FROM lapi_events_create WHERE event_offset > 100")
    receipt = await bench.run(restore(backup))
    assert receipt.complete, receipt
    assert await database.dump() == before
    assert bench.writes.pause
    assert (receipt.steps[0].name, await bench.writes.pause.paused("BLE_BRIDGE")) == ("Pause the bridge", True)
    replicas = {
        item["metadata"]["name"]: item["spec"]["replicas"] for item in cluster.state.store.all_of("deployments", "musd")
    }
    assert set(replicas.values()) == {1}


async def test_a_ledger_that_was_set_back_keeps_the_relay_stopped(
    bench: Bench, database: Database, cluster: Cluster
) -> None:
    backup = await a_backup(bench)
    await database.ask("UPDATE lapi_parameters SET ledger_end = 50000")
    receipt = await bench.run(restore(backup))
    assert ended(receipt)["Reconcile"] is Outcome.HANDED
    assert ended(receipt)["Start musd-relay"] is Outcome.HANDED
    [relay] = [
        one for one in cluster.state.store.all_of("deployments", "musd") if one["metadata"]["name"] == "musd-relay"
    ]
    assert relay["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (1, "ERROR:  could not extend file: No space left on device", "could not extend file: No space left on device"),
        (137, "", "was killed (exit 137, out of memory as a rule)"),
    ],
)
async def test_a_restore_that_fails_leaves_the_database_as_it_was_and_says_how_to_go_on(
    bench: Bench, database: Database, cluster: Cluster, tmp_path: Path, code: int, said: str, words: str
) -> None:
    async def half_way(run: Run) -> int:
        await run.stdin.read()
        return await run.fail(said, code)

    backup = await a_backup(bench)
    await database.ask("DELETE FROM lapi_events_create WHERE event_offset > 100")
    before = await database.dump()
    cluster.on_exec(["pg_restore", "-U"], half_way)
    receipt = await bench.run(restore(backup))
    [step] = [one for one in receipt.steps if one.name == "Restore beside it"]
    assert (step.outcome, words in step.text) == (Outcome.FAILED, True), step
    assert await database.dump() == before
    assert any("propose the restore again" in note for note in receipt.notes)
    assert any(name.name.startswith("canton_ledger-safety-") for name in (tmp_path / "backups").iterdir())


async def test_a_death_at_any_step_loses_nothing(bench: Bench, database: Database) -> None:
    before = await database.dump()
    backup = await a_backup(bench)
    await database.ask("DELETE FROM lapi_events_create WHERE event_offset > 100")
    journal = Mortal("restore")
    receipt = await bench.run(restore(backup), journal)
    assert receipt.complete, receipt
    assert (await database.dump(), journal.deaths) == (before, 2 * len(journal.finished))


async def test_another_databases_name_is_refused(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="The ledger's database is canton_ledger, not 'postgres'"):
        await proposed(RestoreDatabase(backup="x", database="postgres"), bench.writes)


async def test_a_backup_that_is_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="no complete backup called 'x'"):
        await proposed(restore("x"), bench.writes)
