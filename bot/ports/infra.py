"""Write ports of the infrastructure: deployments, changed under a credential that the probes do not have."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from bot.domain.probe import Finding
from bot.ports.database import LedgerDatabase
from bot.ports.reads import Pod
from bot.ports.rotation import Rotation


class Deployment(BaseModel):
    """A deployment, as far as changing it needs. Under docker-compose it is a container."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Its own, such as ``musd-relay``, whatever the bot calls it."""
    kind: str = "deployment"
    replicas: int
    """As many as are wanted; 0 where somebody stopped it."""
    paused: bool = False
    """Whether somebody has paused its rollouts: then no change of it takes effect."""
    parked: int = 0
    """Where the bot itself stopped it: how many there were before."""
    overlaps: bool
    """Whether a rollout may start the new pod before the old one is gone."""
    image: str
    memory: str
    """The first container's memory limit, as Kubernetes writes it; empty where it has none."""
    env: Mapping[str, str] = {}
    """The first container's variables that are written out in it; those from Secrets are not among them."""
    mark: str = ""
    """Which restart its pods are from."""
    settled: bool
    """Whether the controller has seen the newest change."""
    present: int
    """Pods that count: old and new."""
    updated: int
    """Pods of the newest change."""
    available: int
    given_up: str = ""
    """Why Kubernetes itself has given the rollout up, in its words."""
    failure: str = ""
    """Why pods can't be made, such as a quota, in Kubernetes' words."""


class Change(BaseModel):
    """What is to become of a deployment. None leaves a thing as it is; the same change twice changes nothing."""

    model_config = ConfigDict(frozen=True)

    mark: str | None = None
    """A moment, as text: pods of an earlier mark are replaced (`kubectl rollout restart`)."""
    replicas: int | None = None
    memory: str | None = None
    """The first container's new limit, such as ``768Mi``."""
    env: Mapping[str, str] = {}
    """Environment variables of the first container; the others stay."""


class ClusterWrites(Protocol):
    """The protocol's deployments, changed under a credential of their own. Names are the bot's own words for them.

    Raises `RefusedError` where a change was turned down: nothing was changed. After `UnavailableError` it may have
    been.
    """

    @property
    def names(self) -> Sequence[str]:
        """Every configured deployment, in the order in which all are restarted."""

    @property
    def single(self) -> Sequence[str]:
        """Those of which two pods may never run at once, such as the relay."""

    @property
    def where(self) -> str:
        """The namespace, for people."""

    def by_hand(self, name: str) -> str:
        """The command that shows how it stands."""

    async def look(self, name: str) -> Deployment:
        """How it stands now."""

    async def pods(self, name: str) -> Sequence[Pod]:
        """Its pods, also those on their way out."""

    async def change(self, name: str, change: Change, *, dry: bool = False) -> None:
        """Change it, or have the API server only check that it could be."""


@dataclass(frozen=True)
class OracleTargets:
    """What writes the oracle's prices, and what says where they come from, as configured."""

    feeding: ClusterWrites | None = None
    """The deployment that writes them, and no other; None where none is named."""
    brought_by: str = ""
    """The deployment with the setting of the source."""
    variable: str = ""
    """That setting: an environment variable; empty where none is named."""
    sources: Sequence[str] = ()
    """What it can be set to, the first one first."""


@dataclass(frozen=True)
class Infrastructure:
    """What actions on the protocol's deployments are handed."""

    cluster: ClusterWrites
    health: Mapping[str, Callable[[], Awaitable[Finding]]]
    """By deployment: how it is found out that it is well, beyond its pods being ready. Never raises."""
    validators: Sequence[str]
    """Which of the deployments are the validators."""
    canton_supply: Callable[[], Awaitable[Decimal]]
    """All mUSD on Canton, as Canton says."""
    patience: timedelta
    """After this long a rollout counts as stuck."""
    database: LedgerDatabase | None = None
    """None where no place for backups is configured."""
    oracle: OracleTargets | None = None
    """None where its updates are stopped and its source is switched by hand."""
    rotation: Rotation | None = None
    """None where no key is to be rotated by the bot."""
