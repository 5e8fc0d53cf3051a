"""Setting the ledger's database back to a backup (Database Recovery).

A ledger that is set back can replay bridge events. So the bridge is paused first and relay and validators are stopped;
they start again only when the ledger is proven to be where it was. What is there is backed up before it is touched, the
backup is restored beside it and held to the numbers it was made with, and the two change places in one transaction.
Each step can be done again; whatever fails, the safety backup stays, and the Receipt says how to go on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.actions.backup import database
from bot.actions.bridge import BRIDGE, pause_planned
from bot.actions.restart import infrastructure
from bot.actions.restore_steps import PARTICIPANT, RELAY, SWAP, Restoring, stages
from bot.actions.stages import ENDED_WELL, through
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.policy import RESTORE, Policy
from bot.domain.probe import State
from bot.errors import BotError, RefusedError, UnavailableError
from bot.ports import Change, Dump, How, Infrastructure, Journal, LedgerDatabase, Writes

_Dry = tuple[State, str]
"""A dry run: how it went, and in words."""
_REPLAY = (
    "A ledger that is set back can replay bridge events: relay and validators start again by themselves only if the "
    "ledger's end and Canton's supply are what they were. Otherwise they stay stopped for people."
)


class RestoreDatabase(Action):
    """Set the ledger's database back to this backup."""

    kind: ClassVar[str] = "restore"
    policy: ClassVar[Policy] = RESTORE

    backup: str
    """Its name."""
    database: str
    """The database's: whoever approves has to type it."""

    @property
    def title(self) -> str:
        """``Restore canton_ledger from canton_ledger-20260304T031415Z.dump``."""
        return f"Restore {self.database} from {self.backup}"

    @property
    def typed(self) -> str:
        """The database's name."""
        return self.database


async def chosen(action: Action, ledger: LedgerDatabase) -> Dump:
    """The backup that is meant.

    Raises:
        RefusedError: there is no such backup, or the database is another one.
    """
    if not isinstance(action, RestoreDatabase):
        raise TypeError(f"{type(action).__name__} restores no database")
    if action.database != ledger.name:
        raise RefusedError(
            f"The ledger's database is {ledger.name}, not {action.database[:60]!r}.", means="Nothing was changed."
        )
    dumps = await ledger.backups()
    found = next((dump for dump in dumps if dump.name == action.backup), None)
    if found is None:
        there = ", ".join(dump.name for dump in dumps[:5]) or "none"
        raise RefusedError(
            f"There is no complete backup called {action.backup[:80]!r} in {ledger.place}.",
            means="Nothing was changed.",
            next_step=f"The newest are: {there}.",
        )
    return found


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    infra = infrastructure(writes)
    ledger = database(infra)
    dump = await chosen(action, ledger)
    return {
        "namespace": infra.cluster.where,
        "database": ledger.name,
        "backup": {"name": dump.name, "sha256": dump.sha256, "size": dump.size, "place": ledger.place},
        "stops": [RELAY, *infra.validators, PARTICIPANT],
        "bridge": writes.pause.call(BRIDGE).model_dump() if writes.pause else None,
    }


async def _plan(action: Action, writes: Writes) -> Plan:
    infra = infrastructure(writes)
    ledger = database(infra)
    dump = await chosen(action, ledger)
    age = datetime.now(UTC) - dump.at
    return Plan(
        steps=(
            await pause_planned(writes),
            *_planned(dump, ledger, infra, await _reachable(ledger), await _scales(infra)),
        ),
        cautions=(
            f"What came onto the ledger in the last {age.total_seconds() / 3600:,.1f} h is gone from it afterwards.",
            _REPLAY,
            "The bridge stays paused in any case: unpausing is a proposal of its own.",
        ),
        binding=await _binding(action, writes),
    )


