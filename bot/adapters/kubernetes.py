"""Reading Kubernetes: pods as `kubectl get pods` sums them up, and their logs. It can't change anything."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from kubernetes_asyncio import client

from bot.adapters import log_tail, pods
from bot.adapters.kube_api import TIMEOUT, KubeApi, message
from bot.adapters.pod_commands import reads_only, run
from bot.errors import UnavailableError
from bot.ports import Executed, Pod, Usage

_EVENT_AT_MOST = 2000
"""Characters of one event that are kept."""
_PIECE = 64 * 1024
_PODS_AT_MOST = 20
"""Pods whose logs are read at once."""
_EVENTS_AT_MOST = 8
_OK, _NOT_FOUND = 200, 404


class KubernetesReads:
    """Fulfils `ports.ClusterReads`. Connects when it is first asked, so that a bot without a cluster starts."""

    def __init__(
        self,
        namespace: str,
        kubeconfig: Path | None = None,
        *,
        selectors: Mapping[str, str] | None = None,
        owners: Mapping[str, str] | None = None,
        context: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Read one namespace.

        Args:
            namespace: where the protocol's pods are.
            kubeconfig: a file; without one, the service account of the pod that the bot runs in.
            selectors: labels by application, such as ``{"musd-relay": "app=relay"}``; ``app=`` and its name elsewhere.
            owners: deployments by application, for those whose labels they share with others, such as one validator.
            context: which of the kubeconfig's contexts; its current one when not given.
            timeout: seconds for one request.
        """
        self._kube = KubeApi(namespace, kubeconfig, context=context, timeout=timeout)
        self._selectors = selectors or {}
        self._owners = owners or {}

    def composed(self, app: str) -> bool:
        """No: whatever is asked here is Kubernetes' business."""
        del app
        return False

    async def pods(self, app: str) -> Sequence[Pod]:
        """The pods of an application, such as ``musd-relay``, by name."""
        return [pods.summed_up(pod) for pod in await self._of(app)]

    async def logs(self, app: str, tail: int, since: timedelta | None = None) -> Sequence[str]:
        """The last `tail` lines of each such pod, the previous container's where the present one hasn't started.

        Where there are several pods, each line begins with its pod's name in brackets.

        Raises:
            UnavailableError: there is no such pod, or none has a log.
        """
        found = (await self._of(app))[:_PODS_AT_MOST]
        if not found:
            of = f"belongs to {self._owners[app]}" if app in self._owners else f"has the labels {self._selector(app)}"
            raise UnavailableError(f"No pod in {self._kube.namespace} {of}, so there is no log.")
        logs = await asyncio.gather(*(self._log(pod, tail, since) for pod in found))
        missing = [log for log in logs if isinstance(log, UnavailableError)]
        if len(missing) == len(logs):
            raise missing[0]
        if len(found) == 1:
            return [line for log in logs if not isinstance(log, UnavailableError) for line in log]
        return [line for pod, log in zip(found, logs, strict=True) for line in _prefixed(pod.metadata.name, log)]

    async def execute(self, app: str, command: Sequence[str]) -> Sequence[Executed]:
        """Run a command that only reads in each running pod of an application.

        Raises:
            RefusedError: the command is none of those that are known to read only.
        """
        reads_only(command)
        found = [pod for pod in await self._pods(self._selector(app)) if pod.status.phase == "Running"]
        return await asyncio.gather(*(self._executed(pod, command) for pod in found[:_PODS_AT_MOST]))

    async def warnings(self, app: str) -> Sequence[str]:
        """The newest warning events about an application's pods."""
        names = {pod.metadata.name for pod in await self._pods(self._selector(app))}

        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).list_namespaced_event(
                self._kube.namespace, field_selector="type=Warning", _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list events", "list on events")
        about = [event for event in found.items if event.involved_object.name in names]
        about.sort(key=lambda event: str(event.last_timestamp or ""))
        told = (
            f"{one.reason}: {one.message} ({one.count or 1} times)"[:_EVENT_AT_MOST] for one in about[-_EVENTS_AT_MOST:]
        )
        return list(told)

    async def policies(self) -> Sequence[str]:
        """The names of the NetworkPolicies there are."""

        async def question(api: Any) -> Any:
            networking: Any = client.NetworkingV1Api(api)
            return await networking.list_namespaced_network_policy(
                self._kube.namespace, _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list NetworkPolicies", "list on networkpolicies")
        return sorted(policy.metadata.name for policy in found.items)

    async def claims(self) -> Sequence[str]:
        """The volumes claimed."""

        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).list_namespaced_persistent_volume_claim(
                self._kube.namespace, _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list volume claims", "list on persistentvolumeclaims")
        return [
            f"{claim.metadata.name}  {claim.status.phase}  {(claim.status.capacity or {}).get('storage', '?')}"
            for claim in found.items
        ]

    async def usage(self, app: str) -> Sequence[Usage] | None:
        """What its pods used when they were last measured; None where the cluster has no ``metrics.k8s.io``."""

        async def question(api: Any) -> Any:
            try:
                return await client.CustomObjectsApi(api).list_namespaced_custom_object(
                    "metrics.k8s.io",
                    "v1beta1",
                    self._kube.namespace,
                    "pods",
                    label_selector="" if app in self._owners else self._selector(app),
                    _request_timeout=self._kube.timeout,
                )
            except client.ApiException as error:
                if error.status == _NOT_FOUND:
                    return None
                raise

        found = await self._kube.ask(question, "list pods' metrics", "list on pods in metrics.k8s.io")
        return None if found is None else [pods.measured(one) for one in found["items"]]

    async def close(self) -> None:
        """Close the connections."""
        await self._kube.close()

    async def _of(self, app: str) -> list[Any]:
        """An application's pods: by its labels, or by the deployment they belong to."""
        if app not in self._owners:
            return await self._pods(self._selector(app))
        return [pod for pod in await self._pods("") if pods.owner(pod) == self._owners[app]]

    def _selector(self, app: str) -> str:
        return self._selectors.get(app, f"app={app}")

    async def _pods(self, selector: str) -> list[Any]:
        async def question(api: Any) -> Any:
            return await client.CoreV1Api(api).list_namespaced_pod(
                self._kube.namespace, label_selector=selector, _request_timeout=self._kube.timeout
            )

        found = await self._kube.ask(question, "list pods", "get, list on pods")
        return sorted(found.items, key=lambda pod: pod.metadata.name)

    async def _log(self, pod: Any, tail: int, since: timedelta | None = None) -> Sequence[str] | UnavailableError:
        """A pod's log, or why there is none."""
        container, status = pods.troubled_container(pod)
        waits = status is not None and status.state is not None and status.state.waiting is not None
        ran_before = status is not None and status.restart_count > 0

        async def question(api: Any) -> bytes:
            core: Any = client.CoreV1Api(api)
            response = await core.read_namespaced_pod_log(
                pod.metadata.name,
                self._kube.namespace,
                container=container,
                previous=waits and ran_before,
                tail_lines=tail,
                since_seconds=None if since is None else max(1, int(since.total_seconds())),
                _preload_content=False,
                _request_timeout=self._kube.timeout,
            )
            async with response:
                text = await log_tail.newest(response.content.iter_chunked(_PIECE))
            if response.status != _OK:
                raise client.ApiException(status=response.status, reason=message(text))
            return text

        try:
            text = await self._kube.ask(question, "read pods' logs", "get on pods/log")
        except UnavailableError as error:
            return UnavailableError(f"No log of {pod.metadata.name}: {error.happened}", next_step=error.next_step)
        return log_tail.lines(text)

    async def _executed(self, pod: Any, command: Sequence[str]) -> Executed:
        name, made_by = pod.metadata.name, pods.owner(pod)
        container, _ = pods.troubled_container(pod)

        async def question(api: Any) -> tuple[int | None, str]:
            return await run(
                api.configuration, self._kube.namespace, name, container, command, within=self._kube.timeout
            )

        try:
            code, text = await self._kube.ask(question, "run a command in a pod", "create on pods/exec")
        except UnavailableError as error:
            return Executed(name, made_by, None, error.happened)
        return Executed(name, made_by, code, text)


def _prefixed(pod: str, log: Sequence[str] | UnavailableError) -> Sequence[str]:
    lines = [f"({log.happened})"] if isinstance(log, UnavailableError) else log
    return [f"[{pod}] {line}" for line in lines]
