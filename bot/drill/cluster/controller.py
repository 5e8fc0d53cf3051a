"""The deployment controller: ReplicaSets, rollouts and the status a rollout is watched by."""

import copy
import hashlib
import json
import math
import secrets
from typing import Any

from bot.drill.cluster import kubelet
from bot.drill.cluster.apps import POSTGRES_POD
from bot.drill.cluster.events import note
from bot.drill.cluster.failures import Object
from bot.drill.cluster.manifests import NAMESPACE, postgres_pod
from bot.drill.cluster.rollout import new_status
from bot.drill.cluster.state import State

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def reconcile(state: State, now: float) -> None:
    """One round: every deployment takes its next step, and the database's pod is there."""
    for deployment in state.store.all_of("deployments"):
        _reconcile_deployment(state, deployment, now)
    if state.store.find("pods", NAMESPACE, POSTGRES_POD) is None:
        state.store.create("pods", postgres_pod(), now)


def _safe(raw: bytes, length: int) -> str:
    return "".join(_SAFE[byte % len(_SAFE)] for byte in raw[:length])


def template_hash(template: Object) -> str:
    """The part of a ReplicaSet's name that stands for its pod template."""
    return _safe(hashlib.sha256(json.dumps(_said(template), sort_keys=True).encode()).digest(), 10)


def _said(value: Any) -> Any:
    """A value without what says nothing: typed clients send ``null`` and ``{}`` where others send nothing."""
    if isinstance(value, dict):
        return {key: said for key, one in value.items() if (said := _said(one)) not in (None, {}, [])}
    return [_said(one) for one in value] if isinstance(value, list) else value


def owned(state: State, plural: str, owner: Object) -> list[Object]:
    """The objects of a kind that an object controls."""
    uid = owner["metadata"]["uid"]
    return [
        item
        for item in state.store.all_of(plural, owner["metadata"]["namespace"])
        if any(reference["uid"] == uid for reference in item["metadata"].get("ownerReferences", ()))
    ]


def _owner_reference(owner: Object) -> list[Object]:
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def _reconcile_deployment(state: State, deployment: Object, now: float) -> None:
    sets = owned(state, "replicasets", deployment)
    new = _new_set(state, deployment, sets, now)
    deployment = state.store.get("deployments", NAMESPACE, deployment["metadata"]["name"])
    old = [item for item in sets if item["metadata"]["uid"] != new["metadata"]["uid"]]
    plan = _plan(state, deployment, new, old)
    for replica_set in (new, *old):
        _scale_set(state, deployment, replica_set, plan[replica_set["metadata"]["name"]], now)
    failure = ""
    for name in plan:
        failure = _fill_set(state, deployment["metadata"]["name"], name, now) or failure
    _trim_history(state, deployment, old)
    fresh_sets = owned(state, "replicasets", deployment)
    fresh_new = state.store.get("replicasets", NAMESPACE, new["metadata"]["name"])
    state.store.set_status("deployments", deployment, new_status(deployment, fresh_new, fresh_sets, failure, now))


def _revision(item: Object) -> int:
    return int(item["metadata"].get("annotations", {}).get(REVISION, 0))


def _new_set(state: State, deployment: Object, sets: list[Object], now: float) -> Object:
    """The ReplicaSet of the present template, made if need be and carrying the highest revision."""
    template = deployment["spec"]["template"]
    digest = template_hash(template)
    newest = max((_revision(item) for item in sets), default=0)
    found = next((item for item in sets if item["metadata"]["labels"][_HASH] == digest), None)
    if found is None:
        found = state.store.create("replicasets", _make_set(deployment, digest, newest + 1), now)
    elif _revision(found) < newest:
        found = _annotate(state, "replicasets", found, {REVISION: str(newest + 1)})
    _annotate(state, "deployments", deployment, {REVISION: str(_revision(found))})
    return found


def _annotate(state: State, plural: str, item: Object, annotations: dict[str, str]) -> Object:
    meta = item["metadata"]
    present = meta.get("annotations", {})
    if present.items() >= annotations.items():
        return item
    fresh = {**meta, "annotations": {**present, **annotations}}
    return state.store.replace(plural, {**item, "metadata": fresh})


def _make_set(deployment: Object, digest: str, revision: int) -> Object:
    template = copy.deepcopy(deployment["spec"]["template"])
    template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = digest
    labels = template["metadata"]["labels"]
    meta = deployment["metadata"]
    return {
        "metadata": {
            "name": f"{meta['name']}-{digest}",
            "namespace": meta["namespace"],
            "labels": labels,
            "annotations": {REVISION: str(revision)},
            "ownerReferences": _owner_reference(deployment),
        },
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": 0},
    }


def _share(value: Any, whole: int, *, up: bool) -> int:
    if isinstance(value, str):
        exact = int(value.removesuffix("%")) * whole / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value)


