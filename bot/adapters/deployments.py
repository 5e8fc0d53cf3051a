"""Changing the protocol's deployments, under a credential that the probes do not have."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes_asyncio import client

from bot.adapters import pods
from bot.adapters.kube_api import KubeApi
from bot.errors import RefusedError
from bot.ports import Change, Deployment, Pod

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation `kubectl rollout restart` writes into the pods' template."""
PARKED = "musd-bot/replicas-before"
"""Our annotation on a deployment that the bot stopped: how many pods to bring back."""
_STRATEGIC = "application/strategic-merge-patch+json"
_MANAGER = "musd-bot"


class KubernetesDeployments:
    """Fulfils `ports.ClusterWrites`."""

    def __init__(self, kube: KubeApi, deployments: Mapping[str, str], single: Sequence[str]) -> None:
        """Change these deployments and no others.

        Args:
            kube: the connection, with the write credential.
            deployments: their names by the bot's word for them, in the order in which all are restarted.
            single: those, by the bot's word, of which two pods may never run at once.
        """
        self._kube = kube
        self._deployments = {**{own: own for own in deployments.values()}, **deployments}
        self.names = tuple(deployments)
        self.single = tuple(single)

    @property
    def where(self) -> str:
        """The namespace."""
        return self._kube.namespace

    def by_hand(self, name: str) -> str:
        """``kubectl get deployment``."""
        return f"kubectl -n {self.where} get deployment {name} -o yaml"

    async def look(self, name: str) -> Deployment:
        """How it stands now."""
        return _summed_up(await self._read(name))

    async def pods(self, name: str) -> Sequence[Pod]:
        """Its pods, also those on their way out."""
        labels = (await self._read(name)).spec.selector.match_labels
        selector = ",".join(f"{key}={value}" for key, value in labels.items())

        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).list_namespaced_pod(
                self._kube.namespace, label_selector=selector, _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list pods", "list on pods")
        return [pods.summed_up(pod) for pod in sorted(found.items, key=lambda pod: str(pod.metadata.name))]

    async def change(self, name: str, change: Change, *, dry: bool = False) -> None:
        """Patch it: one request, so that it is changed whole or not at all."""
        own = self._own(name)
        body = _patch(change, await self._read(name))

        async def question(api: Any) -> Any:
            apps: Any = client.AppsV1Api(api)
            return await apps.patch_namespaced_deployment(
                own,
                self._kube.namespace,
                body,
                field_manager=_MANAGER,
                dry_run="All" if dry else None,
                _content_type=_STRATEGIC,
                _request_timeout=self._kube.timeout,
            )

        await self._kube.ask(question, f"change deployment {own}", "patch on deployments", writes=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._kube.close()

    async def _read(self, name: str) -> Any:
        own = self._own(name)

        async def question(api: Any) -> Any:
            apps: Any = client.AppsV1Api(api)
            return await apps.read_namespaced_deployment(own, self._kube.namespace, _request_timeout=self._kube.timeout)

        return await self._kube.ask(question, f"read deployment {own}", "get on deployments")

    def _own(self, name: str) -> str:
        try:
            return self._deployments[name]
        except KeyError:
            raise RefusedError(
                f"There is no deployment {name!r} that this bot may change.",
                means="Nothing was changed.",
                next_step=f"MUSD_DEPLOYMENTS names {', '.join(self.names) or 'none'}.",
            ) from None


def _patch(change: Change, present: Any) -> dict[str, Any]:
    """The strategic merge patch of a change; what the deployment was parked at is kept in an annotation."""
    spec: dict[str, Any] = {}
    body: dict[str, Any] = {"spec": spec}
    if change.replicas is not None:
        spec["replicas"] = change.replicas
        before = str(present.spec.replicas) if change.replicas == 0 and present.spec.replicas else None
        if change.replicas or before:
            body["metadata"] = {"annotations": {PARKED: before}}
    template: dict[str, Any] = {}
    if change.mark is not None:
        template["metadata"] = {"annotations": {RESTARTED_AT: change.mark}}
    container: dict[str, Any] = {}
    if change.memory is not None:
        container["resources"] = {"limits": {"memory": change.memory}}
    if change.env:
        container["env"] = [{"name": name, "value": value} for name, value in change.env.items()]
    if container:
        name = present.spec.template.spec.containers[0].name
        template["spec"] = {"containers": [{"name": name, **container}]}
    if template:
        spec["template"] = template
    return body


def _summed_up(found: Any) -> Deployment:
    spec, status = found.spec, found.status
    container = spec.template.spec.containers[0]
    limits = (container.resources.limits if container.resources else None) or {}
    conditions = {one.type: one for one in status.conditions or ()}
    progressing, failure = conditions.get("Progressing"), conditions.get("ReplicaFailure")
    gave_up = progressing is not None and progressing.status == "False"
    return Deployment(
        name=found.metadata.name,
        replicas=spec.replicas,
        paused=bool(spec.paused),
        parked=int((found.metadata.annotations or {}).get(PARKED, 0)),
        overlaps=spec.strategy is None or spec.strategy.type != "Recreate",
        image=container.image,
        memory=limits.get("memory", ""),
        env={one.name: one.value for one in container.env or () if one.value is not None},
        mark=(spec.template.metadata.annotations or {}).get(RESTARTED_AT, ""),
        settled=(status.observed_generation or 0) >= found.metadata.generation,
        present=status.replicas or 0,
        updated=status.updated_replicas or 0,
        available=status.available_replicas or 0,
        given_up=(progressing.message or "it has timed out") if progressing is not None and gave_up else "",
        failure=(failure.message or "") if failure is not None and failure.status == "True" else "",
    )
