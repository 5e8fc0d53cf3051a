"""Every way to break the cluster, as a table."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.drill.cluster import kubelet
from bot.drill.cluster.apps import BY_OWNER, DEPLOYMENTS, PARTICIPANT, RELAY
from bot.drill.cluster.chatter import HOSTILE
from bot.drill.cluster.failures import Object
from bot.drill.cluster.manifests import NAMESPACE
from bot.drill.cluster.network import KINDS
from bot.drill.cluster.state import Ailment, State, owner_of
from bot.drill.part import Fault, UnknownFaultError

_Request = Mapping[str, Any]
_WHO = "deployment to break (default musd-relay)"
_UNTIL = "'mended' (default), or 'restart': a change of the deployment heals it"
_WHICH = "validators by number, such as '1,3'"
FAULTS: dict[str, tuple[Fault, Callable[[State, _Request], None]]] = {}


def _fault(name: str, text: str, /, **arguments: str) -> Callable[[Callable[[State, _Request], None]], Any]:
    def add(function: Callable[[State, _Request], None]) -> Callable[[State, _Request], None]:
        FAULTS[name] = (Fault("cluster", name, text, arguments or None), function)
        return function

    return add


def inflict(state: State, request: _Request) -> None:
    """Break something. Raises `UnknownFaultError` for a fault, deployment or value that is none."""
    name = request.get("fault")
    if name not in FAULTS:
        raise UnknownFaultError(f"the cluster knows no fault {name!r}; it knows {', '.join(FAULTS)}")
    FAULTS[name][1](state, request)


def mend(state: State) -> None:
    """Undo every fault; pods recover in their own time."""
    for policy in state.troubles.removed:
        meta = policy["metadata"]
        if state.store.find("networkpolicies", NAMESPACE, meta["name"]) is None:
            plain = {"name": meta["name"], "namespace": NAMESPACE}
            state.store.create("networkpolicies", {"metadata": plain, "spec": policy["spec"]}, time.time())
    state.troubles = type(state.troubles)()
    for pod in state.store.all_of("pods", NAMESPACE):
        life = state.life(pod["metadata"]["name"], time.time())
        if not life.started and not kubelet.is_running(pod):
            kubelet.remove(state, pod)  # one that could never start is made anew rather than kept waiting


def _deployment(state: State, name: str) -> Object:
    found = state.store.find("deployments", NAMESPACE, name)
    if found is None:
        raise UnknownFaultError(
            f"there is no deployment {name!r}; there are {', '.join(app.name for app in DEPLOYMENTS)}"
        )
    return found


def _number(request: _Request, name: str, default: float) -> float:
    try:
        return float(request.get(name, default))
    except (TypeError, ValueError) as error:
        raise UnknownFaultError(f"{name} must be a number, not {request.get(name)!r}") from error


def _ail(state: State, name: str, kind: str, request: _Request, message: str = "", *, until: str = "mended") -> None:
    generation = _deployment(state, name)["metadata"]["generation"]
    until = str(request.get("until", until))
    if until not in {"mended", "restart"}:
        raise UnknownFaultError(f"until must be 'mended' or 'restart', not {until!r}")
    ailment = Ailment(kind, time.time(), message, generation=generation if until == "restart" else None)
    state.troubles.ailments[name] = ailment


def _lose_pods(state: State, name: str) -> None:
    """The deployment's pods are gone at once, as if their node were."""
    for pod in state.store.all_of("pods", NAMESPACE):
        if owner_of(pod) == name:
            kubelet.remove(state, pod)


def _who(request: _Request) -> str:
    return str(request.get("deployment", RELAY.name))


def _validators(request: _Request, default: str) -> list[str]:
    if "count" in request:
        numbers = [str(number) for number in range(1, int(_number(request, "count", 1)) + 1)]
    else:
        numbers = str(request.get("which", default)).replace(" ", "").split(",")
    names = [f"musd-validator-{number}" for number in numbers]
    for name in names:
        if name not in BY_OWNER:
            raise UnknownFaultError(f"there is no validator {name!r}; which takes numbers from 1 to 3, such as '1,3'")
    return names


