"""Backing up the ledger's database (Database Recovery): dumped, checked, read back, and only then called a backup."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.actions.restart import infrastructure
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.policy import OPERATE, Policy
from bot.domain.probe import State
from bot.errors import BotError, RefusedError
from bot.ports import Dump, How, Infrastructure, Journal, LedgerDatabase, Progress, Writes


class BackUp(Action):
    """Back the ledger's database up, to the configured place."""

    kind: ClassVar[str] = "backup"
    policy: ClassVar[Policy] = OPERATE

    @property
    def title(self) -> str:
        """What it does."""
        return "Back up the ledger's database"


def database(infra: Infrastructure) -> LedgerDatabase:
    """The ledger's database.

    Raises:
        RefusedError: no place for backups is configured.
    """
    if infra.database is None:
        raise RefusedError(
            "No place for backups is configured.",
            means="This bot neither backs up nor restores.",
            next_step="Set MUSD_BACKUP_BUCKET or MUSD_BACKUP_DIR.",
        )
    return infra.database


async def backed_up(name: str, ledger: LedgerDatabase, say: Progress, *, title: str) -> StepResult:
    """One backup, as a step with its evidence."""
    try:
        dump = await ledger.back_up(name, say)
    except BotError as error:
        text = f"{error.sentences()} What was written of it is gone again: it never counted as a backup."
        return StepResult(name=title, outcome=Outcome.FAILED, text=text)
    return StepResult(
        name=title,
        outcome=Outcome.DONE,
        text=f"{dump.name}: {dump.size / 2**20:,.1f} MiB, read back, checksum and table of contents compared",
        evidence=evidence(dump) | {"place": ledger.place},
    )


def evidence(dump: Dump) -> dict[str, Any]:
    """What a backup is known by."""
    return {
        "backup": dump.name,
        "checksum": f"sha256:{dump.sha256}",
        "tables": f"{len(dump.contents.rows)}, {sum(dump.contents.rows.values()):,} rows",
        "ledger end": dump.contents.ledger_end or "not written down there",
        "encrypted": dump.encrypted or "no",
    }


def named(ledger: LedgerDatabase, at: datetime, *, word: str = "") -> str:
    """The name of a backup of this moment."""
    return f"{ledger.name}-{word}{at:%Y%m%dT%H%M%SZ}.dump"


async def _binding(_: Action, writes: Writes) -> Mapping[str, Any]:
    infra = infrastructure(writes)
    ledger = database(infra)
    return {"namespace": infra.cluster.where, "database": ledger.name, "place": ledger.place}


async def _plan(action: Action, writes: Writes) -> Plan:
    infra = infrastructure(writes)
    ledger = database(infra)
    state, said = await _simulated(ledger)
    step = PlanStep(
        name=ledger.name,
        target=f"→ {ledger.place}",
        call=f"pg_dump -Fc {ledger.name}",
        stops="nothing: it reads one snapshot while everything goes on",
        simulation=state,
        simulated=said,
    )
    return Plan(steps=(step,), binding=await _binding(action, writes))


async def _simulated(ledger: LedgerDatabase) -> tuple[State, str]:
    try:
        rows = (await ledger.contents(ledger.name)).rows
        return State.OK, f"it answers: {len(rows)} tables, {sum(rows.values()):,} rows. {await ledger.usage()}"
    except RefusedError as error:
        return State.BAD, error.sentences()
    except BotError as error:
        return State.UNKNOWN, error.sentences()


async def _run(_: Approval, writes: Writes, journal: Journal) -> Receipt:
    ledger = database(infrastructure(writes))
    name = await journal.step("name", lambda: _named(ledger), str)
    step = await journal.step(
        "back up", lambda: backed_up(name, ledger, writes.progress, title=ledger.name), StepResult
    )
    finished = await journal.step("finish", _now, datetime)
    return Receipt(steps=(step,), finished_at=finished)


async def _named(ledger: LedgerDatabase) -> str:
    return named(ledger, datetime.now(UTC))


async def _now() -> datetime:
    return datetime.now(UTC)


HOW = How(kind=BackUp, binding=_binding, plan=_plan, run=_run)
