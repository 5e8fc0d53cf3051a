"""The audit log's chain: each way to tamper with it is found, and the row it was done to is named."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.store import SqlStore, migrate
from bot.adapters.store.chain import broken
from bot.adapters.store.record import AuditLink
from bot.ports import AuditRow

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def links(tmp_path: Path) -> AsyncIterator[list[AuditLink]]:
    """Six rows as the store wrote them."""
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    await migrate(url)
    store = SqlStore(url)
    for number in range(6):
        await store.audit(AuditRow(at=NOW, actor="U1", what="command", subject=f"s{number}", detail={"text": "status"}))
    yield list(await store.audit_trail(100))
    await store.close()


def head(links: list[AuditLink]) -> tuple[int, str]:
    """As it is noted elsewhere."""
    return links[-1].seq, links[-1].hash


async def test_what_was_written_holds(links: list[AuditLink]) -> None:
    assert broken(links, head(links)) == []


async def test_one_byte_changed_is_found(links: list[AuditLink]) -> None:
    tampered = [one.model_copy(update={"subject": "S2"}) if one.seq == 3 else one for one in links]

    assert broken(tampered) == ["row 3 was changed: its hash is not the one of what it says"]


async def test_a_change_with_a_hash_made_to_fit_breaks_the_next_row(links: list[AuditLink]) -> None:
    changed = links[2].model_copy(update={"actor": "U2"})
    tampered = [*links[:2], changed.model_copy(update={"hash": changed.computed()}), *links[3:]]

    assert broken(tampered)[0].startswith("row 4 does not follow the row before it")


async def test_a_row_removed_is_found(links: list[AuditLink]) -> None:
    assert broken([*links[:2], *links[3:]])[0] == "row 3 is missing: row 4 comes where it should be"


async def test_two_rows_swapped_are_found(links: list[AuditLink]) -> None:
    assert broken([links[0], links[2], links[1], *links[3:]])[0].startswith("row 2 is missing")


@pytest.mark.parametrize("kept", [5, 0])
async def test_a_tail_cut_off_is_found_by_the_head_that_was_noted(links: list[AuditLink], kept: int) -> None:
    assert broken(links[:kept]) == []
    assert broken(links[:kept], head(links)) == ["row 6 is not there any more: the log was cut off or written anew"]
