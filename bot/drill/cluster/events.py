"""Kubernetes Events: short notes about objects, repeated ones counted instead of repeated."""

from bot.drill.cluster.failures import Object
from bot.drill.cluster.state import State
from bot.drill.cluster.store import epoch, stamp

_KEPT = 200
_AGAIN_AFTER = 5.0
"""Seconds within which the same note about the same object is not counted again."""


def note(state: State, about: Object, reason: str, message: str, now: float, *, warning: bool = False) -> None:
    """Record that something happened to an object."""
    meta = about["metadata"]
    for event in state.store.all_of("events", meta["namespace"]):
        if (event["involvedObject"]["uid"], event["reason"], event["message"]) == (meta["uid"], reason, message):
            if now - epoch(event["lastTimestamp"]) < _AGAIN_AFTER:
                return
            fresh = {**event, "count": event["count"] + 1, "lastTimestamp": stamp(now)}
            state.store.replace("events", fresh)
            return
    _drop_oldest(state, meta["namespace"])
    name = f"{meta['name']}.{int(now * 1e9):x}{state.store.version:x}"
    state.store.create("events", _event(about, name, reason, message, now, warning=warning), now)


def _event(about: Object, name: str, reason: str, message: str, now: float, *, warning: bool) -> Object:
    meta = about["metadata"]
    component = {"Pod": "kubelet", "ReplicaSet": "replicaset-controller"}.get(about["kind"], "deployment-controller")
    return {
        "metadata": {"name": name, "namespace": meta["namespace"]},
        "involvedObject": {
            "kind": about["kind"],
            "apiVersion": about["apiVersion"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
    }


def _drop_oldest(state: State, namespace: str) -> None:
    events = state.store.all_of("events", namespace)
    if len(events) >= _KEPT:
        oldest = min(events, key=lambda event: str(event["lastTimestamp"]))
        state.store.delete("events", namespace, oldest["metadata"]["name"])
