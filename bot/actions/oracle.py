"""The oracle's updates: paused and resumed by whoever writes them, and brought from another source.

Liquidation Surge, step 2 (pause oracle updates); Oracle Price Feed Stale, step 1 (switch to the fallback). Which
deployments those are is configuration; where nothing is configured, the verdicts hand over to people instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.actions.restart import infrastructure, rolling
from bot.actions.rollout import Target, stop
from bot.domain.action import Action, Plan, PlanStep, Receipt
from bot.domain.approval import Approval
from bot.domain.policy import OPERATE, ORACLE_UPDATES, Policy
from bot.domain.probe import State
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, Deployment, How, Infrastructure, Journal, OracleTargets, Writes

_STOPS = "new prices on the oracle: they grow old, and borrowing and withdrawing stop once they are too old"


class PauseOracleUpdates(Action):
    """Stop the deployment that writes the oracle's prices."""

    kind: ClassVar[str] = "pause-oracle-updates"
    policy: ClassVar[Policy] = ORACLE_UPDATES

    @property
    def title(self) -> str:
        """What it does."""
        return "Pause oracle updates"


class ResumeOracleUpdates(Action):
    """Start the deployment that writes the oracle's prices again, with as many pods as it had."""

    kind: ClassVar[str] = "resume-oracle-updates"
    policy: ClassVar[Policy] = ORACLE_UPDATES

    @property
    def title(self) -> str:
        """What it does."""
        return "Resume oracle updates"


class SwitchOracleSource(Action):
    """Have prices brought from another source; the deployment that brings them is restarted by that."""

    kind: ClassVar[str] = "switch-oracle-source"
    policy: ClassVar[Policy] = OPERATE

    source: str = ""
    """One of the configured words, such as ``temple``; empty for the first fallback."""

    @property
    def title(self) -> str:
        """``Switch the oracle's source to temple``."""
        return f"Switch the oracle's source to {self.source or 'the fallback'}"


def feeding(writes: Writes) -> Infrastructure:
    """The cluster as far as it is the price feeder: nothing else can be stopped through it.

    Raises:
        RefusedError: no feeder is configured.
    """
    infra = infrastructure(writes)
    if infra.oracle is None or infra.oracle.feeding is None:
        raise RefusedError(
            "Nobody told this bot which deployment writes the oracle's prices.",
            means="It can't pause or resume them. Nothing was changed.",
            next_step="Stop the price feeder by hand, and set MUSD_ORACLE_FEEDER for the next time.",
        )
    return replace(infra, cluster=infra.oracle.feeding)


def _switching(infra: Infrastructure) -> OracleTargets:
    if infra.oracle is None or not infra.oracle.variable:
        raise RefusedError(
            "Nobody told this bot which setting says where prices come from.",
            means="It can't switch the source. Nothing was changed.",
            next_step="Switch it in the relay's configuration, and set MUSD_ORACLE_SOURCE_SETTING for the next time.",
        )
    return infra.oracle


def _feeder(_: Action, infra: Infrastructure) -> Sequence[str]:
    return infra.cluster.names


def _bringer(_: Action, infra: Infrastructure) -> Sequence[str]:
    return (_switching(infra).brought_by,)


def _started(_: Action, found: Mapping[str, Deployment], __: Infrastructure) -> Sequence[Target]:
    return [Target(name=name) for name in found]


def _switched(action: Action, found: Mapping[str, Deployment], infra: Infrastructure) -> Sequence[Target]:
    oracle = _switching(infra)
    if not isinstance(action, SwitchOracleSource):
        raise TypeError(f"{type(action).__name__} switches no source")
    present = found[oracle.brought_by].env.get(oracle.variable, "")
    wanted = action.source or next(iter(oracle.sources[1:]), "")
    if wanted == present or wanted not in oracle.sources:
        raise RefusedError(
            f"{oracle.brought_by} brings prices from {wanted} already."
            if wanted == present
            else f"There is no price source {wanted[:40]!r}.",
            means="Nothing was changed.",
            next_step=f"MUSD_ORACLE_SOURCES names {', '.join(oracle.sources)}.",
        )
    return [Target(name=oracle.brought_by, env={oracle.variable: wanted})]


async def _paused_binding(_: Action, writes: Writes) -> Mapping[str, Any]:
    infra = feeding(writes)
    return {"namespace": infra.cluster.where, "stopped": list(infra.cluster.names)}


async def _paused_plan(action: Action, writes: Writes) -> Plan:
    infra = feeding(writes)
    name = infra.cluster.names[0]
    found = await infra.cluster.look(name)
    state, said = State.OK, f"the API server accepts it. {found.available} of {found.replicas} ready now"
    try:
        await infra.cluster.change(name, Change(replicas=0), dry=True)
    except RefusedError as error:
        state, said = State.BAD, error.happened
    except UnavailableError as error:
        state, said = State.UNKNOWN, error.happened
    step = PlanStep(
        name=name,
        target=f"{found.kind}/{found.name} in {infra.cluster.where}",
        call=f"kubectl scale {found.kind}/{found.name} --replicas=0 (now {found.replicas})",
        stops=_STOPS,
        simulation=state,
        simulated=said,
    )
    return Plan(steps=(step,), binding=await _paused_binding(action, writes))


async def _pause(_: Approval, writes: Writes, journal: Journal) -> Receipt:
    infra = feeding(writes)
    result = await stop(infra.cluster.names[0], infra, journal, writes.progress)
    return Receipt(steps=(result,), finished_at=await journal.step("finish", _now, datetime))


async def _now() -> datetime:
    return datetime.now(UTC)


HOWS = (
    How(kind=PauseOracleUpdates, binding=_paused_binding, plan=_paused_plan, run=_pause),
    rolling(ResumeOracleUpdates, _feeder, _started, feeding),
    rolling(SwitchOracleSource, _bringer, _switched),
)
