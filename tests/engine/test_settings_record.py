"""What a change of settings leaves in the audit log: the names of what changed, and nothing to guess a secret by."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from bot.adapters.store import SqlStore, migrate
from bot.ports import AuditFilter
from bot.wiring.settings_record import SETTINGS, record_settings
from tests.test_settings import settings


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/musd-bot.db"
    await migrate(url)
    store = SqlStore(url)
    yield store
    await store.close()


async def changes(store: SqlStore) -> list[list[str]]:
    return [row.detail["changed"] for row in await store.newest_audit(9, AuditFilter(what=SETTINGS))]


async def test_the_same_settings_again_are_no_change(store: SqlStore) -> None:
    await record_settings(settings(), store)
    await record_settings(settings(), store)

    assert await changes(store) == [[]]


async def test_what_changed_is_named(store: SqlStore) -> None:
    await record_settings(settings(), store)
    await record_settings(settings(slack_bot_token="xoxb-2", chain_id=5), store)

    assert await changes(store) == [["MUSD_CHAIN_ID", "MUSD_SLACK_BOT_TOKEN"], []]


async def test_no_value_is_in_the_row_and_a_secret_has_sixteen_bits(store: SqlStore) -> None:
    await record_settings(settings(slack_bot_token="xoxb-planted-value"), store)

    [row] = await store.newest_audit(1, AuditFilter(what=SETTINGS))

    assert "planted" not in str(row.detail)
    assert len(row.detail["fingerprints"]["MUSD_SLACK_BOT_TOKEN"]) == len("ffff")
