"""What happens to pods in time: they are pulled, started, ready, crash, back off, and end.

A pod that crashes shows its first end for a moment, then ``CrashLoopBackOff`` for good: the instant of
running before each further crash is left out, so that whoever looks sees what a person usually sees.
"""

from bot.drill.cluster.apps import BY_OWNER
from bot.drill.cluster.events import note
from bot.drill.cluster.failures import Object
from bot.drill.cluster.quantity import parse_bytes
from bot.drill.cluster.state import Ailment, Life, State, owner_of
from bot.drill.cluster.store import stamp

# Seconds, before the pace is applied.
CREATING = 0.3
"""From the pod's birth to its container's start."""
BECOMING_READY = 0.4
"""From the container's start to its first passed readiness probe."""
ENDING = 0.4
"""From a delete to the pod being gone."""
_FIRST_END = {"crash": 0.3, "oom": 3.0}
"""How long the first end of a container is shown before its back-off; OOMKilled is a word people look for."""
_BACK_OFF = 0.5
_LONGEST_BACK_OFF = 60.0
_SUCCESSFUL_PULL = 1.0


def look_after_pods(state: State, now: float) -> None:
    """Bring every pod's status up to date."""
    for pod in state.store.all_of("pods"):
        name = pod["metadata"]["name"]
        life = state.life(name, now)
        if "deletionTimestamp" in pod["metadata"]:
            if now >= life.gone_at:
                remove(state, pod)
            continue
        status = _status(state, pod, life, now)
        state.store.set_status("pods", pod, status)


def remove(state: State, pod: Object) -> None:
    """The pod is gone at once, with its logs."""
    meta = pod["metadata"]
    state.store.delete("pods", meta["namespace"], meta["name"])
    state.lives.pop(meta["name"], None)
    state.journal.forget(meta["name"])


def end(state: State, pod: Object, now: float, grace: int = 30) -> Object:
    """Begin the pod's graceful end; with no grace it is gone at once. Returns the pod as it is then."""
    meta = pod["metadata"]
    if grace == 0:
        remove(state, pod)
        return pod
    if "deletionTimestamp" in meta:
        return pod
    state.life(meta["name"], now).gone_at = now + ENDING * state.pace
    app = BY_OWNER[owner_of(pod)]
    note(state, pod, "Killing", f"Stopping container {app.container}", now)
    fresh = {**meta, "deletionTimestamp": stamp(now + grace), "deletionGracePeriodSeconds": grace}
    return state.store.replace("pods", {**pod, "metadata": fresh})


def is_ready(pod: Object) -> bool:
    """Whether the pod passes its readiness probe and is not on its way out."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = pod.get("status", {}).get("conditions", ())
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def is_running(pod: Object) -> bool:
    """Whether the pod's container runs: logs grow and commands can be executed."""
    return any("running" in container["state"] for container in pod.get("status", {}).get("containerStatuses", ()))


def _status(state: State, pod: Object, life: Life, now: float) -> Object:
    ailment = state.ailment(owner_of(pod))
    kind = ailment.kind if ailment else ""
    if kind == "unschedulable" and not life.started:
        message = "0/3 nodes are available: 3 Insufficient memory. preemption: not eligible"
        note(state, pod, "FailedScheduling", message, now, warning=True)
        return _unscheduled(pod, message)
    if kind == "image" and not life.started:
        return _unpulled(state, pod, life, now)
    if now < life.born + CREATING * state.pace:
        return _compose(state, pod, life, {"waiting": {"reason": "ContainerCreating"}}, ready=False)
    if ailment and _kills(ailment, pod):
        return _crashing(state, pod, life, ailment, now)
    if not life.started or life.crashed:
        _begin(state, pod, life, now)
    ready = now >= life.started + BECOMING_READY * state.pace
    if ailment and kind == "unready" and life.born >= ailment.since:
        note(
            state, pod, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", now, warning=True
        )
        ready = False
    if ready and owner_of(pod) == pod["metadata"]["name"] and state.troubles.postgres_down:
        ready = False
    return _compose(state, pod, life, {"running": {"startedAt": stamp(life.started)}}, ready=ready)


def _kills(ailment: Ailment, pod: Object) -> bool:
    if ailment.kind == "oom":
        return memory_limit(pod["spec"]) < ailment.needs
    return ailment.kind == "crash"


def memory_limit(pod_spec: Object) -> int:
    """Bytes the first container may use; a container without a limit may use a great deal."""
    limit = pod_spec["containers"][0].get("resources", {}).get("limits", {}).get("memory")
    return parse_bytes(str(limit)) if limit else 2**50


def _begin(state: State, pod: Object, life: Life, now: float) -> None:
    """The container starts, for the first time or after it crashed."""
    name = pod["metadata"]["name"]
    app = BY_OWNER[owner_of(pod)]
    if life.crashed:
        state.journal.turn(name)
        life.restarts += 1
    life.started, life.crashed = now, 0.0
    life.spoke = max(life.spoke, now)
    for text in app.starting:
        state.journal.write(name, text, now)
    note(state, pod, "Pulled", f'Container image "{app.image}" already present on machine', now)
    note(state, pod, "Started", f"Started container {app.container}", now)


