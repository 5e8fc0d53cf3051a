"""The bot's own database: whether it answers, and whether a start would have to bring it up to date."""

from collections.abc import Sequence
from typing import Any

from bot.adapters.store import revisions
from bot.domain.probe import Finding, Probe, bad, ok
from bot.wiring.checks.check import check


def checks(url: str) -> Sequence[Probe[Any]]:
    """`url` is the database's, as `bot.wiring` reads it from the settings."""

    async def ask() -> Finding:
        at, newest = await revisions(url)
        if at == newest:
            return ok(f"{url.partition(':')[0]}, at revision {at}")
        if at is None:
            return ok(f"{url.partition(':')[0]}, empty: the first start makes its tables")
        return bad(f"at revision {at}, this version wants {newest}", mend="Start `musd-bot serve`: it migrates first.")

    return [check("database", "Database", ask, mend="Check DATABASE_URL or MUSD_DATA_DIR.")]
