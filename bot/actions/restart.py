"""Restarting deployments, one after another, each watched to its end; and raising a memory limit, which restarts too.

Relay Service Down, steps 2, 4 and 5; Validator Down, step 2; Canton Participant Down; Key Rotation, its last steps.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field

from bot.actions.memory import raised
from bot.actions.rollout import Target, roll, stops_first, stuck, unable
from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.approval import Approval
from bot.domain.policy import OPERATE, RESTART_ALL, Policy
from bot.domain.probe import State
from bot.errors import RefusedError, UnavailableError
from bot.ports import Change, Deployment, How, Infrastructure, Journal, Writes

_STOPS: Mapping[str, str] = {
    "musd-relay": "bridging: no mints, redemptions or attestations while it is away",
    "canton-participant": "everything on Canton while it is away",
    "liquidation-bot": "liquidations by our own bot while it is away",
}
_ONE_OF_THREE = "one of three validators while it is away; the bridge goes on with the two others"


class Restart(Action):
    """Restart one deployment."""

    kind: ClassVar[str] = "restart"
    policy: ClassVar[Policy] = OPERATE

    deployment: str
    """By the bot's word for it, such as ``musd-relay``."""

    @property
    def title(self) -> str:
        """``Restart musd-relay``."""
        return f"Restart {self.deployment}"


class RestartSome(Action):
    """Restart these deployments, one after another: the validators that are down (Validator Down, step 2)."""

    kind: ClassVar[str] = "restart-some"
    policy: ClassVar[Policy] = OPERATE

    deployments: tuple[str, ...] = Field(min_length=1)

    @property
    def title(self) -> str:
        """``Restart musd-validator-1, musd-validator-3``."""
        return f"Restart {', '.join(self.deployments)}"


class RestartAll(Action):
    """Restart every configured deployment, one after another; the bot itself is none of them."""

    kind: ClassVar[str] = "restart-all"
    policy: ClassVar[Policy] = RESTART_ALL

    @property
    def title(self) -> str:
        """What it does."""
        return "Restart everything, one after another"


class RaiseMemory(Action):
    """Raise a deployment's memory limit; its pods are replaced by that (Relay Service Down, step 2)."""

    kind: ClassVar[str] = "raise-memory"
    policy: ClassVar[Policy] = OPERATE

    deployment: str
    limit: str = ""
    """The new one, such as ``768Mi``; empty for half as much again as it has."""

    @property
    def title(self) -> str:
        """``Raise the memory limit of musd-relay``."""
        return f"Raise the memory limit of {self.deployment}" + (f" to {self.limit}" if self.limit else "")


Targets = Callable[[Action, Mapping[str, Deployment], Infrastructure], Sequence[Target]]
"""Works an Action out into its targets, in order, from how the deployments stand."""


def infrastructure(writes: Writes) -> Infrastructure:
    """The cluster, as something that can be changed.

    Raises:
        RefusedError: this bot has no credential that may.
    """
    if writes.infra is None:
        raise RefusedError(
            "This bot has no credential that may change the cluster.",
            means="It can't restart anything itself.",
            next_step=(
                "Run the runbook's `kubectl -n musd rollout restart deployment/NAME`, or set MUSD_KUBE_WRITE_CONTEXT "
                "or MUSD_KUBE_WRITE_TOKEN_FILE."
            ),
        )
    return writes.infra


def rolling(
    kind: type[Action],
    names: Callable[[Action, Infrastructure], Sequence[str]],
    targets: Targets,
    reach: Callable[[Writes], Infrastructure] = infrastructure,
) -> How:
    """How an Action that rolls deployments out is planned and run. `reach`: the deployments it may touch."""

    async def read(action: Action, infra: Infrastructure) -> Mapping[str, Deployment]:
        chosen = names(action, infra)
        found = await asyncio.gather(*(infra.cluster.look(name) for name in chosen))
        return dict(zip(chosen, found, strict=True))

    async def binding(action: Action, writes: Writes) -> Mapping[str, Any]:
        infra = reach(writes)
        found = await read(action, infra)
        bound = [_bound(target, found[target.name], infra) for target in targets(action, found, infra)]
        return {"namespace": infra.cluster.where, "deployments": bound}

    async def plan(action: Action, writes: Writes) -> Plan:
        infra = reach(writes)
        found = await read(action, infra)
        chosen = targets(action, found, infra)
        steps = await asyncio.gather(*(_planned(target, found[target.name], infra) for target in chosen))
        return Plan(
            steps=tuple(steps),
            cautions=await _cautions(chosen, found, infra),
            binding=await binding(action, writes),
        )

    async def run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
        """What was approved says which limit; what is there now is compared with it before this begins."""
        infra = reach(writes)
        results: list[StepResult] = []
        chosen = [
            Target(name=one["name"], memory=one["memory after"], env=one["env after"])
            for one in approval.proposal.plan.binding["deployments"]
        ]
        for place, target in enumerate(chosen):
            results += await roll(target, infra, journal, writes.progress)
            if results[-1].outcome is not Outcome.DONE:
                results += [_not_begun(later, target) for later in chosen[place + 1 :]]
                break
        finished = await journal.step("finish", _now, datetime)
        return Receipt(steps=tuple(results), finished_at=finished)

    return How(kind=kind, binding=binding, plan=plan, run=run)


