"""The status of a deployment: the numbers and conditions that ``kubectl rollout status`` goes by."""

from bot.drill.cluster.failures import Object
from bot.drill.cluster.store import epoch, stamp


def new_status(deployment: Object, new: Object, sets: list[Object], failure: str, now: float) -> Object:
    """The status that follows from the deployment's ReplicaSets; `failure` says why pods can't be made."""
    before = deployment.get("status", {})
    desired = int(deployment["spec"].get("replicas", 1))
    ready = sum(item["status"].get("readyReplicas", 0) for item in sets)
    numbers = {
        "replicas": sum(item["status"].get("replicas", 0) for item in sets),
        "updatedReplicas": new["status"].get("replicas", 0),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(desired - ready, 0),
    }
    status: Object = {name: number for name, number in numbers.items() if number}
    status["observedGeneration"] = deployment["metadata"]["generation"]
    known = {condition["type"]: condition for condition in before.get("conditions", ())}
    moved = any(before.get(name, 0) != number for name, number in numbers.items())
    conditions = [_available(ready >= desired, known.get("Available"), now=now)]
    conditions.append(_progressing(deployment, new, numbers, known.get("Progressing"), moved=moved, now=now))
    if failure:
        conditions.append(
            _condition("ReplicaFailure", "True", "FailedCreate", failure, known.get("ReplicaFailure"), now=now)
        )
    status["conditions"] = conditions
    return status


def _condition(kind: str, value: str, reason: str, message: str, known: Object | None, *, now: float) -> Object:
    """A condition; the times of a known one that says the same are kept."""
    fresh = {"type": kind, "status": value, "reason": reason, "message": message}
    if known and {name: known[name] for name in fresh} == fresh:
        return known
    turned = known["lastTransitionTime"] if known and known["status"] == value else stamp(now)
    return {**fresh, "lastUpdateTime": stamp(now), "lastTransitionTime": turned}


def _available(ok: bool, known: Object | None, *, now: float) -> Object:
    if ok:
        return _condition(
            "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", known, now=now
        )
    return _condition(
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        known,
        now=now,
    )


def _progressing(
    deployment: Object, new: Object, numbers: dict[str, int], known: Object | None, *, moved: bool, now: float
) -> Object:
    name = f'ReplicaSet "{new["metadata"]["name"]}"'
    desired = int(deployment["spec"].get("replicas", 1))
    done = f"{name} has successfully progressed."
    complete = numbers["updatedReplicas"] == numbers["replicas"] == numbers["availableReplicas"] == desired
    # As the real controller: once a rollout is complete, a later crash of its pods does not undo that.
    if complete or (known is not None and known["message"] == done):
        return _condition("Progressing", "True", "NewReplicaSetAvailable", done, known, now=now)
    deadline = int(deployment["spec"].get("progressDeadlineSeconds", 600))
    timed_out = f"{name} has timed out progressing."
    if known is not None and not moved and name in known["message"]:
        since = epoch(known["lastUpdateTime"])
        if known["message"] == timed_out or now > since + deadline:
            return _condition("Progressing", "False", "ProgressDeadlineExceeded", timed_out, known, now=now)
        return known
    progressing = f"{name} is progressing."
    fresh = None if known is None else {**known, "reason": "", "message": ""}
    return _condition("Progressing", "True", "ReplicaSetUpdated", progressing, fresh, now=now)
