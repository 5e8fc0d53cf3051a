"""``metrics.k8s.io``: what each pod uses, as ``metrics-server`` publishes it and ``kubectl top pod`` reads it."""

import time

from bot.drill.cluster import kubelet
from bot.drill.cluster.failures import Object, no_such_path, not_found
from bot.drill.cluster.kinds import METRICS
from bot.drill.cluster.request import Asked
from bot.drill.cluster.select import labels_match
from bot.drill.cluster.state import State, owner_of
from bot.drill.cluster.store import stamp

_SHORT_OF_LIMIT = 4 * 2**20
"""Bytes: the last sample of a container that was killed for memory lies this much below its limit."""
_USUAL_SHARE = 4
"""A container that is well uses one such part of its limit."""
_WITHOUT_LIMIT = 96 * 2**20


def usage(state: State, asked: Asked) -> Object:
    """The answer to a list, or to a get of one pod. Raises `RefusedError` (404) where nothing measures."""
    if state.troubles.metrics_missing:
        raise no_such_path()
    test = labels_match(asked.query.get("labelSelector", ""))
    items = [
        _sample(state, pod)
        for pod in state.store.all_of("pods", asked.namespace or None)
        if test(pod) and state.life(pod["metadata"]["name"], time.time()).started
    ]
    if not asked.name:
        head = {"kind": "PodMetricsList", "apiVersion": METRICS.group_version}
        return {**head, "metadata": {}, "items": items}
    found = next((item for item in items if item["metadata"]["name"] == asked.name), None)
    if found is None:
        raise not_found(METRICS.plural, METRICS.group, asked.name)
    return found


def memory_used(state: State, pod: Object) -> int:
    """Bytes."""
    ailment, limit = state.ailment(owner_of(pod)), kubelet.memory_limit(pod["spec"])
    if ailment is not None and ailment.kind == "oom" and limit < ailment.needs:
        return limit - _SHORT_OF_LIMIT
    return limit // _USUAL_SHARE if limit < 2**50 else _WITHOUT_LIMIT


def _sample(state: State, pod: Object) -> Object:
    """What one pod used when it was last measured: a container that doesn't run isn't measured any more."""
    meta, now = pod["metadata"], time.time()
    life, used = state.life(meta["name"], now), memory_used(state, pod)
    at = str(life.last_end["finishedAt"]) if life.crashed and life.last_end else stamp(now)
    return {
        "kind": METRICS.kind,
        "apiVersion": METRICS.group_version,
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": at,
            "labels": meta.get("labels", {}),
        },
        "timestamp": at,
        "window": "15.000s",
        "containers": [
            {"name": one["name"], "usage": {"cpu": "3124815n", "memory": f"{used // 1024}Ki"}}
            for one in pod["spec"]["containers"]
        ],
    }