@_fault("crashloop", "a deployment dies at every start", deployment=_WHO, message="the error in its log", until=_UNTIL)
def _crashloop(state: State, request: _Request) -> None:
    _ail(state, _who(request), "crash", request, str(request.get("message", "")))


@_fault(
    "oomkilled",
    "a deployment is killed for using more memory than it may",
    deployment=_WHO,
    needs="MiB it wants; a limit that high heals it (default: a quarter more than it has)",
    until=_UNTIL,
)
def _oomkilled(state: State, request: _Request) -> None:
    limit = kubelet.memory_limit(_deployment(state, _who(request))["spec"]["template"]["spec"])
    _ail(state, _who(request), "oom", request)
    state.troubles.ailments[_who(request)].needs = int(_number(request, "needs", limit * 1.25 / 2**20) * 2**20)


@_fault("image-pull", "a deployment's pods are lost and its image can't be pulled", deployment=_WHO, until=_UNTIL)
def _image_pull(state: State, request: _Request) -> None:
    _ail(state, _who(request), "image", request)
    _lose_pods(state, _who(request))


@_fault("pending", "a deployment's pods are lost and no node has room for new ones", deployment=_WHO, until=_UNTIL)
def _pending(state: State, request: _Request) -> None:
    _ail(state, _who(request), "unschedulable", request)
    _lose_pods(state, _who(request))


@_fault("quota", "a deployment may make no more pods: the namespace's quota is used up", deployment=_WHO, until=_UNTIL)
def _quota(state: State, request: _Request) -> None:
    why = (
        f'pods "{_who(request)}-" is forbidden: exceeded quota: musd-quota, requested: limits.memory=512Mi, '
        "used: limits.memory=8Gi, limited: limits.memory=8Gi"
    )
    _ail(state, _who(request), "quota", request, why)


@_fault("rollout-stuck", "new pods of a deployment never become ready", deployment=_WHO, until=_UNTIL)
def _rollout_stuck(state: State, request: _Request) -> None:
    _ail(state, _who(request), "unready", request)


@_fault(
    "validator-down",
    "validators crash-loop",
    count="how many, from the first",
    which=_WHICH,
    message="the error",
    until=_UNTIL,
)
def _validator_down(state: State, request: _Request) -> None:
    for name in _validators(request, "1"):
        _ail(state, name, "crash", request, str(request.get("message", "")))


@_fault(
    "heartbeat-stale",
    "validators run but write no heartbeat",
    which=f"{_WHICH} (default all)",
    seconds="how old it is (600)",
    until=_UNTIL,
)
def _heartbeat_stale(state: State, request: _Request) -> None:
    for name in _validators(request, "1,2,3"):
        _ail(state, name, "stale", request)
        state.troubles.ailments[name].since -= _number(request, "seconds", 600)


@_fault("relay-unhealthy", "the relay's health endpoint answers 503", reason="mismatchReason in its body")
def _relay_unhealthy(state: State, request: _Request) -> None:
    default = "supply mismatch: canton 1204500.00, ethereum 1204100.00"
    state.troubles.mismatch = str(request.get("reason", default))


@_fault(
    "relay-down", "the relay's pods are gone and nothing brings them back until it is restarted or mended", until=_UNTIL
)
def _relay_down(state: State, request: _Request) -> None:
    why = 'Internal error occurred: failed calling webhook "pods.admission": context deadline exceeded'
    _ail(state, RELAY.name, "absent", request, why, until="restart")
    _lose_pods(state, RELAY.name)


@_fault("egress-blocked", "pods can't reach hosts of a kind", kind="canton or ethereum (default: both)")
def _egress_blocked(state: State, request: _Request) -> None:
    kinds = [str(request["kind"])] if "kind" in request else list(KINDS)
    if not set(kinds) <= set(KINDS):
        raise UnknownFaultError(f"kind must be canton or ethereum, not {request['kind']!r}")
    state.troubles.blocked = sorted({*state.troubles.blocked, *kinds})


