"""Changing one deployment and watching the change to its end, by the rules of `kubectl rollout status`.

Where two pods may never run at once (the relay), it is stopped first, and started when its pod is gone for good. What
was written is read back whenever the answer got lost: nothing is guessed, and nothing is written twice blindly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from bot.domain.action import Outcome, StepResult
from bot.domain.probe import Finding, State
from bot.errors import BotError, OutcomeUnknownError, RefusedError, UnavailableError
from bot.ports import Change, Deployment, Infrastructure, Journal, Pod, Progress

_LOOK_AGAIN = 0.5
"""Seconds between looks at a rollout."""
_SETTLING = 10.0
"""Seconds that are given to find out whether a write whose answer got lost has happened."""
_HEALTHY_WITHIN = 60.0
"""Seconds that a deployment whose pods are ready gets to say that it is well."""
_NO_TROUBLE = frozenset({"", "Running", "ContainerCreating", "PodInitializing", "Terminating", "Pending", "Starting"})
_TROUBLE = {
    "ImagePullBackOff": "its image can't be pulled",
    "ErrImagePull": "its image can't be pulled",
    "CrashLoopBackOff": "it starts and dies again",
    "Restarting": "it starts and dies again",
    "Unhealthy": "its health check fails",
    "Error": "it started and died",
    "OOMKilled": "it was killed for using more memory than its limit",
    "Unschedulable": "no node has room for it",
    "CreateContainerConfigError": "a Secret or ConfigMap it names is missing",
}
"""Why a pod does not get ready, in words."""


class Target(BaseModel):
    """A deployment and what is to become of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    memory: str | None = None
    """The new limit."""
    env: Mapping[str, str] = {}
    """Environment variables to set."""


class Watched(BaseModel):
    """How a rollout ended, or where it stands when the patience is over."""

    model_config = ConfigDict(frozen=True)

    done: bool
    text: str


async def roll(target: Target, infra: Infrastructure, journal: Journal, say: Progress) -> list[StepResult]:
    """Replace a deployment's pods, and see that it is well. Never raises for what the outside does.

    Returns one result for the rollout and, where that is done and there is a way to ask, one for its health.
    """
    rollout = await _rolled(target, infra, journal, say)
    if rollout.outcome is not Outcome.DONE or target.name not in infra.health:
        return [rollout]
    await say(f"{target.name}: its pods are ready; asking whether it is well.")
    return [rollout, await journal.step(f"{target.name} health", lambda: healthy(target.name, infra), StepResult)]


async def stop(name: str, infra: Infrastructure, journal: Journal, say: Progress, *, prefix: str = "") -> StepResult:
    """Scale a deployment to 0 and wait until its last pod is gone. How many there were stays written on it."""
    label = f"{prefix}{name}"
    try:
        before = await journal.step(f"{label} before stop", lambda: infra.cluster.look(name), Deployment)
        await journal.step(f"{label} stop", lambda: _apply(name, Change(replicas=0), infra), type(None))
    except BotError as error:
        return _failed(name, error)
    gone = await journal.step(f"{label} gone", lambda: _watch(name, infra, say, _gone), Watched)
    if not gone.done:
        return StepResult(name=name, outcome=Outcome.FAILED, text=f"scaled to 0, but {gone.text}")
    return StepResult(name=name, outcome=Outcome.DONE, text=f"stopped: scaled from {before.replicas} to 0")


async def healthy(name: str, infra: Infrastructure) -> StepResult:
    """Ask until it is well, or the time is up. A heartbeat has to be seen to move."""
    loop = asyncio.get_running_loop()
    end, beats = loop.time() + _HEALTHY_WITHIN, set[str]()
    while True:
        finding = await infra.health[name]()
        beat = str(finding.facts.get("beat", ""))
        beats.add(beat)
        moves = not beat or len(beats) > 1
        if (finding.ok and moves) or loop.time() > end:
            return _health(name, finding, moves=moves)
        await asyncio.sleep(_LOOK_AGAIN)


def progress(found: Deployment, pods: Sequence[Pod]) -> Watched:
    """How a rollout is going: done, or what it waits for and why that may never come."""
    wanted, what = found.replicas, "containers" if found.kind == "container" else "pods"
    if not found.settled:
        return Watched(done=False, text="Kubernetes has not seen the change yet")
    if found.updated < wanted:
        text = f"{found.updated} of {wanted} new {what} made"
    elif found.present > found.updated:
        text = f"{found.present - found.updated} old {what} still there"
    elif found.available < wanted:
        text = f"{found.available} of {wanted} new {what} ready"
    else:
        return Watched(done=True, text=f"{wanted} of {wanted} new {what} ready")
    why = stuck(found, pods)
    return Watched(done=False, text=f"{text}: {why}" if why else text)


def stuck(found: Deployment, pods: Sequence[Pod]) -> str:
    """Why no pod gets ready, as far as the cluster says; empty while nothing is wrong."""
    for pod in pods:
        if not pod.ready and pod.reason not in _NO_TROUBLE:
            words = _TROUBLE.get(pod.reason)
            return f"{pod.name} is in {pod.reason}" + (f" ({words})" if words else "")
    return found.failure or found.given_up