def _crashing(state: State, pod: Object, life: Life, ailment: Ailment, now: float) -> Object:
    container = BY_OWNER[owner_of(pod)].container
    if not life.crashed:
        _crash(state, pod, life, ailment, now)
        life.crashed = now
        life.next_try = now + _FIRST_END[ailment.kind] * state.pace
    if now >= life.next_try:
        state.journal.turn(pod["metadata"]["name"])
        life.restarts += 1
        _crash(state, pod, life, ailment, now)
        tries = min(life.restarts, 12)
        life.next_try = now + min(_BACK_OFF * 2**tries, _LONGEST_BACK_OFF) * state.pace
    elif life.crashed and now < life.crashed + _FIRST_END[ailment.kind] * state.pace:
        return _compose(state, pod, life, {"terminated": life.last_end}, ready=False, first_end=True)
    meta = pod["metadata"]
    delay = "5m0s" if life.restarts > 5 else f"{min(10 * 2 ** max(life.restarts - 1, 0), 160)}s"
    where = f"{container} pod={meta['name']}_{meta['namespace']}({meta['uid']})"
    note(
        state,
        pod,
        "BackOff",
        f"Back-off restarting failed container {where.replace(' pod=', ' in pod ')}",
        now,
        warning=True,
    )
    waiting = {"reason": "CrashLoopBackOff", "message": f"back-off {delay} restarting failed container={where}"}
    return _compose(state, pod, life, {"waiting": waiting}, ready=False)


def _crash(state: State, pod: Object, life: Life, ailment: Ailment, now: float) -> None:
    """One run of a container that ends badly, and its log."""
    name = pod["metadata"]["name"]
    app = BY_OWNER[owner_of(pod)]
    began = life.started or now
    if life.crashed or not life.started:
        for text in app.starting:
            state.journal.write(name, text, now)
        began = now
    life.started = began
    if ailment.kind == "crash":
        for text in (ailment.message or app.crash).splitlines():
            state.journal.write(name, text, now)
    else:
        used = memory_limit(pod["spec"]) // 2**20
        state.journal.write(name, f"WARN  [memory] heap {used - 9} MiB of {used} MiB, collecting garbage", now)
    life.last_end = {
        "exitCode": 137 if ailment.kind == "oom" else 1,
        "reason": "OOMKilled" if ailment.kind == "oom" else "Error",
        "startedAt": stamp(began),
        "finishedAt": stamp(now),
    }


def _unpulled(state: State, pod: Object, life: Life, now: float) -> Object:
    image = pod["spec"]["containers"][0]["image"]
    why = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {image}: not found'
    if now < life.born + _SUCCESSFUL_PULL * state.pace:
        note(state, pod, "Failed", f'Failed to pull image "{image}": {why}', now, warning=True)
        return _compose(state, pod, life, {"waiting": {"reason": "ErrImagePull", "message": why}}, ready=False)
    note(state, pod, "BackOff", f'Back-off pulling image "{image}"', now, warning=True)
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}": ErrImagePull: {why}'}
    return _compose(state, pod, life, {"waiting": waiting}, ready=False)


def _condition(kind: str, *, true: bool, at: str, reason: str = "", message: str = "") -> Object:
    extra = {"reason": reason} if reason else {}
    extra |= {"message": message} if message else {}
    return {"type": kind, "status": "True" if true else "False", "lastTransitionTime": at, **extra}


def _unscheduled(pod: Object, message: str) -> Object:
    at = pod["metadata"]["creationTimestamp"]
    condition = _condition("PodScheduled", true=False, at=at, reason="Unschedulable", message=message)
    return {"phase": "Pending", "conditions": [condition], "qosClass": "Burstable"}


def _compose(
    state: State, pod: Object, life: Life, container_state: Object, *, ready: bool, first_end: bool = False
) -> Object:
    """The whole status around one container state."""
    born = pod["metadata"]["creationTimestamp"]
    changed = stamp((life.crashed or life.started + BECOMING_READY * state.pace) if life.started else life.born)
    container = pod["spec"]["containers"][0]
    names = f"containers with unready status: [{container['name']}]"
    unready = {} if ready else {"reason": "ContainersNotReady", "message": names}
    last = {"terminated": life.last_end} if life.last_end and not first_end else {}
    number = int(pod["metadata"]["uid"][:2], 16)
    return {
        "phase": "Running" if life.started else "Pending",
        "conditions": [
            _condition("PodReadyToStartContainers", true=True, at=born),
            _condition("Initialized", true=True, at=born),
            _condition("Ready", true=ready, at=changed, **unready),
            _condition("ContainersReady", true=ready, at=changed, **unready),
            _condition("PodScheduled", true=True, at=born),
        ],
        "hostIP": "10.0.0.11",
        "podIP": f"10.1.0.{number}",
        "podIPs": [{"ip": f"10.1.0.{number}"}],
        "startTime": born,
        "qosClass": "Burstable",
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": f"{container['image']}@sha256:{'0' * 64}",
                "ready": ready,
                "started": "running" in container_state,
                "restartCount": life.restarts,
                "state": container_state,
                "lastState": last,
            }
        ],
    }
