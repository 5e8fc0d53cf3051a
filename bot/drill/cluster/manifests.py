"""The objects the cluster begins with."""

import base64

from bot.drill.cluster.apps import DEPLOYMENTS, POSTGRES, POSTGRES_POD, App
from bot.drill.cluster.failures import Object
from bot.drill.cluster.store import Store
from bot.drill.ledger.access import services_token

NAMESPACE = "musd"


def first_objects(store: Store, now: float) -> None:
    """Fill an empty store."""
    for name in ("default", "kube-system", NAMESPACE):
        labels = {"kubernetes.io/metadata.name": name}
        item = {"metadata": {"name": name, "labels": labels}, "status": {"phase": "Active"}}
        store.create("namespaces", item, now)
    for app in DEPLOYMENTS:
        store.create("deployments", _deployment(app), now)
    store.create("pods", postgres_pod(), now)
    for name, key, value in (
        ("relay-private-key", "relayer_private_key", "0x" + "5a" * 32),
        ("canton-token", "canton_token", services_token()),
        ("canton-postgres", "password", "practice-postgres-password"),
    ):
        encoded = base64.b64encode(value.encode()).decode()
        store.create("secrets", {"metadata": _meta(name), "type": "Opaque", "data": {key: encoded}}, now)
    store.create("configmaps", {"metadata": _meta("musd-contracts"), "data": {"chain_id": "1"}}, now)
    for name, size in ((f"data-{POSTGRES_POD}", "50Gi"), ("relay-state", "1Gi")):
        store.create("persistentvolumeclaims", _claim(name, size), now)
    for policy in _policies():
        store.create("networkpolicies", policy, now)


def _meta(name: str, labels: dict[str, str] | None = None) -> Object:
    return {"name": name, "namespace": NAMESPACE, **({"labels": labels} if labels else {})}


def _container(app: App) -> Object:
    env: list[Object] = [{"name": name, "value": value} for name, value in app.env]
    env += [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}} for name, secret, key in app.secrets
    ]
    return {
        "name": app.container,
        "image": app.image,
        "imagePullPolicy": "IfNotPresent",
        "env": env,
        "ports": [{"name": "main", "containerPort": app.port, "protocol": "TCP"}],
        "resources": {
            "limits": {"cpu": "500m", "memory": app.memory},
            "requests": {"cpu": "100m", "memory": app.memory},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def _deployment(app: App) -> Object:
    labels = {"app": app.app_label, **dict(app.labels)}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    return {
        "metadata": _meta(app.name, labels),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "strategy": rolling if app.overlaps else {"type": "Recreate"},
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [_container(app)],
                    "restartPolicy": "Always",
                    "serviceAccountName": app.name,
                    "terminationGracePeriodSeconds": 30,
                },
            },
        },
    }


def postgres_pod() -> Object:
    """The ledger's database: one pod with a name that stays, as a StatefulSet would keep it."""
    container = _container(POSTGRES)
    container["volumeMounts"] = [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{POSTGRES_POD}"}}
    spec = {
        "containers": [container],
        "volumes": [claim],
        "restartPolicy": "Always",
        "nodeName": "node-1",
        "terminationGracePeriodSeconds": 30,
    }
    labels = {"app": POSTGRES.name, "statefulset.kubernetes.io/pod-name": POSTGRES_POD}
    return {"metadata": _meta(POSTGRES_POD, labels), "spec": spec}


def _claim(name: str, size: str) -> Object:
    storage = {"storage": size}
    return {
        "metadata": _meta(name),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": storage},
            "storageClassName": "standard",
            "volumeMode": "Filesystem",
            "volumeName": f"pvc-{name}",
        },
        "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": storage},
    }


def _policies() -> list[Object]:
    def policy(name: str, pods: dict[str, str], egress: list[Object]) -> Object:
        selector = {"matchLabels": pods} if pods else {}
        return {
            "metadata": _meta(name),
            "spec": {"podSelector": selector, "policyTypes": ["Egress"], "egress": egress},
        }

    participant = {"to": [{"podSelector": {"matchLabels": {"app": "canton-participant"}}}]}
    outside = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 443}]}
    return [
        policy("default-deny-egress", {}, []),
        policy("allow-canton", {}, [participant]),
        policy("allow-ethereum", {}, [outside]),
    ]