def _plan(state: State, deployment: Object, new: Object, old: list[Object]) -> dict[str, int]:
    """How many pods each ReplicaSet should have now, by the deployment's strategy."""
    desired = int(deployment["spec"].get("replicas", 1))
    name = new["metadata"]["name"]
    old_counts = {item["metadata"]["name"]: int(item["spec"]["replicas"]) for item in old}
    strategy = deployment["spec"].get("strategy", {})
    if strategy.get("type") == "Recreate":
        gone = not any(owned(state, "pods", item) for item in old)
        return {name: desired if gone else 0} | dict.fromkeys(old_counts, 0)
    if desired == 0 or not any(old_counts.values()):
        return {name: desired} | dict.fromkeys(old_counts, 0)
    rolling = strategy.get("rollingUpdate", {})
    surge = _share(rolling.get("maxSurge", "25%"), desired, up=True)
    unavailable = _share(rolling.get("maxUnavailable", "25%"), desired, up=False)
    if not surge and not unavailable:
        unavailable = 1
    present = int(new["spec"]["replicas"])
    total = present + sum(old_counts.values())
    room = max(desired + surge - total, 0)
    wanted = min(max(present + room, 0), desired) if present <= desired else desired
    fit = sum(kubelet.is_ready(pod) for pod in owned(state, "pods", new))
    spare = max(total - (desired - unavailable) - (present - fit), 0)
    for item, count in old_counts.items():
        cut = min(spare, count)
        old_counts[item] = count - cut
        spare -= cut
    return {name: wanted} | old_counts


def _scale_set(state: State, deployment: Object, replica_set: Object, replicas: int, now: float) -> None:
    before = int(replica_set["spec"]["replicas"])
    desired = str(deployment["spec"].get("replicas", 1))
    replica_set = _annotate(state, "replicasets", replica_set, {"deployment.kubernetes.io/desired-replicas": desired})
    if replicas == before:
        return
    state.store.replace("replicasets", {**replica_set, "spec": {**replica_set["spec"], "replicas": replicas}})
    way = "up" if replicas > before else "down"
    set_name = replica_set["metadata"]["name"]
    note(
        state, deployment, "ScalingReplicaSet", f"Scaled {way} replica set {set_name} from {before} to {replicas}", now
    )


def _fill_set(state: State, owner: str, name: str, now: float) -> str:
    """Start or end pods until the set has as many as it should. Returns why it could not."""
    replica_set = state.store.get("replicasets", NAMESPACE, name)
    pods = [pod for pod in owned(state, "pods", replica_set) if "deletionTimestamp" not in pod["metadata"]]
    wanted = int(replica_set["spec"]["replicas"])
    failure = ""
    ailment = state.ailment(owner)
    if ailment and ailment.kind in {"quota", "absent"} and len(pods) < wanted:
        failure = ailment.message
        note(state, replica_set, "FailedCreate", f"Error creating: {failure}", now, warning=True)
    else:
        pods += [_make_pod(state, replica_set, now) for _ in range(wanted - len(pods))]
    pods.sort(key=kubelet.is_ready)
    for pod in pods[: max(len(pods) - wanted, 0)]:
        kubelet.end(state, pod, now)
    kept = pods[max(len(pods) - wanted, 0) :]
    ready = sum(kubelet.is_ready(pod) for pod in kept)
    generation = replica_set["metadata"]["generation"]
    status = {"replicas": len(kept), "fullyLabeledReplicas": len(kept), "observedGeneration": generation}
    status |= {"readyReplicas": ready, "availableReplicas": ready} if ready else {}
    state.store.set_status("replicasets", replica_set, status)
    return failure


def _make_pod(state: State, replica_set: Object, now: float) -> Object:
    template = copy.deepcopy(replica_set["spec"]["template"])
    name = f"{replica_set['metadata']['name']}-{_safe(secrets.token_bytes(5), 5)}"
    meta = {
        **template.get("metadata", {}),
        "name": name,
        "namespace": replica_set["metadata"]["namespace"],
        "ownerReferences": _owner_reference(replica_set),
    }
    pod = {"metadata": meta, "spec": {**template["spec"], "nodeName": "node-1"}, "status": {"phase": "Pending"}}
    made = state.store.create("pods", pod, now)
    note(state, replica_set, "SuccessfulCreate", f"Created pod: {name}", now)
    state.life(name, now)
    return made


def _trim_history(state: State, deployment: Object, old: list[Object]) -> None:
    """Drop the oldest empty ReplicaSets beyond the revision history limit."""
    limit = int(deployment["spec"].get("revisionHistoryLimit", 10))
    empty = sorted((item for item in old if not owned(state, "pods", item)), key=_revision)
    for item in empty[: max(len(empty) - limit, 0)]:
        meta = item["metadata"]
        state.store.delete("replicasets", meta["namespace"], meta["name"])
