"""Kubernetes: whether each of the two credentials is granted what it needs, and the reading one no more than that."""

from collections.abc import Sequence
from typing import Any

from bot.adapters.kube_api import TIMEOUT, KubeApi
from bot.adapters.kube_grants import FORBIDDEN_TO_READERS, READS, Grant, granted, writes
from bot.domain.probe import Finding, Probe, bad, ok
from bot.settings import Settings
from bot.wiring.checks.check import check

_MEND = "Apply deploy/kubernetes/base/rbac.yaml, adapted to your namespace and names."


def checks(settings: Settings) -> Sequence[Probe[Any]]:
    """The reading credential, and the writing one where there is one."""
    every = [check("kubernetes:reads", "Kubernetes, reading", lambda: _reader(settings), mend=_MEND)]
    if settings.kube_write_context or settings.kube_write_token_file:
        every.append(check("kubernetes:writes", "Kubernetes, changing", lambda: _writer(settings), mend=_MEND))
    return every


async def _reader(settings: Settings) -> Finding:
    kube = KubeApi(
        settings.namespace,
        settings.kubeconfig,
        context=settings.kube_context or None,
        timeout=TIMEOUT * settings.patience,
    )
    try:
        lacking = await _lacking(kube, READS)
        held = await granted(kube, FORBIDDEN_TO_READERS)
    finally:
        await kube.close()
    if lacking:
        return bad(f"not granted: {', '.join(lacking)}")
    if excess := [str(grant) for grant, has in zip(FORBIDDEN_TO_READERS, held, strict=True) if has]:
        return bad(f"granted too much: the probes' token may {', '.join(excess)}")
    return ok(f"all {len(READS)} grants, and nothing that changes anything")


async def _writer(settings: Settings) -> Finding:
    kube = KubeApi(
        settings.namespace,
        settings.kubeconfig,
        context=settings.kube_write_context or None,
        token_file=settings.kube_write_token_file,
        timeout=TIMEOUT * settings.patience,
    )
    needed = writes([one.partition("/")[0] for one in (settings.relay_key_secret, settings.canton_token_secret)])
    try:
        lacking = await _lacking(kube, needed)
    finally:
        await kube.close()
    return bad(f"not granted: {', '.join(lacking)}") if lacking else ok(f"all {len(needed)} grants")


async def _lacking(kube: KubeApi, grants: Sequence[Grant]) -> list[str]:
    return [str(grant) for grant, has in zip(grants, await granted(kube, grants), strict=True) if not has]
