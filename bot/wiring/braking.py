"""The pause from a terminal, over real adapters: the store where it answers, a file where it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.adapters import local_record
from bot.adapters.local_record import IMPORTED, LocalRecord
from bot.adapters.store import SqlStore, revisions
from bot.domain.action import Receipt
from bot.domain.approval import Proposal, Vote
from bot.engine import braking
from bot.engine.leader import leader_lock
from bot.engine.second_factor import SecondFactor, check_alone
from bot.errors import BotError, RefusedError
from bot.ports import Progress, Roster, Store, Writes
from bot.settings import Settings
from bot.wiring.adapters import databases, ethereum, writes
from bot.wiring.people import configured

_PATIENCE = 3.0
"""Seconds that the store gets to answer: a pause waits no longer for a record."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Brake:
    """Everything a pause from a terminal is carried out with."""

    settings: Settings
    store: Store | None
    """None where it does not answer, or shall not be used."""
    why_alone: str
    record: LocalRecord
    """Written only without the store."""
    writes: Writes
    roster: Roster

    async def prove(self, person: str, code: str) -> None:
        """Take a one-time code, once where the store can be asked; without it only the code itself is looked at.

        Raises:
            RefusedError: it is wrong or used, there were too many, or nobody has enrolled this person.
        """
        secret, now = self.settings.second_factor_secret, datetime.now(UTC)
        if self.store is None:
            check_alone(secret, person, self.settings.terminal[person], code, now)
        else:
            await SecondFactor(self.store, secret).check(person, code, now)

    async def send(self, proposal: Proposal, vote: Vote, say: Progress) -> Receipt:
        """By the running bot where one leads, else here."""
        standings = await braking.may(self.roster, proposal.proposer)
        if self.store is None:
            told = braking.telling(self.writes, say)
            return await braking.alone(self.record, proposal, vote, standings, told)
        lock = leader_lock(databases(self.settings)[0])
        if not await lock.acquire(wait=False):
            return await braking.by_leader(self.store, proposal, vote, say)
        try:
            return await braking.here(self.store, proposal, vote, standings, braking.telling(self.writes, say))
        finally:
            await lock.release()


@asynccontextmanager
async def brake(settings: Settings, name: str, *, alone: bool) -> AsyncIterator[Brake]:
    """Unlock the key and find the store.

    Args:
        settings: of this process.
        name: of the file that is written without the store.
        alone: do without the store, whether it answers or not.
    """
    async with AsyncExitStack() as stack:
        store, why = (None, "you asked for it") if alone else await _store(settings, stack)
        record = LocalRecord(_folder(settings) / f"{name}.jsonl")
        rpcs = ethereum(settings, stack)
        yield Brake(
            settings=settings,
            store=store,
            why_alone=why,
            record=record,
            writes=await writes(settings, rpcs, store or record, stack),
            roster=configured(settings),
        )


async def _store(settings: Settings, stack: AsyncExitStack) -> tuple[SqlStore | None, str]:
    """The state of record, where it answers and is of this version; else why not."""
    url = databases(settings)[0]
    try:
        async with asyncio.timeout(_PATIENCE):
            at, newest = await revisions(url)
    except TimeoutError:
        return None, f"the database did not answer within {_PATIENCE:g} s"
    except BotError as error:
        return None, error.happened
    except Exception as error:  # noqa: BLE001 - whatever a database answers, the pause goes on without it
        return None, f"the database can't be used ({type(error).__name__})"
    if at != newest:
        return None, "there is no database of this version"
    store = SqlStore(url)
    stack.push_async_callback(store.close)
    return store, ""


async def import_records(settings: Settings, store: Store) -> None:
    """Put what terminals wrote while the store was away into its audit log; the files are kept, under another name."""
    for path in sorted(_folder(settings).glob("*.jsonl")):
        try:
            rows = local_record.read(path)
        except BotError as error:
            log.error("a terminal's record is not imported", file=str(path), why=error.sentences())  # noqa: TRY400
            continue
        for row in rows:
            await store.audit(row)
        path.rename(path.with_name(path.name + IMPORTED))
        log.warning("a terminal's record was imported into the audit log", file=str(path), rows=len(rows))


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "terminal"


def identity(settings: Settings, named: str) -> str:
    """Who confirms here, by Slack user id.

    Raises:
        RefusedError: nobody of that name is configured, or several are and none was named.
    """
    people = settings.terminal
    if not named and len(people) == 1:
        named = next(iter(people))
    if named not in people:
        raise RefusedError(
            f"{named} is not configured for the terminal." if named else "Who are you?",
            means="Nothing was sent.",
            next_step=f"Say it with --as, one of: {', '.join(people) or 'nobody (set MUSD_TERMINAL_PEOPLE)'}.",
        )
    return named
