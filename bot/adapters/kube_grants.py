"""What the bot's two Kubernetes credentials have to be granted, and whether they are, by the API server itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes_asyncio import client

from bot.adapters.kube_api import KubeApi


@dataclass(frozen=True)
class Grant:
    """One verb on one resource, in the bot's namespace."""

    verb: str
    resource: str
    """Plural, with a subresource after a slash."""
    group: str = ""
    name: str = ""
    """Of the one object it is about; every one where empty."""

    def __str__(self) -> str:
        """``patch on deployments``."""
        return f"{self.verb} on {self.resource}" + (f"/{self.name}" if self.name else "")


READS = (
    Grant("list", "pods"),
    Grant("get", "pods/log"),
    Grant("get", "pods/exec"),
    Grant("list", "events"),
    Grant("list", "persistentvolumeclaims"),
    Grant("list", "networkpolicies", "networking.k8s.io"),
    Grant("list", "pods", "metrics.k8s.io"),
)
"""Of the credential that probes use."""


def writes(secrets: Sequence[str]) -> Sequence[Grant]:
    """Of the credential that changes things; `secrets` are the names of those that are rotated."""
    named = [Grant(verb, "secrets", name=secret) for secret in secrets for verb in ("get", "patch")]
    return (
        Grant("get", "deployments", "apps"),
        Grant("patch", "deployments", "apps"),
        Grant("list", "pods"),
        Grant("get", "pods/exec"),
        *named,
    )


FORBIDDEN_TO_READERS = (Grant("patch", "deployments", "apps"), Grant("patch", "secrets"), Grant("delete", "pods"))
"""What a credential that only reads must not be granted."""


async def granted(kube: KubeApi, grants: Sequence[Grant]) -> Sequence[bool]:
    """Whether each is granted to the credential behind this connection (SelfSubjectAccessReview).

    Raises:
        UnavailableError: the API server does not answer, or takes no reviews.
    """
    return await asyncio.gather(*(_review(kube, grant) for grant in grants))


async def _review(kube: KubeApi, grant: Grant) -> bool:
    resource, _, sub = grant.resource.partition("/")
    attributes = {
        "namespace": kube.namespace,
        "verb": grant.verb,
        "group": grant.group,
        "resource": resource,
        "subresource": sub,
        "name": grant.name,
    }
    body = {"spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}}}

    async def question(api: Any) -> Any:
        reviews: Any = client.AuthorizationV1Api(api)
        return await reviews.create_self_subject_access_review(body, _request_timeout=kube.timeout)

    found = await kube.ask(question, "ask what the token may do", "create on selfsubjectaccessreviews")
    return bool(found.status.allowed)