def _planned(dump: Dump, ledger: LedgerDatabase, infra: Infrastructure, server: _Dry, cluster: _Dry) -> list[PlanStep]:
    rows = f"{sum(dump.contents.rows.values()):,} rows in {len(dump.contents.rows)} tables"
    apart, where, name = ", ".join([RELAY, *infra.validators]), infra.cluster.where, ledger.name
    lines = (
        (apart, where, "scale to 0", "bridging and attesting", cluster),
        (PARTICIPANT, where, "scale to 0", "everything on Canton, until the last steps", cluster),
        ("Safety backup", ledger.place, f"pg_dump -Fc {name}", "nothing", server),
        ("Restore", f"{name}_fresh_…", f"pg_restore {dump.name}", "nothing: beside the present one", server),
        ("Verify", f"{name}_fresh_…", f"{rows}, ledger end {dump.contents.ledger_end or 'unknown'}", "nothing", server),
        ("Swap", name, "rename both: the present one is kept", "the ledger's state since the backup", server),
        (PARTICIPANT, where, "scale back, watch, ask whether it is well", "nothing more", cluster),
        ("Reconcile", name, "ledger end and Canton's supply as before?", "nothing", server),
        (apart, where, "scale back, only if reconciled", "nothing more", cluster),
    )
    return [
        PlanStep(name=name, target=target, call=call, stops=stops, simulation=dry[0], simulated=dry[1])
        for name, target, call, stops, dry in lines
    ]


async def _scales(infra: Infrastructure) -> _Dry:
    """The API server's own dry run of the first change to each deployment."""
    try:
        for name in (RELAY, *infra.validators, PARTICIPANT):
            await infra.cluster.change(name, Change(replicas=0), dry=True)
    except UnavailableError as error:
        return State.UNKNOWN, error.happened
    except RefusedError as error:
        return State.BAD, error.happened
    return State.OK, "the API server accepts it"


async def _reachable(ledger: LedgerDatabase) -> _Dry:
    try:
        there = await ledger.databases()
    except UnavailableError as error:
        return State.UNKNOWN, error.happened
    except RefusedError as error:
        return State.BAD, error.happened
    return (State.OK, "the server answers") if ledger.name in there else (State.BAD, f"there is no {ledger.name}")


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    infra = infrastructure(writes)
    ledger = database(infra)
    try:
        dump = await journal.step("backup", lambda: chosen(approval.proposal.action, ledger), Dump)
    except BotError as error:
        failed = StepResult(name="Backup", outcome=Outcome.FAILED, text=error.sentences())
        return Receipt(steps=(failed,), finished_at=await journal.step("finish", _now, datetime))
    run = Restoring(dump, ledger, infra, writes, journal)
    results = await through(stages(run))
    swapped = any(one.name == SWAP and one.outcome in ENDED_WELL for one in results)
    notes = _notes(run, swapped=swapped, whole=all(one.outcome in ENDED_WELL for one in results))
    finished = await journal.step("finish", _now, datetime)
    return Receipt(steps=tuple(results), finished_at=finished, notes=notes)


def _notes(run: Restoring, *, swapped: bool, whole: bool) -> tuple[str, ...]:
    kept = f"The safety backup {run.safety} and the database {run.aside} are kept: remove them by hand, days later."
    paused = "The bridge stays paused: unpausing is a proposal of its own."
    if whole:
        return kept, paused
    if swapped:
        return kept, paused, f"{run.ledger.name} is the restored one. `/musd restart NAME` brings back what is stopped."
    return (
        f"{run.ledger.name} itself is as it was; a safety backup that was made stays ({run.safety}).",
        "To go on: mend the reason above and propose the restore again. What is stopped stays stopped meanwhile.",
        "To go back instead: `/musd restart` canton-participant, the validators, the relay: each gets its pods back.",
        paused,
    )


async def _now() -> datetime:
    return datetime.now(UTC)


HOW = How(kind=RestoreDatabase, binding=_binding, plan=_plan, run=_run)
