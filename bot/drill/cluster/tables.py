"""Lists as tables, the way ``kubectl get`` asks for them."""

import time
from collections.abc import Callable
from typing import Any

from bot.drill.cluster.failures import Object
from bot.drill.cluster.store import epoch

_Cells = Callable[[Object], list[Any]]


def _age(at: str | None) -> str:
    if not at:
        return "<unknown>"
    since = epoch(at)
    seconds = max(int(time.time() - since), 0)
    for size, unit, limit in ((1, "s", 120), (60, "m", 180), (3600, "h", 48)):
        if seconds < size * limit:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86400}d"


def pod_status(pod: Object) -> str:
    """The word under STATUS: the container's trouble if it has one, else the pod's phase."""
    status = pod.get("status", {})
    word = str(status.get("reason") or status.get("phase", "Pending"))
    for container in status.get("containerStatuses", ()):
        waiting, ended = container["state"].get("waiting"), container["state"].get("terminated")
        if waiting and waiting.get("reason"):
            word = waiting["reason"]
        elif ended:
            word = ended.get("reason") or f"ExitCode:{ended['exitCode']}"
    return "Terminating" if "deletionTimestamp" in pod["metadata"] else word


def _pod(pod: Object) -> list[Any]:
    containers = pod.get("status", {}).get("containerStatuses", [])
    restarts = sum(container["restartCount"] for container in containers)
    ends = [container["lastState"]["terminated"]["finishedAt"] for container in containers if container["lastState"]]
    ready = sum(container["ready"] for container in containers)
    shown = f"{restarts} ({_age(max(ends))} ago)" if restarts and ends else str(restarts)
    return [
        f"{ready}/{len(pod['spec']['containers'])}",
        pod_status(pod),
        shown,
        _age(pod["metadata"]["creationTimestamp"]),
        pod.get("status", {}).get("podIP", "<none>"),
        pod["spec"].get("nodeName", "<none>"),
        "<none>",
        "<none>",
    ]


def _selector(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _containers(item: Object) -> list[str]:
    containers = item["spec"]["template"]["spec"]["containers"]
    return [",".join(c["name"] for c in containers), ",".join(c["image"] for c in containers)]


def _deployment(item: Object) -> list[Any]:
    status = item.get("status", {})
    return [
        f"{status.get('readyReplicas', 0)}/{item['spec'].get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(item["metadata"]["creationTimestamp"]),
        *_containers(item),
        _selector(item["spec"]["selector"]["matchLabels"]),
    ]


def _replica_set(item: Object) -> list[Any]:
    status = item.get("status", {})
    return [
        item["spec"]["replicas"],
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(item["metadata"]["creationTimestamp"]),
        *_containers(item),
        _selector(item["spec"]["selector"]["matchLabels"]),
    ]


def _claim(item: Object) -> list[Any]:
    spec = item["spec"]
    return [
        item.get("status", {}).get("phase", "Pending"),
        spec.get("volumeName", ""),
        item.get("status", {}).get("capacity", {}).get("storage", ""),
        ",".join({"ReadWriteOnce": "RWO", "ReadWriteMany": "RWX"}.get(mode, mode) for mode in spec["accessModes"]),
        spec.get("storageClassName", ""),
        "<unset>",
        _age(item["metadata"]["creationTimestamp"]),
        spec.get("volumeMode", ""),
    ]


def _event(item: Object) -> list[Any]:
    about = item["involvedObject"]
    return [
        _age(item["lastTimestamp"]),
        item["type"],
        item["reason"],
        f"{about['kind'].lower()}/{about['name']}",
        item["message"],
    ]


def _policy(item: Object) -> list[Any]:
    labels = item["spec"].get("podSelector", {}).get("matchLabels", {})
    return [_selector(labels), _age(item["metadata"]["creationTimestamp"])]


def _counted(item: Object) -> list[Any]:
    return [len(item.get("data") or {}), _age(item["metadata"]["creationTimestamp"])]


# Column names, those only shown with -o wide in lower case; the name's own column comes first everywhere
# but with events, which have none.
_TABLES: dict[str, tuple[str, _Cells]] = {
    "pods": ("Ready Status Restarts Age ip node nominated readiness", _pod),
    "deployments": ("Ready Up-to-date Available Age containers images selector", _deployment),
    "replicasets": ("Desired Current Ready Age containers images selector", _replica_set),
    "secrets": (
        "Type Data Age",
        lambda item: [item.get("type", "Opaque"), *_counted(item)],
    ),
    "configmaps": ("Data Age", _counted),
    "persistentvolumeclaims": (
        "Status Volume Capacity Access StorageClass VolumeAttributesClass Age volumemode",
        _claim,
    ),
    "events": ("Last Type Reason Object Message", _event),
    "networkpolicies": ("Pod-Selector Age", _policy),
    "namespaces": (
        "Status Age",
        lambda item: [item["status"]["phase"], _age(item["metadata"]["creationTimestamp"])],
    ),
}
_LONG = {
    "ip": "IP",
    "node": "Node",
    "nominated": "Nominated Node",
    "readiness": "Readiness Gates",
    "containers": "Containers",
    "images": "Images",
    "selector": "Selector",
    "volumemode": "VolumeMode",
    "Access": "Access Modes",
    "Last": "Last Seen",
}


def as_table(plural: str, items: list[Object], version: int, *, whole: bool, continued: bool = False) -> Object:
    """A ``Table`` of objects. Rows carry the whole object or only its metadata; a continued one has no columns."""
    words, cells = _TABLES[plural]
    named = plural != "events"
    columns = [("Name", "string", 0)] if named else []
    columns += [(_LONG.get(word, word), "string", int(word.islower())) for word in words.split()]
    definitions = [
        {"name": name, "type": kind, "format": "name" if name == "Name" else "", "description": "", "priority": wide}
        for name, kind, wide in columns
    ]
    rows = []
    for item in items:
        start = [item["metadata"]["name"]] if named else []
        part = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}
        rows.append({"cells": start + cells(item), "object": item if whole else part})
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [] if continued else definitions,
        "rows": rows,
    }