async def _rolled(target: Target, infra: Infrastructure, journal: Journal, say: Progress) -> StepResult:
    name, cluster = target.name, infra.cluster
    try:
        before = await journal.step(f"{name} before", lambda: cluster.look(name), Deployment)
        wanted = before.replicas or before.parked
        if why := unable(before):
            return StepResult(name=name, outcome=Outcome.FAILED, text=f"{why} Nothing was changed.")
        mark = await journal.step(f"{name} mark", _mark, str)
        if stops_first(name, before, infra):
            stopped = await stop(name, infra, journal, say)
            if stopped.outcome is not Outcome.DONE:
                return stopped.model_copy(update={"text": f"{stopped.text.rstrip('.')}. {_not_started(before)}"})
        change = Change(mark=mark, replicas=wanted, memory=target.memory, env=target.env)
        await journal.step(f"{name} change", lambda: _apply(name, change, infra), type(None))
    except BotError as error:
        return _failed(name, error)
    end = await journal.step(f"{name} watch", lambda: _watch(name, infra, say, _ready), Watched)
    return _ended(target, before, mark, end)


def stops_first(name: str, found: Deployment, infra: Infrastructure) -> bool:
    """Whether a rollout would let two pods run at once where that may never be."""
    return name in infra.cluster.single and found.overlaps


def unable(found: Deployment) -> str:
    """Why a restart would change nothing; empty where it would."""
    if found.paused:
        return f"Rollouts of {found.name} are paused by somebody: kubectl rollout resume deployment/{found.name} first."
    if not (found.replicas or found.parked):
        return f"{found.name} is scaled to 0 by somebody, so a restart starts nothing: scale it up first."
    return ""


async def _apply(name: str, change: Change, infra: Infrastructure) -> None:
    """Write once. Where the answer got lost, the cluster itself says whether it has happened."""
    try:
        await infra.cluster.change(name, change)
    except UnavailableError as error:
        happened = await _happened(name, change, infra)
        if happened is None:
            raise OutcomeUnknownError(
                f"{error.happened} Whether the change arrived is not known.",
                next_step=f"Look: {infra.cluster.by_hand(name)}; then propose again.",
            ) from None
        if not happened:
            raise RefusedError(error.happened, means="Nothing was changed.", next_step=error.next_step) from None


async def _happened(name: str, change: Change, infra: Infrastructure) -> bool | None:
    end = asyncio.get_running_loop().time() + _SETTLING
    while True:
        try:
            found = await infra.cluster.look(name)
        except UnavailableError:
            if asyncio.get_running_loop().time() > end:
                return None
            await asyncio.sleep(_LOOK_AGAIN)
            continue
        return (
            (change.mark is None or found.mark >= change.mark)
            and change.replicas in {None, found.replicas}
            and change.memory in {None, found.memory}
            and change.env.items() <= found.env.items()
        )


async def _watch(
    name: str, infra: Infrastructure, say: Progress, judge: Callable[[str, Infrastructure], Awaitable[Watched]]
) -> Watched:
    """Look until it is done or the patience is over, and tell each change of where it stands."""
    loop = asyncio.get_running_loop()
    end, told = loop.time() + infra.patience.total_seconds(), ""
    while True:
        try:
            seen = await judge(name, infra)
        except UnavailableError as error:
            seen = Watched(done=False, text=f"not known, since {error.happened[0].lower()}{error.happened[1:]}")
        if seen.text != told:
            told = seen.text
            await say(f"{name}: {told}.")
        if seen.done or loop.time() > end:
            return seen
        await asyncio.sleep(_LOOK_AGAIN)


async def _ready(name: str, infra: Infrastructure) -> Watched:
    return progress(await infra.cluster.look(name), await infra.cluster.pods(name))


async def _gone(name: str, infra: Infrastructure) -> Watched:
    left = [pod.name for pod in await infra.cluster.pods(name)]
    if left:
        return Watched(done=False, text=f"{', '.join(left)} has not ended yet")
    return Watched(done=True, text="its last pod is gone")


def _ended(target: Target, before: Deployment, mark: str, end: Watched) -> StepResult:
    evidence = {"kind": before.kind, "deployment": before.name, "restarted at": mark, "image": before.image}
    if target.memory:
        evidence |= {"memory limit": f"{before.memory or 'none'} → {target.memory}"}
    evidence |= target.env
    if end.done:
        return StepResult(name=target.name, outcome=Outcome.DONE, text=end.text, evidence=evidence)
    # It was written: what Kubernetes makes of it can still change, but it is not done.
    text = f"changed, but the rollout did not come to its end in time: {end.text}"
    return StepResult(name=target.name, outcome=Outcome.FAILED, text=text, evidence=evidence)


def _health(name: str, finding: Finding, *, moves: bool) -> StepResult:
    outcome = {State.OK: Outcome.DONE, State.BAD: Outcome.FAILED, State.UNKNOWN: Outcome.UNKNOWN}[finding.state]
    text = finding.summary
    if finding.ok and not moves:
        outcome, text = Outcome.FAILED, f"{text}, but it was not written again while the bot looked"
    return StepResult(name=f"{name}: health", outcome=outcome, text=text, evidence={"asked": finding.title})


def _failed(name: str, error: BotError) -> StepResult:
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.FAILED
    return StepResult(name=name, outcome=outcome, text=error.sentences())


def _not_started(before: Deployment) -> str:
    return (
        f"It was not started again, since two may never run at once. When its old pod is surely gone, restart it: it "
        f"then gets its {before.replicas or before.parked} back"
    )


async def _mark() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
