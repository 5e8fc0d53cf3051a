"""deploy/kubernetes/base/rbac.yaml, held to what the adapters really ask of the API server: no less, and no more."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from bot.adapters.backup_places import Folder
from bot.adapters.deployments import KubernetesDeployments
from bot.adapters.kube_api import KubeApi
from bot.adapters.kube_grants import FORBIDDEN_TO_READERS, READS, granted, writes
from bot.adapters.kubernetes import KubernetesReads
from bot.drill.cluster import Cluster
from bot.drill.cluster.access import READER, WRITER
from bot.drill.cluster.programs import HEARTBEAT
from bot.ports import CANTON_TOKEN, RELAY_KEY, Change
from bot.wiring.rotation import cluster_secrets
from tests.world.ledger_database import in_pod

ROLES = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base" / "rbac.yaml"
SECRETS = ("relay-private-key", "canton-token")
LATER = {("create", "", "pods/exec", "")}
"""From Kubernetes 1.35 on, beside `get`."""
Rule = tuple[str, str, str, str]
"""Verb, group, resource, and the name where only one object is meant."""


def rules(role: str) -> list[dict[str, Any]]:
    documents = [one for one in yaml.safe_load_all(ROLES.read_text()) if one["kind"] == "Role"]
    return next(list(one["rules"]) for one in documents if one["metadata"]["name"] == role)


def spelt_out(role: str) -> set[Rule]:
    return {
        (verb, group, resource, name)
        for rule in rules(role)
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def asked(cluster: Cluster, user: str) -> set[Rule]:
    """What was really asked; a name counts where the role is narrowed down to names."""
    return {
        (demand.verb, demand.group, demand.resource, demand.name if demand.resource == "secrets" else "")
        for who, demand in cluster.access.asked
        if who == user and demand.resource != "selfsubjectaccessreviews"
    }


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster whose two accounts have the roles of the file, and no more."""
    one = Cluster()
    one.state.pace = 0.1
    await one.start(tmp_path / "cluster")
    reviews = {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]}
    one.access.rules = {READER: [*rules("musd-bot-reader"), reviews], WRITER: [*rules("musd-bot-writer"), reviews]}
    yield one
    await one.stop()


async def test_the_reading_role_is_what_reading_asks(cluster: Cluster) -> None:
    reads = KubernetesReads("musd", cluster.kubeconfig, context="reader")
    await reads.pods("musd-relay")
    await reads.logs("musd-relay", 10)
    await reads.execute("musd-validator", ["cat", HEARTBEAT])
    await reads.warnings("musd-relay")
    await reads.policies()
    await reads.claims()
    await reads.usage("musd-relay")
    await reads.close()
    assert asked(cluster, READER) | LATER == spelt_out("musd-bot-reader")


async def test_the_changing_role_is_what_changing_asks(cluster: Cluster, tmp_path: Path) -> None:
    kube = KubeApi("musd", cluster.kubeconfig, context="writer")
    deployments = KubernetesDeployments(kube, {"musd-relay": "musd-relay"}, ())
    await deployments.change("musd-relay", Change(mark="now"))
    await deployments.pods("musd-relay")
    secrets = cluster_secrets(kube)
    for secret, value in ((RELAY_KEY, "0x" + "17" * 32), (CANTON_TOKEN, "a-new-token")):
        await secrets.fact(secret)
        await secrets.put(secret, SecretStr(value), "")
    await in_pod(kube, Folder(tmp_path)).usage()
    await kube.close()
    assert asked(cluster, WRITER) | LATER == spelt_out("musd-bot-writer")


async def test_the_review_grants_what_the_file_grants(cluster: Cluster) -> None:
    reader = KubeApi("musd", cluster.kubeconfig, context="reader")
    writer = KubeApi("musd", cluster.kubeconfig, context="writer")
    found = (
        await granted(reader, READS),
        await granted(reader, FORBIDDEN_TO_READERS),
        await granted(writer, writes(SECRETS)),
    )
    await reader.close()
    await writer.close()
    assert [set(one) for one in found] == [{True}, {False}, {True}]


async def test_a_grant_that_is_missing_is_named(cluster: Cluster) -> None:
    cluster.access.rules[READER] = [
        rule for rule in cluster.access.rules[READER] if "pods/log" not in rule["resources"]
    ]
    reader = KubeApi("musd", cluster.kubeconfig, context="reader")
    found = await granted(reader, READS)
    await reader.close()
    assert [str(grant) for grant, has in zip(READS, found, strict=True) if not has] == ["get on pods/log"]


def test_no_rule_has_a_wildcard() -> None:
    every = [part for role in ("musd-bot-reader", "musd-bot-writer") for rule in spelt_out(role) for part in rule]
    assert "*" not in every
