"""A Docker engine that runs the relay by docker-compose: the cluster's own relay, so that its faults show in both.

It answers what a client of the bot's asks of the Engine API (1.47), as that does: container names with a slash, frames
in logs, an upgraded connection under an exec. `--set docker_containers=musd-relay=relay-relay-1` has the bot use it.
"""

import asyncio
import copy
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from aiohttp import web

from bot.drill.cluster import Cluster, kubelet, metrics, network
from bot.drill.cluster.apps import RELAY
from bot.drill.cluster.failures import Object
from bot.drill.cluster.manifests import NAMESPACE
from bot.drill.cluster.state import Life, owner_of
from bot.drill.listening import Handler, Json, StandIn, down, slow
from bot.drill.part import Fault

CONTAINER = "relay-relay-1"
"""As `docker compose -f relay/docker-compose.yml up` names it."""
_ID = hashlib.sha256(CONTAINER.encode()).hexdigest()
_NEVER = "0001-01-01T00:00:00Z"
_STARTS_WITHIN = 8.0
"""Seconds that a restart waits for the container to run again."""
_STDOUT, _STDERR = 1, 2
_STREAM = "application/vnd.docker.multiplexed-stream"
_KILLED = 137


class Docker(StandIn):
    """The engine, and its one container."""

    name = "docker"
    faults = (
        down("docker"),
        slow("docker"),
        Fault("docker", "forbidden", "what stands before Docker's socket lets nothing pass but its version"),
        Fault("docker", "restart-fails", "a restart fails half-way", {"message": "Docker's words"}),
    )

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster
        self._execs: dict[str, Json] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Each with the API's version in front, as clients ask; the version itself without it, too."""
        version = r"/v{version:\d+\.\d+}"
        yield web.get("/version", self._version)
        yield web.get(f"{version}/version", self._version)
        yield web.get(version + "/exec/{id}/json", self._exec_shown)
        yield web.post(version + "/exec/{id}/start", self._exec_started)
        container = version + "/containers/{name}"
        yield web.get(f"{container}/json", self._known(self._shown))
        yield web.get(f"{container}/logs", self._known(self._logs))
        yield web.get(f"{container}/stats", self._known(self._stats))
        yield web.post(f"{container}/exec", self._known(self._exec_made))
        yield web.post(f"{container}/restart", self._known(self._restart))
        yield web.post(f"{container}/update", self._known(self._update))

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """As the engine, or what stands before it, words an error."""
        return _answer({"message": f"{request.path}: {status}"}, status)

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """The proxy's answer, where there is one."""
        if "forbidden" in self.broken and not request.path.endswith("/version"):
            return _answer({"message": "administrative rules forbid this request"}, 403)
        return None

    # --- reading -----------------------------------------------------------------------------------------------------

    def _known(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            name = request.match_info["name"]
            if name not in {CONTAINER, _ID, _ID[:12]}:
                return _answer({"message": f"No such container: {name}"}, 404)
            return await handler(request)

        return handle

    async def _version(self, _: web.Request) -> web.Response:
        return _answer({"Version": "27.5.1", "ApiVersion": "1.47", "MinAPIVersion": "1.24", "Os": "linux"})

    async def _shown(self, _: web.Request) -> web.Response:
        pod, spec = self._pod(), self._deployment()["spec"]["template"]["spec"]
        limit = kubelet.memory_limit(spec)
        memory = limit if limit < 2**50 else 0
        return _answer(
            {
                "Id": _ID,
                "Name": f"/{CONTAINER}",
                "State": self._state(pod),
                "RestartCount": self._life(pod).restarts if pod else 0,
                "HostConfig": {
                    "Memory": memory,
                    "MemorySwap": memory,
                    "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
                },
                "Config": {
                    "Image": spec["containers"][0]["image"],
                    "Tty": False,
                    "Labels": {"com.docker.compose.project": "relay", "com.docker.compose.service": "relay"},
                },
            }
        )

    def _state(self, pod: Object | None) -> Json:
        state = {"Running": False, "Paused": False, "Restarting": False, "OOMKilled": False, "Dead": False}
        if pod is None:
            gone = {"Status": "exited", "ExitCode": _KILLED, "StartedAt": _NEVER, "FinishedAt": _stamp(time.time())}
            return {**state, "Error": "", **gone}
        life = self._life(pod)
        ended = life.last_end
        times = {
            "StartedAt": _stamp(life.started) if life.started else _NEVER,
            "FinishedAt": ended["finishedAt"] if ended else _NEVER,
        }
        if not life.started:
            return {**state, "Status": "created", "ExitCode": 0, "Error": "", **times}
        if life.crashed:
            # One that is to be restarted counts as running, to Docker.
            dying = {"Status": "restarting", "Running": True, "Restarting": True, "ExitCode": ended["exitCode"]}
            return {**state, **dying, "OOMKilled": ended["reason"] == "OOMKilled", "Error": "", **times}
        running = {"Status": "running", "Running": True, "ExitCode": 0, "Health": self._health(pod)}
        return {**state, **running, "Error": "", **times}

    def _health(self, pod: Object) -> Json:
        """The compose file's check: ``curl -f http://localhost:8080/health``."""
        found = network.relay_health(self._cluster.state, time.time()) if kubelet.is_ready(pod) else None
        if found is None:
            return {"Status": "starting", "FailingStreak": 0, "Log": []}
        code, body = found
        failed = code != web.HTTPOk.status_code
        output = f"curl: (22) The requested URL returned error: {code} {body['mismatchReason']}" if failed else "ok"
        at = _stamp(time.time())
        entry = {"Start": at, "End": at, "ExitCode": 22 if failed else 0, "Output": output}
        return {"Status": "unhealthy" if failed else "healthy", "FailingStreak": int(failed) * 3, "Log": [entry]}

    async def _logs(self, request: web.Request) -> web.Response:
        """Frames, as for any container without a terminal; a container's log has its earlier runs in it, too."""
        pod, wanted = self._pod(), request.query
        lines = []
        if pod is not None:
            journal, name = self._cluster.state.journal, pod["metadata"]["name"]
            lines = [*(journal.lines(name, previous=True) or []), *(journal.lines(name) or [])]
        since, tail = float(wanted.get("since", 0)), wanted.get("tail", "all")
        lines = [line for line in lines if line[0] >= since]
        lines = lines if tail == "all" else lines[len(lines) - min(int(tail), len(lines)) :]
        said = [(_STDERR if text.startswith(("ERROR", "FATAL")) else _STDOUT, f"{text}\n") for _, text in lines]
        asked = {_STDOUT: wanted.get("stdout") == "1", _STDERR: wanted.get("stderr") == "1"}
        body = b"".join(_frame(stream, text.encode(errors="replace")) for stream, text in said if asked[stream])
        return web.Response(body=body, content_type=_STREAM)

    async def _stats(self, _: web.Request) -> web.Response:
        pod = self._pod()
        if pod is None or not kubelet.is_running(pod):
            return _answer({"name": f"/{CONTAINER}", "id": _ID, "read": _NEVER, "memory_stats": {}})
        cache = 6 * 2**20
        memory = {
            "usage": metrics.memory_used(self._cluster.state, pod) + cache,
            "stats": {"inactive_file": cache},
            "limit": kubelet.memory_limit(pod["spec"]),
        }
        return _answer({"name": f"/{CONTAINER}", "id": _ID, "read": _stamp(time.time()), "memory_stats": memory})

    # --- running a command -------------------------------------------------------------------------------------------

    async def _exec_made(self, request: web.Request) -> web.Response:
        pod = self._pod()
        if pod is None or not kubelet.is_running(pod):
            return _answer({"message": f"container {_ID} is not running"}, 409)
        made = secrets.token_hex(32)
        self._execs[made] = {"pod": pod["metadata"]["name"], "argv": (await request.json())["Cmd"], "code": None}
        return _answer({"Id": made}, 201)

    async def _exec_started(self, request: web.Request) -> web.StreamResponse:
        found = self._execs.get(request.match_info["id"])
        if found is None:
            return _answer({"message": f"No such exec instance: {request.match_info['id']}"}, 404)
        headers = {"Content-Type": _STREAM, "Connection": "Upgrade", "Upgrade": "tcp"}
        response = web.StreamResponse(status=101, reason="UPGRADED", headers=headers)
        await response.prepare(request)

        async def out(piece: bytes) -> None:
            await response.write(_frame(_STDOUT, piece))

        async def err(piece: bytes) -> None:
            await response.write(_frame(_STDERR, piece))

        found["code"] = await self._cluster.run_in(found["pod"], found["argv"], out, err)
        response.force_close()
        return response

    async def _exec_shown(self, request: web.Request) -> web.Response:
        made = request.match_info["id"]
        found = self._execs.get(made)
        if found is None:
            return _answer({"message": f"No such exec instance: {made}"}, 404)
        process = {"tty": False, "entrypoint": found["argv"][0], "arguments": found["argv"][1:]}
        running = found["code"] is None
        return _answer({"ID": made, "Running": running, "ExitCode": found["code"], "ProcessConfig": process})

    # --- changing ----------------------------------------------------------------------------------------------------

    async def _restart(self, _: web.Request) -> web.Response:
        if "restart-fails" in self.broken:
            said = self.broken["restart-fails"].get("message", "no space left on device")
            return _answer({"message": f"Cannot restart container {CONTAINER}: {said}"}, 500)
        before = self._pod()
        restarted = {"docker/restarted": _stamp(time.time())}
        self._change(lambda template: template["metadata"].setdefault("annotations", {}).update(restarted))
        end = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < end:
            pod = self._pod()
            fresh = pod is not None and (before is None or pod["metadata"]["uid"] != before["metadata"]["uid"])
            if pod is not None and fresh and self._life(pod).started:
                return web.Response(status=204)
            await asyncio.sleep(0.02)
        return _answer({"message": f"Cannot restart container {CONTAINER}: it did not start"}, 500)

    async def _update(self, request: web.Request) -> web.Response:
        limit = {"memory": f"{(await request.json())['Memory'] // 2**20}Mi"}
        self._change(lambda template: template["spec"]["containers"][0].update(resources={"limits": limit}))
        return _answer({"Warnings": []})

    # --- the cluster's relay -----------------------------------------------------------------------------------------

    def _change(self, how: Callable[[Object], None]) -> None:
        deployment = copy.deepcopy(self._deployment())
        how(deployment["spec"]["template"])
        deployment["spec"]["replicas"] = max(1, deployment["spec"]["replicas"])
        self._cluster.state.store.replace("deployments", deployment)

    def _deployment(self) -> Object:
        return self._cluster.state.store.get("deployments", NAMESPACE, RELAY.name)

    def _pod(self) -> Object | None:
        """The newest of the relay's; None where it has none."""
        pods = [
            pod
            for pod in self._cluster.state.store.all_of("pods", NAMESPACE)
            if owner_of(pod) == RELAY.name and "deletionTimestamp" not in pod["metadata"]
        ]
        return max(pods, key=lambda pod: self._life(pod).born, default=None)

    def _life(self, pod: Object) -> Life:
        return self._cluster.state.life(pod["metadata"]["name"], time.time())


def _answer(value: Json, status: int = 200) -> web.Response:
    """JSON under the very content type that the engine writes, without a charset: clients compare it."""
    return web.Response(body=json.dumps(value).encode(), status=status, content_type="application/json")


def _frame(stream: int, piece: bytes) -> bytes:
    """A piece of a stream in the engine's multiplexed format: which one, how long, and itself."""
    return bytes([stream, 0, 0, 0]) + len(piece).to_bytes(4, "big") + piece


def _stamp(at: float) -> str:
    """With nanoseconds, as Go writes times."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
