"""Who is asking and what they may do: bearer tokens, RBAC rules, access reviews."""

import base64
import copy
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.drill.cluster.failures import Object, RefusedError
from bot.drill.cluster.manifests import NAMESPACE

READER = f"system:serviceaccount:{NAMESPACE}:musd-bot-reader"
WRITER = f"system:serviceaccount:{NAMESPACE}:musd-bot-writer"

_READ = ["get", "list", "watch"]
_REVIEWS = {
    "apiGroups": ["authorization.k8s.io", "authentication.k8s.io"],
    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"],
    "verbs": ["create"],
}
_READ_RULES: list[Object] = [
    {
        "apiGroups": [""],
        "resources": ["pods", "pods/log", "events", "configmaps", "persistentvolumeclaims", "namespaces"],
        "verbs": _READ,
    },
    {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale", "replicasets"], "verbs": _READ},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _READ},
    {"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": ["get", "list"]},
    _REVIEWS,
]
_WRITE = [*_READ, "create", "update", "patch", "delete"]
_WRITE_RULES: list[Object] = [
    {
        "apiGroups": [""],
        "resources": [
            *("pods", "pods/log", "pods/exec", "secrets", "configmaps", "events"),
            *("persistentvolumeclaims", "namespaces"),
        ],
        "verbs": _WRITE,
    },
    {"apiGroups": ["apps"], "resources": ["deployments", "deployments/scale", "replicasets"], "verbs": _WRITE},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": _WRITE},
    _REVIEWS,
]


@dataclass(frozen=True)
class Demand:
    """What one request asks leave for, in the words of RBAC."""

    verb: str
    group: str
    resource: str
    """Plural, with the subresource after a slash."""
    namespace: str = ""
    name: str = ""


@dataclass
class Access:
    """Users, their tokens and their rules; rules are RBAC ``PolicyRule`` objects and may be replaced."""

    tokens: dict[str, str] = field(
        default_factory=lambda: {user: secrets.token_urlsafe(24) for user in (READER, WRITER)}
    )
    """User → bearer token."""
    rules: dict[str, list[Object]] = field(
        default_factory=lambda: {READER: copy.deepcopy(_READ_RULES), WRITER: copy.deepcopy(_WRITE_RULES)}
    )

    asked: set[tuple[str, Demand]] = field(default_factory=set)
    """What was asked leave for so far, and by whom: the least that their rules have to grant."""

    def user(self, authorization: str) -> str:
        """The user of an ``Authorization`` header. Raises `RefusedError` (401)."""
        for user, token in self.tokens.items():
            if secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
                return user
        raise RefusedError(401, "Unauthorized", "Unauthorized")

    def allows(self, user: str, demand: Demand) -> bool:
        """Whether a user's rules, which hold in namespace ``musd``, grant the demand."""
        cluster_wide = demand.resource in {"namespaces", *_REVIEWS["resources"]}
        if demand.namespace != NAMESPACE and not cluster_wide:
            return False
        return any(_grants(rule, demand) for rule in self.rules[user])

    def insist(self, user: str, demand: Demand) -> None:
        """Raises `RefusedError` (403) where the user may not."""
        self.asked.add((user, demand))
        if not self.allows(user, demand):
            raise forbidden(user, demand)


def _grants(rule: Object, demand: Demand) -> bool:
    def listed(field_: str, value: str) -> bool:
        return "*" in rule[field_] or value in rule[field_]

    names = rule.get("resourceNames")
    return (
        listed("apiGroups", demand.group)
        and listed("resources", demand.resource)
        and listed("verbs", demand.verb)
        and (not names or demand.name in names)
    )


def forbidden(user: str, demand: Demand) -> RefusedError:
    """403, in the API server's words."""
    plural = demand.resource.split("/", maxsplit=1)[0]
    full = f"{plural}.{demand.group}" if demand.group else plural
    named = f' "{demand.name}"' if demand.name else ""
    where = f' in the namespace "{demand.namespace}"' if demand.namespace else " at the cluster scope"
    message = (
        f'{full}{named} is forbidden: User "{user}" cannot {demand.verb} resource "{demand.resource}" '
        f'in API group "{demand.group}"{where}'
    )
    return RefusedError(403, "Forbidden", message, {"name": demand.name, "group": demand.group, "kind": plural})


def write_kubeconfig(path: Path, url: str, trusted: bytes, access: Access) -> None:
    """A kubeconfig for an HTTPS address and its certificate: contexts ``reader`` and ``writer`` (the current one)."""
    users = {"reader": READER, "writer": WRITER}
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(trusted).decode()}
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "practice", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": access.tokens[user]}} for name, user in users.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "practice", "user": name, "namespace": NAMESPACE}} for name in users
        ],
        "current-context": "writer",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1))  # JSON is YAML, too