@_fault(
    "networkpolicy-missing", "a NetworkPolicy is gone, and with it the way out", name="which (default allow-canton)"
)
def _networkpolicy_missing(state: State, request: _Request) -> None:
    name = str(request.get("name", "allow-canton"))
    if state.store.find("networkpolicies", NAMESPACE, name) is None:
        known = ", ".join(item["metadata"]["name"] for item in state.store.all_of("networkpolicies", NAMESPACE))
        raise UnknownFaultError(f"there is no NetworkPolicy {name!r}; there are {known}")
    state.troubles.removed.append(state.store.delete("networkpolicies", NAMESPACE, name))


@_fault("disk-full", "the ledger database's disk is full", percent="how full (100)")
def _disk_full(state: State, request: _Request) -> None:
    state.troubles.disk_percent = int(_number(request, "percent", 100))


@_fault("postgres-down", "the ledger's database does not answer; its pod is not ready")
def _postgres_down(state: State, _: _Request) -> None:
    state.troubles.postgres_down = True


@_fault("connections-taken", "every connection of the ledger's database is taken")
def _connections_taken(state: State, _: _Request) -> None:
    state.troubles.connections_taken = True


@_fault("replica-behind", "a replica of the ledger's database is behind", seconds="how far (900)")
def _replica_behind(state: State, request: _Request) -> None:
    state.troubles.replica_lag = int(_number(request, "seconds", 900))


@_fault("metrics-missing", "nothing measures what pods use: the cluster has no metrics.k8s.io")
def _metrics_missing(state: State, _: _Request) -> None:
    state.troubles.metrics_missing = True


@_fault("price-sync-failing", "the relay can't write prices, and says so in its log", message="the error in its log")
def _price_sync_failing(state: State, request: _Request) -> None:
    state.troubles.price_sync = str(request.get("message", "price sync CC/USD failed: nonce too low"))
    for pod in state.store.all_of("pods", NAMESPACE):
        if owner_of(pod) == RELAY.name:
            state.journal.write(pod["metadata"]["name"], f"ERROR [prices] {state.troubles.price_sync}", time.time())


@_fault("participant-down", "canton-participant crash-loops", message="the error in its log", until=_UNTIL)
def _participant_down(state: State, request: _Request) -> None:
    _ail(state, PARTICIPANT.name, "crash", request, str(request.get("message", "")))


@_fault(
    "exec-exit",
    "commands executed in pods end early",
    code="exit code (137)",
    after="bytes of stdout first (0)",
    times="how often (1; 0: always)",
)
def _exec_exit(state: State, request: _Request) -> None:
    defaults = {"code": 137, "after": 0, "times": 1}
    state.troubles.exec_exit = {name: int(_number(request, name, value)) for name, value in defaults.items()}


@_fault(
    "pod-gone-mid-exec", "the pod of the next executed command vanishes under it", after="bytes of stdout first (0)"
)
def _pod_gone(state: State, request: _Request) -> None:
    state.troubles.gone_after = int(_number(request, "after", 0))


@_fault("api-down", "the API server hangs up on everybody")
def _api_down(state: State, _: _Request) -> None:
    state.troubles.api_down = True


@_fault("api-slow", "the API server takes its time", seconds="how long each answer takes (5)")
def _api_slow(state: State, request: _Request) -> None:
    state.troubles.api_slow = _number(request, "seconds", 5)


@_fault(
    "forbidden",
    "the API server answers 403",
    verb="such as patch (default all)",
    resource="such as deployments (default all)",
)
def _forbidden(state: State, request: _Request) -> None:
    rule = {name: str(request.get(name, "*")) for name in ("verb", "resource")}
    state.troubles.forbidden.append(rule)


@_fault("conflict", "the next updates and patches are answered 409", times="how many (1)")
def _conflict(state: State, request: _Request) -> None:
    state.troubles.conflicts = int(_number(request, "times", 1))


@_fault("hostile-logs", "log lines that try to escape: mentions, control codes, planted secrets", deployment=_WHO)
def _hostile_logs(state: State, request: _Request) -> None:
    name = _deployment(state, _who(request))["metadata"]["name"]
    state.troubles.hostile = name
    for pod in state.store.all_of("pods", NAMESPACE):
        if owner_of(pod) == name:
            for text in HOSTILE:
                state.journal.write(pod["metadata"]["name"], text, time.time())
