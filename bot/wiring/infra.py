"""The part of the composition root that builds what changes the infrastructure."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import structlog

from bot.adapters import kube_api
from bot.adapters.backup_places import BackupPlace, Bucket, Folder
from bot.adapters.deployments import KubernetesDeployments
from bot.adapters.docker import DockerContainers
from bot.adapters.kube_api import KubeApi
from bot.adapters.pod_exec import PodExec
from bot.adapters.postgres import PostgresInPod
from bot.adapters.sealed_backups import Sealed
from bot.domain.probe import Finding, Probe
from bot.ports import Infrastructure, LedgerDatabase, OracleTargets, Reads
from bot.probes import http, ledger, validators
from bot.settings import Settings
from bot.wiring.rotation import rotation

log = structlog.get_logger()


def infrastructure(settings: Settings, reads: Reads, stack: AsyncExitStack) -> Infrastructure | None:
    """The cluster under its write credential, which the probes do not have; None where there is none."""
    if containers := settings.containers:
        return Infrastructure(
            cluster=DockerContainers(settings.docker_url, containers),
            health=_health(settings, containers, reads),
            validators=(),
            canton_supply=reads.ledger.supply,
            patience=settings.rollout_patience,
        )
    if not (settings.kube_write_context or settings.kube_write_token_file):
        log.warning("the bot can't restart anything (MUSD_KUBE_WRITE_CONTEXT or MUSD_KUBE_WRITE_TOKEN_FILE)")
        return None
    kube = KubeApi(
        settings.namespace,
        settings.kubeconfig,
        context=settings.kube_write_context or None,
        token_file=settings.kube_write_token_file,
        timeout=kube_api.TIMEOUT * settings.patience,
    )
    stack.push_async_callback(kube.close)
    deployments = dict(pair(one) for one in settings.deployments)
    return Infrastructure(
        cluster=KubernetesDeployments(kube, deployments, settings.single_deployments),
        health=_health(settings, deployments, reads),
        validators=settings.validators,
        canton_supply=reads.ledger.supply,
        patience=settings.rollout_patience,
        database=_database(settings, kube),
        oracle=_oracle(settings, kube),
        rotation=rotation(settings, kube, reads, dict(pair(one) for one in settings.validator_kms_key_ids)),
    )


def _oracle(settings: Settings, kube: KubeApi) -> OracleTargets:
    """The feeder is reached by a door of its own, so that no restart brings it back."""
    feeder = settings.oracle_feeder
    deployment, _, variable = settings.oracle_source_setting.partition("/")
    return OracleTargets(
        feeding=KubernetesDeployments(kube, {feeder: feeder}, ()) if feeder else None,
        brought_by=deployment,
        variable=variable,
        sources=settings.oracle_sources,
    )


def _database(settings: Settings, kube: KubeApi) -> LedgerDatabase | None:
    """The ledger's database and its backups; None where nobody says where those are to be kept."""
    place: BackupPlace
    if settings.backup_dir:
        place = Folder(settings.backup_dir)
    elif settings.backup_bucket:
        place = Bucket(
            settings.backup_bucket,
            region=settings.aws_region,
            prefix=settings.backup_prefix,
            kms_key=settings.backup_kms_key,
            endpoint_url=settings.kms_endpoint,
        )
    else:
        return None
    if settings.backup_age_identity:
        place = Sealed(place, settings.backup_age_identity)
    return PostgresInPod(
        PodExec(kube, f"app={settings.database_app}"),
        place,
        name=settings.database_name,
        user=settings.database_user,
        data=settings.database_path,
    )


def _health(
    settings: Settings, deployments: Mapping[str, str], reads: Reads
) -> Mapping[str, Callable[[], Awaitable[Finding]]]:
    """How each deployment is found to be well; where nothing is said, its pods being ready is all there is."""
    probes: dict[str, Probe[Reads]] = {"musd-relay": http.relay_health(), "canton-participant": ledger.reachable()}
    probes |= {name: validators.heartbeat(deployments.get(name, name)) for name in settings.validators}
    return {name: partial(probe.run, reads, reads.limits.patience) for name, probe in probes.items()}


def pair(text: str) -> tuple[str, str]:
    """``name=value``; a setting that has no name in front is its own."""
    name, _, value = text.partition("=")
    return name, value or name
