"""A practice cluster, five times as fast as usual, and the genuine kubernetes_asyncio client connected to it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client

from bot.drill.cluster import Cluster
from tests.world.cluster import settings


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    one.state.pace = 0.2
    await one.start(tmp_path / "cluster")
    yield one
    await one.stop()


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[client.ApiClient]:
    async with client.ApiClient(await settings(cluster)) as one:
        yield one


@pytest.fixture
def core(api: client.ApiClient) -> Any:
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: client.ApiClient) -> Any:
    return client.AppsV1Api(api)
