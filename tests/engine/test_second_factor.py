"""The second factor over a real store: single use, counted tries, no secret kept."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from pydantic import SecretStr

from bot.adapters.store import SqlStore, migrate
from bot.engine.second_factor import SecondFactor
from bot.errors import RefusedError

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SECRET = SecretStr("a secret that is long enough for this")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/bot.db"
    await migrate(url)
    opened = SqlStore(url)
    yield opened
    await opened.close()


async def enrolled(store: SqlStore, person: str = "G") -> tuple[SecondFactor, pyotp.TOTP]:
    factor = SecondFactor(store, SECRET)
    return factor, pyotp.TOTP((await factor.enrol(person, "test")).secret)


async def test_the_code_of_now_is_taken(store: SqlStore) -> None:
    factor, totp = await enrolled(store)
    await factor.check("G", totp.at(NOW), NOW)


@pytest.mark.parametrize("off", [-30, 30])
async def test_a_clock_may_be_half_a_minute_off(store: SqlStore, off: int) -> None:
    factor, totp = await enrolled(store)
    await factor.check("G", totp.at(NOW + timedelta(seconds=off)), NOW)


@pytest.mark.parametrize("off", [-90, 90])
async def test_a_code_of_another_time_is_not_taken(store: SqlStore, off: int) -> None:
    factor, totp = await enrolled(store)
    with pytest.raises(RefusedError, match="not right now"):
        await factor.check("G", totp.at(NOW + timedelta(seconds=off)), NOW)


async def test_a_code_is_taken_once(store: SqlStore) -> None:
    factor, totp = await enrolled(store)
    await factor.check("G", totp.at(NOW), NOW)
    with pytest.raises(RefusedError, match="used already"):
        await factor.check("G", totp.at(NOW), NOW)


async def test_an_older_code_is_not_taken_after_a_newer_one(store: SqlStore) -> None:
    factor, totp = await enrolled(store)
    await factor.check("G", totp.at(NOW), NOW)
    with pytest.raises(RefusedError, match="used already"):
        await factor.check("G", totp.at(NOW - timedelta(seconds=30)), NOW)


async def test_somebody_elses_code_is_not_taken(store: SqlStore) -> None:
    factor, _ = await enrolled(store)
    _, other = await enrolled(store, "H")
    with pytest.raises(RefusedError, match="not right now"):
        await factor.check("G", other.at(NOW), NOW)


async def test_after_five_wrong_ones_the_right_one_waits_as_well(store: SqlStore) -> None:
    factor, totp = await enrolled(store)
    for _ in range(5):
        with pytest.raises(RefusedError, match="not right now"):
            await factor.check("G", "000000", NOW)
    with pytest.raises(RefusedError, match="5 codes"):
        await factor.check("G", totp.at(NOW), NOW)


async def test_a_quarter_of_an_hour_later_it_is_taken(store: SqlStore) -> None:
    factor, totp = await enrolled(store)
    for _ in range(7):
        with pytest.raises(RefusedError):
            await factor.check("G", "000000", NOW)
    later = NOW + timedelta(minutes=15)
    await factor.check("G", totp.at(later), later)


async def test_enrolling_again_ends_the_old_authenticator(store: SqlStore) -> None:
    _, old = await enrolled(store)
    factor, _ = await enrolled(store)
    with pytest.raises(RefusedError, match="not right now"):
        await factor.check("G", old.at(NOW), NOW)


async def test_without_the_bots_secret_nothing_is_taken(store: SqlStore) -> None:
    with pytest.raises(RefusedError, match="none set up"):
        await SecondFactor(store, SecretStr("")).check("G", "123456", NOW)


async def test_no_secret_is_in_the_database(store: SqlStore, tmp_path: Path) -> None:
    _, totp = await enrolled(store)
    await store.close()
    kept = (tmp_path / "bot.db").read_bytes()
    assert re.search(re.escape(totp.secret.encode()), kept) is None
