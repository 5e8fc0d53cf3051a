"""A stand-in for the protocol's Kubernetes cluster, held to the real ``kubectl`` and ``kubernetes_asyncio``.

Left out, since neither the bot nor the runbooks use it: scheduling, nodes, services, port-forward, attach, SPDY,
admission, and any kind of object not in `kinds`.
"""

from bot.drill.cluster.cluster import Cluster
from bot.drill.cluster.commands import Run, Stdin

__all__ = ["Cluster", "Run", "Stdin"]
