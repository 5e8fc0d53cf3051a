"""Read ports: the outside systems that probes ask, and the bundle of them that a probe is handed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bot.domain.probe import State
from bot.ports.health import Health
from bot.ports.ledger import LedgerReads
from bot.ports.pausing import PausingReads
from bot.ports.protocol import ChainReads, ProtocolReads


@dataclass(frozen=True)
class Pod:
    """A pod as `kubectl get pods` sums it up; under docker-compose a container, as `docker compose ps` does."""

    name: str
    phase: str
    ready: bool
    reason: str
    """Why it waits or ended: CrashLoopBackOff, ImagePullBackOff, OOMKilled, Evicted…; empty when it simply runs.

    A container's, by Docker's words: Restarting, Exited, OOMKilled, Unhealthy…
    """
    restarts: int
    last_end: str = ""
    """Why the container's previous run ended, such as OOMKilled or Error."""
    last_exit: int | None = None
    memory_limit: str = ""
    started_at: datetime | None = None
    owner: str = ""
    """The deployment, or other controller, that it belongs to."""
    image: str = ""
    """A container's; a pod's is its deployment's."""
    health: str = ""
    """What a container's own health check says; empty where it has none."""
    ended_at: datetime | None = None
    """When a container's last run ended."""


@dataclass(frozen=True)
class Executed:
    """What a command that only reads said in one pod."""

    pod: str
    owner: str
    code: int | None
    """Its exit code; None where it did not run to its end."""
    text: str
    """What it wrote, to either output; without an exit code: why."""


@dataclass(frozen=True)
class Usage:
    """What one pod used when it was last measured, as ``kubectl top pod`` shows it."""

    pod: str
    memory: int
    """Bytes, of all its containers."""
    at: datetime


class ContainerReads(Protocol):
    """Applications in containers, read only: pods of Kubernetes, or what docker-compose runs."""

    async def pods(self, app: str) -> Sequence[Pod]:
        """The pods of an application, such as ``musd-relay``, by name. Which labels those are is configuration."""

    async def logs(self, app: str, tail: int, since: timedelta | None = None) -> Sequence[str]:
        """The last `tail` lines of each such pod, the previous container's where the present one hasn't started.

        `since`: only lines that were written within this time.
        """

    async def execute(self, app: str, command: Sequence[str]) -> Sequence[Executed]:
        """Run a command in each running pod of an application, by name. Only commands that read are run at all."""

    async def warnings(self, app: str) -> Sequence[str]:
        """The newest warning events about an application's pods, as ``Reason: message (how often)``."""

    async def usage(self, app: str) -> Sequence[Usage] | None:
        """What its pods used when they were last measured; None where nothing measures them (no metrics-server)."""


class ClusterReads(ContainerReads, Protocol):
    """Kubernetes, read only, within the configured namespace; and the applications that run by docker-compose instead.

    Which those are is configuration. Kubernetes is not asked about them.
    """

    def composed(self, app: str) -> bool:
        """Whether docker-compose runs this application."""

    async def policies(self) -> Sequence[str]:
        """The names of the NetworkPolicies there are."""

    async def claims(self) -> Sequence[str]:
        """The volumes claimed, as ``name  phase  size``."""


class RelayReads(Protocol):
    """The bridge relay's own HTTP port."""

    async def health(self) -> Health:
        """``GET /health``."""


@dataclass(frozen=True)
class Quote:
    """What a source outside the protocol says one unit of the collateral costs, in US dollars."""

    source: str
    usd: Decimal


class PriceReads(Protocol):
    """Price sources outside the protocol."""

    async def tradecraft(self) -> Quote:
        """Tradecraft, the first source (Oracle Price Feed Stale, Diagnosis)."""

    async def temple(self) -> Quote:
        """Temple, the fallback."""

    async def chainlink(self) -> Quote:
        """Chainlink's feed on Ethereum, where one is configured."""

    async def coingecko(self) -> Quote:
        """CoinGecko, which the protocol itself does not use (Liquidation Surge, Diagnosis 1)."""


@dataclass(frozen=True)
class SigningKey:
    """A validator's key in KMS, as far as the bot could find out."""

    validator: str
    state: State
    text: str
    """Enabled, disabled, pending deletion; or why nothing is known."""
    created_at: datetime | None = None


class KeyReads(Protocol):
    """The validators' KMS keys, read only."""

    async def validators(self) -> Sequence[SigningKey]:
        """One per configured validator; never raises for a single key, whose state is then UNKNOWN."""


@dataclass(frozen=True)
class RotationRun:
    """A rotation that this bot carried out, to its end or not; it changed something."""

    key: str
    """Which, by the bot's word for it: ``relay-key``, ``canton-token``, or a validator's deployment."""
    ended_at: datetime
    proposer: str
    """A user id, as those who approved it."""
    approvers: tuple[str, ...]
    back: bool
    """Whether it undid one that had stopped half-way."""
    stopped_at: str
    """The step it stopped at; empty where it is complete."""
    value_by: str
    """How the new value came, in the record's words; empty where nothing says so."""


class RotationRecord(Protocol):
    """The bot's own record of the rotations it carried out, read only."""

    async def rotations(self) -> Sequence[RotationRun]:
        """All of them, in the order in which they ended."""


@dataclass(frozen=True)
class Backup:
    """A database backup."""

    name: str
    at: datetime
    size: int
    """Bytes."""


class BackupReads(Protocol):
    """Where the ledger database's backups are kept, read only."""

    async def last(self) -> Backup | None:
        """The newest; None where there is none."""


@dataclass(frozen=True)
class Limits:
    """From when on a reading is bad: configuration, with the runbooks' numbers as default."""

    block_max_age: timedelta
    price_max_age: timedelta
    heartbeat_max_age: timedelta = timedelta(minutes=2)
    backup_max_age: timedelta = timedelta(hours=26)
    key_max_age: timedelta = timedelta(days=365)
    liquidations: int = 20
    """Within ten minutes."""
    liquidation_gas: int = 120
    """The most, in gwei, that our liquidation bot pays for gas."""
    database: str = "canton_ledger"
    database_user: str = "canton"
    database_path: str = "/var/lib/postgresql/data"
    """Where its files are, in its pod."""
    policies: tuple[str, ...] = ()
    """NetworkPolicies that must be there."""
    relay_hosts: tuple[str, ...] = ()
    """What the relay's pod must reach, as ``canton=host:port``, ``ethereum=host:port``."""
    patience: float = 1.0
    """How many times longer than usual a probe may take."""


@dataclass(frozen=True)
class Reads:
    """Every read port: what a probe is handed."""

    limits: Limits
    cluster: ClusterReads
    relay: RelayReads
    ledger: LedgerReads
    chain: ChainReads
    protocol: ProtocolReads
    prices: PriceReads
    keys: KeyReads
    backups: BackupReads
    pausing: PausingReads | None = None
    """None where no pausing key is configured."""
    record: RotationRecord | None = None
    """None where the state of record is not at hand."""
