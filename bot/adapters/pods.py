"""A pod in kubectl's words: what its STATUS column would say, and which of its containers is in trouble."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.ports import Pod, Usage

_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_STARTING = {"PodInitializing", "ContainerCreating"}


def summed_up(pod: Any) -> Pod:
    """A `V1Pod` as the port has it."""
    status = pod.status
    container, found = troubled_container(pod)
    end = _last_end(found)
    limits = next((c.resources.limits for c in _specs(pod) if c.name == container and c.resources), None) or {}
    conditions = {condition.type: condition for condition in status.conditions or ()}
    scheduled = conditions.get("PodScheduled")
    unscheduled = (scheduled.reason or "") if scheduled is not None and scheduled.status == "False" else ""
    shown = _status_column(pod)
    return Pod(
        name=pod.metadata.name,
        phase=status.phase or "Unknown",
        ready="Ready" in conditions and conditions["Ready"].status == "True" and not pod.metadata.deletion_timestamp,
        reason=unscheduled if shown == status.phase else shown,
        restarts=sum(one.restart_count for one in status.container_statuses or ()),
        last_end=(end.reason or "Error") if end is not None else "",
        last_exit=end.exit_code if end is not None else None,
        memory_limit=limits.get("memory", ""),
        started_at=status.start_time,
        owner=owner(pod),
    )


def measured(metrics: Mapping[str, Any]) -> Usage:
    """A `PodMetrics` as the port has it. Raises `ValueError` where it isn't one."""
    try:
        return Usage(
            pod=metrics["metadata"]["name"],
            memory=sum(_bytes(one["usage"]["memory"]) for one in metrics["containers"]),
            at=datetime.fromisoformat(metrics["timestamp"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no PodMetrics: {error!r}") from error


def _bytes(quantity: str) -> int:
    number = quantity.rstrip("kKMGi")
    return int(float(number) * _UNITS.get(quantity.removeprefix(number), 1))


def owner(pod: Any) -> str:
    """The deployment a pod belongs to, or whatever else made it; its own name where nothing did."""
    meta = pod.metadata
    made_by = next((one for one in meta.owner_references or () if one.controller), None)
    if made_by is None:
        return str(meta.name)
    generation = (meta.labels or {}).get("pod-template-hash", "")
    return str(made_by.name).removesuffix(f"-{generation}") if generation else str(made_by.name)


def _status_column(pod: Any) -> str:
    """What `kubectl get pods` has under STATUS."""
    if pod.metadata.deletion_timestamp is not None:
        return "Unknown" if pod.status.reason == "NodeLost" else "Terminating"
    starting = _init_column(pod)
    if starting:
        return starting
    shown = [_container_column(one.state) for one in pod.status.container_statuses or ()]
    told = next((text for text in shown if text), "")
    if told == "Completed" and "" in shown:
        # One container is done, and another one runs on.
        return (
            "Running"
            if any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())
            else "NotReady"
        )
    return str(told or pod.status.reason or pod.status.phase or "Unknown")


def _init_column(pod: Any) -> str:
    statuses = pod.status.init_container_statuses or ()
    for place, one in enumerate(statuses):
        ended = one.state.terminated if one.state else None
        if (ended is not None and ended.exit_code == 0) or one.started:
            continue
        told = _container_column(one.state)
        return f"Init:{told}" if told not in {"", *_STARTING} else f"Init:{place}/{len(statuses)}"
    return ""


def _container_column(state: Any) -> str:
    """Why one container does not run; empty where it does, or where nothing is known."""
    if state is None or state.running is not None:
        return ""
    if state.waiting is not None:
        return state.waiting.reason or ""
    if state.terminated is None:
        return ""
    ended = state.terminated
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}")


def _specs(pod: Any) -> Iterable[Any]:
    return (*(pod.spec.init_containers or ()), *pod.spec.containers)


def troubled_container(pod: Any) -> tuple[str, Any]:
    """The container to look at, and its status if it has one: the first that is in trouble, else the pod's main one."""
    statuses = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for one in statuses:
        ended = one.state.terminated if one.state else None
        if _container_column(one.state) not in {"", *_STARTING} and (ended is None or ended.exit_code != 0):
            return one.name, one
    main = (pod.metadata.annotations or {}).get("kubectl.kubernetes.io/default-container", pod.spec.containers[0].name)
    return main, next((one for one in statuses if one.name == main), None)


def _last_end(status: Any) -> Any:
    if status is None:
        return None
    for state in (status.state, status.last_state):
        if state is not None and state.terminated is not None:
            return state.terminated
    return None
