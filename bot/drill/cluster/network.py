"""What a pod can reach, and the relay's own health endpoint, which follows from it."""

from datetime import UTC, datetime
from typing import Any

from bot.drill.cluster.apps import PARTICIPANT, RELAY
from bot.drill.cluster.kubelet import is_ready
from bot.drill.cluster.manifests import NAMESPACE
from bot.drill.cluster.state import State, owner_of

KINDS = ("canton", "ethereum")


def ready_pods(state: State, owner: str) -> int:
    """How many pods of a deployment are ready."""
    return sum(owner_of(pod) == owner and is_ready(pod) for pod in state.store.all_of("pods", NAMESPACE))


def unreachable(state: State, kind: str) -> str:
    """Why pods can't reach hosts of that kind: the socket's error, or an empty string where they can."""
    if kind in state.troubles.blocked or state.store.find("networkpolicies", NAMESPACE, f"allow-{kind}") is None:
        return "ETIMEDOUT"
    if kind == "canton" and not ready_pods(state, PARTICIPANT.name):
        return "ECONNREFUSED"
    return ""


def relay_health(state: State, now: float) -> tuple[int, dict[str, Any]] | None:
    """Code and body of ``GET /health``; None where nothing listens, since no relay pod is ready."""
    if not ready_pods(state, RELAY.name):
        return None
    blocked = [kind for kind in KINDS if unreachable(state, kind) == "ETIMEDOUT"]
    reason = state.troubles.mismatch or "; ".join(f"{kind} unreachable: connect ETIMEDOUT" for kind in blocked)
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {
        "status": "unhealthy" if reason else "healthy",
        "mismatchReason": reason or None,
        "timestamp": at,
        "bridgePaused": False,
    }
    return (503 if reason else 200), body
