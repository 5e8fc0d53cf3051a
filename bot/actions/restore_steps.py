"""The steps of a restore, in order. Each can be done again after a crash, and says what became of it."""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from pydantic import BaseModel, ConfigDict

from bot.actions.backup import backed_up
from bot.actions.bridge import STAGE, pause_first
from bot.actions.rollout import Target, roll, stop
from bot.actions.stages import Stage, told
from bot.domain.action import Outcome, StepResult
from bot.errors import BotError
from bot.ports import Contents, Dump, Infrastructure, Journal, LedgerDatabase, Writes

RELAY, PARTICIPANT = "musd-relay", "canton-participant"
_CATCHING_UP = 30.0
"""Seconds that a participant gets to reach the ledger's end again."""


class Standing(BaseModel):
    """Where the ledger stands."""

    model_config = ConfigDict(frozen=True)

    ledger_end: str = ""
    canton_supply: Decimal | None = None


@dataclass
class Restoring:
    """One execution: what its steps share."""

    dump: Dump
    ledger: LedgerDatabase
    infra: Infrastructure
    writes: Writes
    journal: Journal
    supply_before: Decimal | None = None
    """What there was on Canton, once nothing bridged any more; None where Canton did not answer."""
    end_before: str = ""
    """The ledger's end, once the participant was stopped; empty where the database can't be read."""

    @property
    def mark(self) -> str:
        """Stable over restarts, and of this execution alone."""
        return hashlib.sha256(self.journal.id.encode()).hexdigest()[:8]

    @property
    def fresh(self) -> str:
        """The database that the backup is restored into."""
        return f"{self.ledger.name}_fresh_{self.mark}"

    @property
    def aside(self) -> str:
        """What the present one is called afterwards."""
        return f"{self.ledger.name}_before_{self.mark}"

    @property
    def safety(self) -> str:
        """The name of the backup that is taken first."""
        return f"{self.ledger.name}-safety-{self.mark}.dump"


SWAP = "Swap"


def stages(run: Restoring) -> Sequence[Stage]:
    """All of them, in order. One that is not done ends the restore."""
    validators = run.infra.validators
    return (
        (STAGE, lambda: pause_first(run.writes, run.journal)),
        *((f"Stop {name}", partial(_stopped, run, name)) for name in (RELAY, *validators)),
        ("Note Canton's supply", partial(_note, run)),
        (f"Stop {PARTICIPANT}", partial(_stopped, run, PARTICIPANT)),
        ("Safety backup", partial(_safety, run)),
        ("Restore beside it", partial(_load, run)),
        ("Verify", partial(_verify, run)),
        (SWAP, partial(_swap, run)),
        (f"Start {PARTICIPANT}", partial(_started, run, PARTICIPANT)),
        ("Reconcile", partial(_reconcile, run)),
        *((f"Start {name}", partial(_started, run, name)) for name in (*validators, RELAY)),
    )


async def _note(run: Restoring) -> StepResult:
    standing = await run.journal.step("standing", lambda: _standing(run), Standing)
    run.supply_before = standing.canton_supply
    text = "written down, to compare with afterwards"
    if standing.canton_supply is None:
        text = "Canton does not answer: relay and validators won't start by themselves afterwards"
    return StepResult(name="", outcome=Outcome.DONE, text=text, evidence={"mUSD": _amount(standing.canton_supply)})


async def _standing(run: Restoring) -> Standing:
    """What is known of it: a database that can't be read, or a silent Canton, is why one restores."""
    end, supply = "", None
    with suppress(BotError):
        end = (await run.ledger.contents(run.ledger.name)).ledger_end
    with suppress(BotError):
        supply = await run.infra.canton_supply()
    return Standing(ledger_end=end, canton_supply=supply)


async def _stopped(run: Restoring, name: str) -> StepResult:
    return await stop(name, run.infra, run.journal, run.writes.progress, prefix="first ")


async def _started(run: Restoring, name: str) -> StepResult:
    return (await roll(Target(name=name), run.infra, run.journal, run.writes.progress))[-1]


async def _safety(run: Restoring) -> StepResult:
    run.end_before = (await run.journal.step("end before", lambda: _standing(run), Standing)).ledger_end
    return await run.journal.step(
        "safety backup", lambda: backed_up(run.safety, run.ledger, run.writes.progress, title="Safety"), StepResult
    )


async def _load(run: Restoring) -> StepResult:
    async def load() -> str:
        await run.ledger.load(run.dump, run.fresh, run.writes.progress)
        return f"into {run.fresh}, checksum compared"

    return await told(run.journal, "load", load)


async def _verify(run: Restoring) -> StepResult:
    try:
        found = await run.journal.step("verify", lambda: run.ledger.contents(run.fresh), Contents)
    except BotError as error:
        return StepResult(name="", outcome=Outcome.FAILED, text=error.sentences())
    if found != run.dump.contents:
        wrong = [name for name, rows in run.dump.contents.rows.items() if found.rows.get(name) != rows]
        text = f"the restored database is not what was backed up: {', '.join(wrong[:5]) or 'the ledger end'} differ"
        return StepResult(name="", outcome=Outcome.FAILED, text=text)
    return StepResult(
        name="",
        outcome=Outcome.DONE,
        text=f"{sum(found.rows.values()):,} rows in {len(found.rows)} tables, each as in the backup",
        evidence={"ledger end": found.ledger_end or "not written down there"},
    )


async def _swap(run: Restoring) -> StepResult:
    async def swap() -> str:
        there = await run.ledger.databases()
        if not (run.aside in there and run.fresh not in there):  # it happened before a crash
            await run.ledger.swap(run.fresh, run.aside)
        return f"{run.ledger.name} is the restored one; the one before is {run.aside}"

    return await told(run.journal, "swap", swap)


async def _reconcile(run: Restoring) -> StepResult:
    after = await run.journal.step("standing after", lambda: _caught_up(run), Standing)
    evidence = {
        "ledger end": f"{run.end_before or 'unknown'} → {after.ledger_end or 'unknown'}",
        "mUSD on Canton": f"{_amount(run.supply_before)} → {_amount(after.canton_supply)}",
    }
    if _reconciled(run, after):
        return StepResult(name="", outcome=Outcome.DONE, text="the ledger is where it was", evidence=evidence)
    text = (
        "the ledger is not proven to be where it was, so relay and validators stay stopped: they would replay what "
        "lies between. Compare the bridge's events of that time on both sides; then `/musd restart` the validators "
        "and the relay."
    )
    return StepResult(name="", outcome=Outcome.HANDED, text=text, evidence=evidence)


async def _caught_up(run: Restoring) -> Standing:
    """A participant catches up with its synchronizer by itself, for which it gets a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + min(run.infra.patience.total_seconds(), _CATCHING_UP)
    while True:
        standing = await _standing(run)
        if _reconciled(run, standing) or loop.time() > end:
            return standing
        await asyncio.sleep(1)


def _reconciled(run: Restoring, after: Standing) -> bool:
    before, now = run.end_before, after.ledger_end
    reached = before.isdigit() and now.isdigit() and int(now) >= int(before)
    return reached and run.supply_before is not None and run.supply_before == after.canton_supply


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:,}"
