"""Everything the cluster remembers: its objects, its pods' lives, their logs and what is broken."""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.drill.cluster.failures import Object
from bot.drill.cluster.store import Store

_LINES = 400
"""Log lines kept of a container; older ones fall away, as with a log rotation."""
Line = tuple[float, str]


@dataclass
class Ailment:
    """What keeps the pods of one deployment (or one pod of its own) from running well."""

    kind: str
    """``crash``, ``oom``, ``image``, ``unschedulable``, ``quota``, ``absent``, ``unready`` or ``stale``."""
    since: float
    """When it began; for ``stale`` the time of the last heartbeat."""
    message: str = ""
    needs: int = 0
    """For ``oom``: bytes of memory the container wants; a limit this high heals it."""
    generation: int | None = None
    """Set where a restart heals: the deployment's generation when it fell ill."""


@dataclass
class Troubles:
    """All faults now in force."""

    ailments: dict[str, Ailment] = field(default_factory=dict)
    """By deployment or pod name."""
    mismatch: str = ""
    """Why the relay's health endpoint answers 503; empty where it does not."""
    blocked: list[str] = field(default_factory=list)
    """Kinds of hosts pods can't reach: ``canton``, ``ethereum``."""
    disk_percent: int = 0
    """How full the database's disk is shown; 0 means as usual."""
    postgres_down: bool = False
    connections_taken: bool = False
    """Whether the database refuses every new client."""
    replica_lag: int = 0
    """Seconds by which a replica of the database is behind; 0: the database has none."""
    price_sync: str = ""
    """What the relay's log complains about its price sync; empty where it does not."""
    exec_exit: dict[str, int] = field(default_factory=dict)
    """``code``, ``after`` (bytes of stdout let through) and ``times`` left (0: no end)."""
    gone_after: int = -1
    """Bytes of stdout after which the pod of the next exec vanishes; -1: it does not."""
    metrics_missing: bool = False
    """Whether the cluster has no ``metrics.k8s.io``, as one without metrics-server."""
    api_down: bool = False
    api_slow: float = 0.0
    forbidden: list[dict[str, str]] = field(default_factory=list)
    """``verb`` and ``resource`` that are refused, ``*`` for all."""
    conflicts: int = 0
    """Writes still to be answered 409."""
    hostile: str = ""
    """Deployment whose logs carry hostile lines."""
    removed: list[Object] = field(default_factory=list)
    """NetworkPolicies taken away, to be put back."""


@dataclass
class Life:
    """What a kubelet knows of a pod beyond its object. Times are seconds since the epoch."""

    born: float
    started: float = 0.0
    restarts: int = 0
    crashed: float = 0.0
    """When the container first died; 0 while it is well."""
    next_try: float = 0.0
    last_end: Object = field(default_factory=dict)
    """The ``terminated`` state of the previous run."""
    gone_at: float = 0.0
    """When a terminating pod disappears."""
    spoke: float = 0.0
    """Time of the last routine log line."""
    said: int = 0


class Journal:
    """The containers' logs: of the present run and of the one before."""

    def __init__(self) -> None:
        self._now: dict[str, deque[Line]] = {}
        self._before: dict[str, deque[Line]] = {}

    def write(self, pod: str, text: str, at: float) -> None:
        """Add a line."""
        self._now.setdefault(pod, deque(maxlen=_LINES)).append((at, text))

    def turn(self, pod: str) -> None:
        """A container starts again: its log so far becomes the previous one."""
        if pod in self._now:
            self._before[pod] = self._now.pop(pod)

    def forget(self, pod: str) -> None:
        """The pod is gone, and so are its logs."""
        self._now.pop(pod, None)
        self._before.pop(pod, None)

    def lines(self, pod: str, *, previous: bool = False) -> list[Line] | None:
        """The lines, oldest first; None where there was no previous run."""
        if previous:
            found = self._before.get(pod)
            return None if found is None else list(found)
        return list(self._now.get(pod, ()))

    def as_json(self) -> Any:
        """What is saved."""
        return [{pod: list(lines) for pod, lines in book.items()} for book in (self._now, self._before)]

    def restore(self, saved: Any) -> None:
        """Continue from `as_json`."""
        self._now, self._before = (
            {pod: deque(((at, text) for at, text in lines), maxlen=_LINES) for pod, lines in book.items()}
            for book in saved
        )


class State:
    """The whole cluster. Controllers, kubelet, faults and the API server all work on this one."""

    def __init__(self) -> None:
        self.store = Store()
        self.troubles = Troubles()
        self.journal = Journal()
        self.lives: dict[str, Life] = {}
        """By pod name."""
        self.pace = 1.0
        """Factor on every waiting time of the cluster's own: 0.1 is ten times as fast."""

    def life(self, pod: str, now: float) -> Life:
        """The pod's life, begun now if it is new."""
        return self.lives.setdefault(pod, Life(born=now, spoke=now))

    def ailment(self, owner: str) -> Ailment | None:
        """What ails a deployment or pod, if anything; one that a restart heals ends with the restart."""
        found = self.troubles.ailments.get(owner)
        if found is not None and found.generation is not None:
            deployment = self.store.find("deployments", "musd", owner)
            if deployment is not None and deployment["metadata"]["generation"] != found.generation:
                del self.troubles.ailments[owner]
                return None
        return found

    def as_json(self) -> Any:
        """What ``cluster.json`` holds of it."""
        return {
            "store": self.store.as_json(),
            "troubles": asdict(self.troubles),
            "journal": self.journal.as_json(),
            "lives": {pod: asdict(life) for pod, life in self.lives.items()},
        }

    def restore(self, saved: Any) -> None:
        """Continue from `as_json`."""
        self.store.restore(saved["store"])
        troubles = saved["troubles"]
        ailments = {name: Ailment(**ailment) for name, ailment in troubles.pop("ailments").items()}
        self.troubles = Troubles(ailments=ailments, **troubles)
        self.journal.restore(saved["journal"])
        self.lives = {pod: Life(**life) for pod, life in saved["lives"].items()}


def owner_of(pod: Object) -> str:
    """The deployment a pod belongs to, by way of its ReplicaSet, or the pod's own name where it has none."""
    for owner in pod["metadata"].get("ownerReferences", ()):
        return str(owner["name"]).rsplit("-", 1)[0]
    return str(pod["metadata"]["name"])
