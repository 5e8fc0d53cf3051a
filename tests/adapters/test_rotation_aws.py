"""The relay's new key by reference: read from Secrets Manager, and put into the cluster if it is the announced one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aioboto3
import pytest
from eth_account import Account
from pydantic import SecretStr

from bot.adapters.cluster_secrets import ClusterSecrets
from bot.adapters.kube_api import KubeApi
from bot.adapters.rotation_aws import RotationAws
from bot.drill.aws import Aws
from bot.drill.cluster import Cluster
from bot.errors import RefusedError
from bot.ports import RELAY_KEY
from bot.wiring.rotation import by_reference, cluster_secrets

KEY = "0x" + "61" * 31 + "07"
ADDRESS = Account.from_key(KEY).address
REFERENCE = "musd/relay/next"


@pytest.fixture
async def aws(tmp_path: Path) -> AsyncIterator[Aws]:
    one = Aws()
    await one.start(tmp_path)
    yield one
    await one.stop()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    one = Cluster()
    await one.start(tmp_path)
    yield one
    await one.stop()


@pytest.fixture
async def secrets(aws: Aws, cluster: Cluster) -> AsyncIterator[ClusterSecrets]:
    """The cluster's Secrets, the relay's key with a source in Secrets Manager."""
    store = RotationAws(
        region=aws.region, access_key=aws.access_key, secret_key=SecretStr(aws.secret_key), endpoint_url=aws.url
    )
    kube = KubeApi("musd", cluster.kubeconfig, context="writer", timeout=4)
    yield cluster_secrets(kube, relay_source=by_reference(store, REFERENCE))
    await kube.close()


async def kept(aws: Aws, **value: Any) -> None:
    """Somebody puts a value into Secrets Manager."""
    session = aioboto3.Session(aws.access_key, aws.secret_key, region_name=aws.region)
    async with session.client("secretsmanager", endpoint_url=aws.url) as store:
        await store.create_secret(Name=REFERENCE, **value)


async def test_the_announced_key_is_put_there_without_anybody_typing_it(aws: Aws, secrets: ClusterSecrets) -> None:
    await kept(aws, SecretString=KEY)
    assert await secrets.obtain(RELAY_KEY, ADDRESS) == ADDRESS
    assert await secrets.fact(RELAY_KEY) == ADDRESS


async def test_a_key_of_another_address_is_refused_and_nothing_is_changed(aws: Aws, secrets: ClusterSecrets) -> None:
    before, announced = await secrets.fact(RELAY_KEY), Account.from_key("0x" + "62" * 32).address
    await kept(aws, SecretString=KEY)
    with pytest.raises(RefusedError, match=f"is of {ADDRESS}, and {announced} was announced") as refused:
        await secrets.obtain(RELAY_KEY, announced)
    assert await secrets.fact(RELAY_KEY) == before
    assert KEY[2:] not in repr(refused.value) + refused.value.sentences()


@pytest.mark.parametrize(
    ("value", "said"),
    [({}, "AWS does not read the secret musd/relay/next: ResourceNotFound"), ({"SecretBinary": b"key"}, "no text")],
)
async def test_what_is_no_text_there_is_refused(
    aws: Aws, secrets: ClusterSecrets, value: dict[str, bytes], said: str
) -> None:
    await (kept(aws, **value) if value else asyncio.sleep(0))
    with pytest.raises(RefusedError, match=said):
        await secrets.obtain(RELAY_KEY, ADDRESS)