def _bound(target: Target, found: Deployment, infra: Infrastructure) -> Mapping[str, Any]:
    return {
        "name": target.name,
        "deployment": found.name,
        "how": _call(target, found, infra),
        "image": found.image,
        "replicas": found.replicas or found.parked,
        "memory before": found.memory,
        "memory after": target.memory,
        "env after": dict(target.env),
    }


async def _planned(target: Target, found: Deployment, infra: Infrastructure) -> PlanStep:
    state, said = await _simulated(target, found, infra)
    stops = _ONE_OF_THREE if target.name in infra.validators else _STOPS.get(target.name, "what it serves, meanwhile")
    return PlanStep(
        name=target.name,
        target=f"{found.kind}/{found.name} in {infra.cluster.where}",
        call=_call(target, found, infra),
        stops=stops,
        simulation=state,
        simulated=said,
    )


async def _simulated(target: Target, found: Deployment, infra: Infrastructure) -> tuple[State, str]:
    """The API server's own dry run."""
    if why := unable(found):
        return State.BAD, why
    try:
        await infra.cluster.change(target.name, Change(mark="dry run", memory=target.memory, env=target.env), dry=True)
    except RefusedError as error:
        return State.BAD, f"{error.happened} {error.next_step}".strip()
    except UnavailableError as error:
        return State.UNKNOWN, error.happened
    # Docker has no dry run: it was asked how the container stands, and no more.
    accepted = "the container is there" if found.kind == "container" else "the API server accepts it"
    now = f"{found.available} of {found.replicas or found.parked} ready now, image {found.image}"
    return State.OK, f"{accepted}. {now}"


def _call(target: Target, found: Deployment, infra: Infrastructure) -> str:
    """The command that does the same."""
    deployment, back = f"{found.kind}/{found.name}", found.replicas or found.parked
    memory = f"memory limit {found.memory or 'none'} → {target.memory}" if target.memory else ""
    if found.kind == "container":
        return f"{f'{memory}: docker update, then ' if memory else ''}docker restart {found.name}"
    if not found.replicas and found.parked:
        return f"kubectl scale {deployment} --replicas={back} (now 0)"
    if target.env:
        changes = ", ".join(f"{key}: {found.env.get(key, 'not set')} → {value}" for key, value in target.env.items())
        return f"kubectl set env {deployment} {changes}"
    if stops_first(target.name, found, infra):
        return f"kubectl scale {deployment} --replicas=0, then {back}" + (f"; {memory}" if memory else "")
    return f"{memory} ({deployment})" if memory else f"kubectl rollout restart {deployment}"


async def _cautions(
    targets: Sequence[Target], found: Mapping[str, Deployment], infra: Infrastructure
) -> tuple[str, ...]:
    said = []
    for target in targets:
        one = found[target.name]
        if stops_first(target.name, one, infra):
            said.append(
                f"{target.name}: two may never run at once, and its strategy would let them. It is stopped first, so "
                "there is a short time with none."
            )
        if one.given_up or one.failure or (one.settled and one.updated < one.replicas):
            said.append(f"{target.name}: a rollout is going on or stuck already ({stuck(one, ()) or 'not complete'}).")
    if len(targets) == 1 and targets[0].name in infra.validators and (silent := await unwell(infra, targets[0].name)):
        said.append(f"{', '.join(silent)}: not proven well. While this one restarts, the bridge can't attest.")
    return tuple(said)


async def unwell(infra: Infrastructure, but: str) -> list[str]:
    """The other validators that are not proven to be well."""
    others = [name for name in infra.validators if name != but]
    findings = await asyncio.gather(*(infra.health[name]() for name in others if name in infra.health))
    return [name for name, finding in zip(others, findings, strict=False) if not finding.ok]


def _not_begun(target: Target, stopped: Target) -> StepResult:
    return StepResult(name=target.name, outcome=Outcome.NOT_BEGUN, text=f"{stopped.name} before it is not well")


async def _now() -> datetime:
    return datetime.now(UTC)


def _one(action: Action, _: Infrastructure) -> Sequence[str]:
    if not isinstance(action, Restart | RaiseMemory):
        raise TypeError(f"{type(action).__name__} is about no single deployment")
    return (action.deployment,)


def _some(action: Action, _: Infrastructure) -> Sequence[str]:
    if not isinstance(action, RestartSome):
        raise TypeError(f"{type(action).__name__} is no restart of some deployments")
    return action.deployments


def _all(_: Action, infra: Infrastructure) -> Sequence[str]:
    return infra.cluster.names


def _as_they_are(_: Action, found: Mapping[str, Deployment], __: Infrastructure) -> Sequence[Target]:
    return [Target(name=name) for name in found]


def _with_more_memory(action: Action, found: Mapping[str, Deployment], _: Infrastructure) -> Sequence[Target]:
    if not isinstance(action, RaiseMemory):
        raise TypeError(f"{type(action).__name__} raises no memory limit")
    return [Target(name=name, memory=raised(one.memory, action.limit)) for name, one in found.items()]


HOWS = (
    rolling(Restart, _one, _as_they_are),
    rolling(RestartSome, _some, _as_they_are),
    rolling(RestartAll, _all, _as_they_are),
    rolling(RaiseMemory, _one, _with_more_memory),
)
