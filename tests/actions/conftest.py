"""Actions on the infrastructure, against the practice cluster over its real API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.adapters.deployments import KubernetesDeployments
from bot.adapters.health import HttpHealth
from bot.adapters.kube_api import KubeApi
from bot.adapters.kubernetes import KubernetesReads
from bot.domain.action import Outcome, Receipt
from bot.domain.probe import Finding, bad, ok
from bot.drill.chain import Chain
from bot.drill.cluster import Cluster
from bot.errors import UnavailableError
from bot.ports import Infrastructure, Limits, Writes
from bot.probes import validators
from tests.world.bench import Bench
from tests.world.onchain import writes_on

NAMES = ("canton-participant", "musd-validator-1", "musd-validator-2", "musd-validator-3", "musd-relay")
VALIDATORS = NAMES[1:4]


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster()
    cluster.state.pace = 0.2
    await cluster.start(tmp_path / "cluster")
    yield cluster
    await cluster.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def infra(cluster: Cluster) -> AsyncIterator[Infrastructure]:
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=2)
    reads: Any = Reading(KubernetesReads("musd", cluster.kubeconfig, context="reader", timeout=2))
    relay = HttpHealth("the relay", cluster.relay_url, setting="MUSD_RELAY_URL")

    async def relay_health() -> Finding:
        answer = await relay.health()
        return ok("answers 200") if answer.status == 200 else bad(f"answers {answer.status}")

    async def heartbeat(name: str) -> Finding:
        return await validators.heartbeat(name).run(reads)

    yield Infrastructure(
        cluster=KubernetesDeployments(kube, {name: name for name in NAMES}, ("musd-relay",)),
        health={"musd-relay": relay_health} | {name: partial(heartbeat, name) for name in VALIDATORS},
        validators=VALIDATORS,
        canton_supply=unasked,
        patience=timedelta(seconds=8),
    )
    await kube.close()
    await reads.cluster.close()
    await relay.close()


async def unasked() -> Decimal:
    """Nobody asks here what there is on Canton."""
    raise UnavailableError("Canton is not part of this.")


class Reading:
    """Of the read ports, the cluster alone."""

    def __init__(self, cluster: KubernetesReads) -> None:
        self.cluster = cluster
        self.limits = Limits(block_max_age=timedelta(minutes=1), price_max_age=timedelta(hours=1))


@pytest.fixture
def bench(infra: Infrastructure) -> Bench:
    return Bench(Writes(signed=None, pause=None, infra=infra))  # type: ignore[arg-type]  # nothing here signs


@pytest_asyncio.fixture(loop_scope="module")
async def writes(chain: Chain, infra: Infrastructure, tmp_path: Path) -> AsyncIterator[Writes]:
    """The infrastructure, and the bridge with both its signers."""
    async with writes_on(chain, tmp_path) as found:
        yield replace(found, infra=infra)


def ended(receipt: Receipt) -> dict[str, Outcome]:
    """How each step of it ended."""
    return {step.name: step.outcome for step in receipt.steps}
