"""A practice cluster and what tests do with it, by the genuine kubernetes_asyncio client."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from kubernetes_asyncio import client, config
from kubernetes_asyncio.client.exceptions import ApiException
from kubernetes_asyncio.stream import WsApiClient

from bot.drill.cluster import Cluster

NS = "musd"
RELAY = "app=musd-relay"


async def settings(cluster: Cluster, context: str = "writer") -> client.Configuration:
    found = client.Configuration()
    await config.load_kube_config(str(cluster.kubeconfig), context=context, client_configuration=found)
    return found


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - what is waited for is seen over HTTP only
            await asyncio.sleep(0.03)


async def relay_pods(core: Any) -> list[Any]:
    return list((await core.list_namespaced_pod(NS, label_selector=RELAY)).items)


async def relay_pod(core: Any) -> str:
    return str((await relay_pods(core))[0].metadata.name)


async def waiting_for(core: Any, label: str) -> str:
    pods = (await core.list_namespaced_pod(NS, label_selector=label)).items
    states = [container.state for pod in pods for container in pod.status.container_statuses or ()]
    return next((state.waiting.reason for state in states if state.waiting), "")


async def health(cluster: Cluster) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{cluster.relay_url}/health") as answer:
        return answer.status, await answer.json()


async def run_in(
    cluster: Cluster, pod: str, *argv: str, stdin: bytes | None = None, protocol: str = "v5", context: str = "writer"
) -> tuple[int | None, bytes, bytes]:
    """Exit code (None where the connection ended without one), stdout and stderr of a command."""
    headers = {"sec-websocket-protocol": f"{protocol}.channel.k8s.io"}
    code, streams = None, {1: b"", 2: b""}
    async with WsApiClient(await settings(cluster, context)) as api:
        api.default_headers |= headers
        core: Any = client.CoreV1Api(api)
        connect = await core.connect_get_namespaced_pod_exec(
            pod,
            NS,
            command=list(argv),
            stdin=stdin is not None,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        async with connect as socket:
            if stdin is not None:
                await socket.send_bytes(b"\x00" + stdin)
                if protocol == "v5":
                    await socket.send_bytes(b"\xff\x00")
            async for message in socket:
                channel, content = message.data[0], message.data[1:]
                if channel == 3:
                    code = WsApiClient.parse_error_data(content)
                else:
                    streams[channel] += content
    return code, streams[1], streams[2]


async def restart(apps: Any, name: str) -> None:
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    await apps.patch_namespaced_deployment(name, NS, body)


async def apply_secret(core: Any, manager: str, value: str, *, force: bool = False) -> Any:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "relay-private-key"},
        "data": {"relayer_private_key": base64.b64encode(value.encode()).decode()},
    }
    return await core.patch_namespaced_secret(
        "relay-private-key",
        NS,
        body,
        field_manager=manager,
        force=force,
        _content_type="application/apply-patch+yaml",
    )


def status_of(refused: ApiException) -> Any:
    """The ``Status`` a refusal carries."""
    return json.loads(refused.body or "{}")
