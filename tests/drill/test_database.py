"""The practice ledger's database: PostgreSQL's own programs, executed in its pod."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.drill.cluster import Cluster
from bot.drill.database import Database
from tests.world.cluster import run_in

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]
POD = "canton-postgres-0"


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    await one.start(tmp_path / "cluster")
    yield one
    await one.stop()


async def test_the_runbooks_backup_and_restore_do_what_they_say(cluster: Cluster, database: Database) -> None:
    code, dump, _ = await run_in(cluster, POD, "pg_dump", "-U", "canton", "canton_ledger")
    assert (code, b"lapi_parameters" in dump) == (0, True)
    before = await database.dump()
    await database.ask("DROP TABLE lapi_parameters, lapi_events_create, par_active_contracts")
    code, _, errors = await run_in(cluster, POD, "psql", "-q", "-U", "canton", "canton_ledger", stdin=dump)
    assert (code, errors, await database.dump()) == (0, b"", before)


async def test_a_program_that_fails_says_so_and_with_which_code(cluster: Cluster, database: Database) -> None:
    code, _, errors = await run_in(cluster, POD, "pg_dump", "-U", "canton", "nothing")
    assert (code, b'database "nothing" does not exist' in errors, database.socket.exists()) == (1, True, True)
