"""The kinds of objects this cluster has, and the discovery documents that tell a client about them."""

from dataclasses import dataclass

from bot.drill.cluster.failures import Object

_READ = ("get", "list", "watch")
_ALL = ("create", "delete", *_READ, "patch", "update")


@dataclass(frozen=True)
class Kind:
    """One kind of object: where it lives in the API and what may be done with it."""

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    subresources: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Name, kind and verbs of each subresource."""
    verbs: tuple[str, ...] = _ALL
    counts_generations: bool = False
    """Whether a change of ``spec`` raises ``metadata.generation``."""

    @property
    def group_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The first part of its paths, without slashes at the ends: ``api/v1`` or ``apis/apps/v1``."""
        return f"apis/{self.group_version}" if self.group else f"api/{self.version}"


_STORED: tuple[Kind, ...] = (
    Kind("namespaces", "Namespace", namespaced=False, short=("ns",)),
    Kind(
        "pods",
        "Pod",
        short=("po",),
        verbs=("delete", *_READ, "patch", "update"),  # pods come from their controllers only
        subresources=(("log", "Pod", ("get",)), ("exec", "PodExecOptions", ("create", "get"))),
    ),
    Kind("secrets", "Secret"),
    Kind("configmaps", "ConfigMap", short=("cm",)),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",)),
    Kind("events", "Event", short=("ev",)),
    Kind(
        "deployments",
        "Deployment",
        "apps",
        short=("deploy",),
        verbs=(*_READ, "patch", "update"),  # which deployments there are is the world's business
        subresources=(("scale", "Scale", ("get", "patch", "update")),),
        counts_generations=True,
    ),
    Kind("replicasets", "ReplicaSet", "apps", short=("rs",), verbs=_READ, counts_generations=True),
    Kind("networkpolicies", "NetworkPolicy", "networking.k8s.io", short=("netpol",), counts_generations=True),
    Kind(
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        "authorization.k8s.io",
        namespaced=False,
        verbs=("create",),
    ),
    Kind(
        "selfsubjectrulesreviews", "SelfSubjectRulesReview", "authorization.k8s.io", namespaced=False, verbs=("create",)
    ),
    Kind("selfsubjectreviews", "SelfSubjectReview", "authentication.k8s.io", namespaced=False, verbs=("create",)),
)
BY_PLURAL = {kind.plural: kind for kind in _STORED}
"""Those that are kept as objects."""
METRICS = Kind("pods", "PodMetrics", "metrics.k8s.io", "v1beta1", verbs=("get", "list"))
"""Measured anew for every request, and so never stored."""
KINDS = (*_STORED, METRICS)
BY_PATH = {(kind.root, kind.plural): kind for kind in KINDS}
VERSION: Object = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.4",
    "gitCommit": "59526cd4867447956156ae3a602fcbac10a2c335",
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T16:02:27Z",
    "goVersion": "go1.23.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def _groups() -> dict[str, str]:
    return {kind.group: kind.group_version for kind in KINDS if kind.group}


def _group(name: str, group_version: str) -> Object:
    version = {"groupVersion": group_version, "version": group_version.rsplit("/", 1)[-1]}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resources(root: str) -> Object:
    """The ``APIResourceList`` of one group version."""
    resources: list[Object] = []
    kinds = [kind for kind in KINDS if kind.root == root]
    for kind in kinds:
        resources.append(
            {
                "name": kind.plural,
                "singularName": kind.kind.lower(),
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": list(kind.verbs),
                "shortNames": list(kind.short),
                "categories": ["all"]
                if kind is not METRICS and kind.plural in {"pods", "deployments", "replicasets"}
                else [],
            }
        )
        for name, sub_kind, verbs in kind.subresources:
            scale = {"group": "autoscaling", "version": "v1"} if sub_kind == "Scale" else {}
            resources.append(
                {
                    "name": f"{kind.plural}/{name}",
                    "singularName": "",
                    "namespaced": kind.namespaced,
                    "kind": sub_kind,
                    "verbs": list(verbs),
                    **scale,
                }
            )
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].group_version,
        "resources": resources,
    }


def _openapi(root: str) -> Object:
    """As much of OpenAPI v3 as kubectl reads: that the server validates fields itself."""
    paths = {}
    for kind in (kind for kind in KINDS if kind.root == root):
        middle = "namespaces/{namespace}/" if kind.namespaced else ""
        operation = {
            "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        }
        paths[f"/{root}/{middle}{kind.plural}/{{name}}"] = {"patch": operation}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": paths,
        "components": {"schemas": {}},
    }


def _documents() -> dict[str, Object]:
    groups = [_group(name, group_version) for name, group_version in _groups().items()]
    roots = {kind.root for kind in KINDS}
    documents: dict[str, Object] = {
        "version": VERSION,
        "api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
        "apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups},
        "openapi/v3": {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}?hash=1"} for root in roots}},
    }
    documents |= {root: _resources(root) for root in roots}
    documents |= {f"openapi/v3/{root}": _openapi(root) for root in roots}
    documents |= {f"apis/{group['name']}": {"kind": "APIGroup", "apiVersion": "v1", **group} for group in groups}
    return documents


DISCOVERY = _documents()
"""Path without slashes at the ends → the document found there."""
