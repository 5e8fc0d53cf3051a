"""What runs in namespace ``musd``: each application's shape, and what it writes to its log."""

from dataclasses import dataclass


@dataclass(frozen=True)
class App:
    """One deployment (or, for PostgreSQL, one pod) and its voice."""

    name: str
    container: str
    image: str
    memory: str
    """The container's memory limit, as a Kubernetes quantity."""
    starting: tuple[str, ...]
    """Log lines of a start."""
    routine: tuple[str, ...]
    """Log lines of every day, taken in turn; ``{n}`` counts, ``{block}`` and ``{price}`` move with it."""
    crash: str
    """The start-up error it dies of unless told otherwise."""
    labels: tuple[tuple[str, str], ...] = ()
    """Labels beside ``app``; the label ``app`` itself may be given too."""
    overlaps: bool = True
    """Whether a rollout starts the new pod before the old one is gone (RollingUpdate), or after (Recreate)."""
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[tuple[str, str, str], ...] = ()
    """Environment variable, Secret and key."""
    port: int = 8080
    every: float = 5.0
    """Seconds between two routine lines."""

    @property
    def app_label(self) -> str:
        """The value of the label ``app``."""
        return dict(self.labels).get("app", self.name)


RELAY = App(
    name="musd-relay",
    container="relay",
    image="ghcr.io/minted/musd-relay:1.14.2",
    memory="512Mi",
    starting=(
        "INFO  [main] musd-relay 1.14.2 starting, node v22.14.0",
        "INFO  [config] ethereum chain 1, canton participant canton-participant:7575, bridge 0x5FbD…0aa3",
        "INFO  [health] listening on :8080",
    ),
    routine=(
        "INFO  [sync] canton offset {n} -> ethereum block {block}: up to date",
        "INFO  [attest] attestation {n}: 3/3 signatures collected, nothing to submit",
        "INFO  [prices] price sync CC/USD {price} written to PriceFeed",
        "INFO  [sync] scanned blocks {block} to {block}: 0 bridge-out events",
        "INFO  [attest] bridge-out {n} attested and submitted",
        "WARN  [rpc] eth_getLogs took 1843 ms",
    ),
    crash="FATAL config: RELAYER_PRIVATE_KEY is not set",
    env=(
        ("ETHEREUM_RPC_URL", "https://ethereum-rpc.musd.internal"),
        ("CANTON_HOST", "canton-participant"),
        ("PRICE_SOURCE", "tradecraft"),
    ),
    secrets=(
        ("RELAYER_PRIVATE_KEY", "relay-private-key", "relayer_private_key"),
        ("CANTON_TOKEN", "canton-token", "canton_token"),
    ),
)


def _validator(number: int) -> App:
    return App(
        name=f"musd-validator-{number}",
        container="validator",
        image="ghcr.io/minted/musd-validator:1.14.2",
        memory="256Mi",
        labels=(("app", "musd-validator"), ("validator", str(number))),
        starting=(
            f"INFO  [main] validator {number} starting",
            "INFO  [kms] signing key found, address matches VALIDATOR_ROLE",
            "INFO  [canton] connected to canton-participant:7575",
        ),
        routine=(
            "INFO  [heartbeat] /tmp/heartbeat written",
            "INFO  [attest] request {n}: supply and collateral checked, signed with KMS",
            "INFO  [canton] active contracts read at offset {n}",
        ),
        crash="FATAL kms: AccessDeniedException: not authorized to perform: kms:Sign on the validator key",
        env=(
            ("KMS_KEY_ID", f"arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000{number}"),
            ("VALIDATOR_INDEX", str(number)),
        ),
        secrets=(("CANTON_TOKEN", "canton-token", "canton_token"),),
    )


PARTICIPANT = App(
    name="canton-participant",
    container="participant",
    image="ghcr.io/minted/canton-participant:3.3.0",
    memory="2Gi",
    overlaps=False,
    port=7575,
    starting=(
        "INFO  c.d.c.CantonCommunityApp$ - Starting Canton version 3.3.0",
        "INFO  c.d.c.r.DbStorageSingle participant=musd - Connected to canton-postgres-0:5432/canton_ledger",
        "INFO  c.d.c.p.ParticipantNode participant=musd - JSON Ledger API listening on 0.0.0.0:7575",
    ),
    routine=(
        "INFO  c.d.c.p.p.TransactionProcessor participant=musd - Processed up to offset {n}",
        "DEBUG c.d.c.p.s.AcsCommitmentProcessor participant=musd - Commitment for period {n} matches",
        "INFO  c.d.c.p.a.CommandSubmissionServiceImpl participant=musd - Submission {n} accepted",
    ),
    crash="ERROR c.d.c.r.DbStorageSingle participant=musd - Failed to connect to database: "
    "FATAL: remaining connection slots are reserved",
    secrets=(("CANTON_TOKEN", "canton-token", "canton_token"),),
)
LIQUIDATOR = App(
    name="liquidation-bot",
    container="liquidation-bot",
    image="ghcr.io/minted/liquidation-bot:0.9.5",
    memory="256Mi",
    starting=("INFO  [main] liquidation-bot 0.9.5 starting", "INFO  [wallet] balance 1.84 ETH"),
    routine=(
        "INFO  [scan] block {block}: 42 positions, lowest health factor 1.31",
        "INFO  [gas] base fee 11 gwei, limit 120 gwei",
        "INFO  [scan] nothing to liquidate",
    ),
    crash="FATAL wallet: insufficient funds for gas * price + value",
)
FEEDER = App(
    name="oracle-feeder",
    container="feeder",
    image="ghcr.io/minted/oracle-feeder:1.2.0",
    memory="128Mi",
    starting=("INFO  [main] oracle-feeder 1.2.0 starting", "INFO  [wallet] FEEDER_ROLE on PRICE_ORACLE: yes"),
    routine=("INFO  [feed] updatePrice CC {price}: included in block {block}",),
    crash="FATAL wallet: insufficient funds for gas * price + value",
    every=30.0,
)
BOT = App(
    name="musd-bot",
    container="bot",
    image="ghcr.io/minted/musd-bot:0.1.0",
    memory="512Mi",
    overlaps=False,
    starting=("INFO  musd-bot starting", "INFO  slack: socket mode connected"),
    routine=("INFO  alerts: nothing firing", "INFO  health: ready"),
    crash="FATAL settings: SLACK_BOT_TOKEN is not set",
    every=15.0,
)
POSTGRES = App(
    name="canton-postgres",
    container="postgres",
    image="postgres:16.4",
    memory="1Gi",
    port=5432,
    starting=(
        "LOG:  starting PostgreSQL 16.4 on x86_64-pc-linux-gnu",
        'LOG:  listening on IPv4 address "0.0.0.0", port 5432',
        "LOG:  database system is ready to accept connections",
    ),
    routine=("LOG:  checkpoint starting: time", "LOG:  checkpoint complete: wrote {n} buffers (0.9%)"),
    crash="PANIC:  could not locate a valid checkpoint record",
    every=20.0,
)
POSTGRES_POD = "canton-postgres-0"
VALIDATORS = tuple(_validator(number) for number in (1, 2, 3))
DEPLOYMENTS: tuple[App, ...] = (RELAY, *VALIDATORS, PARTICIPANT, LIQUIDATOR, FEEDER, BOT)
BY_OWNER: dict[str, App] = {app.name: app for app in DEPLOYMENTS} | {POSTGRES_POD: POSTGRES}
"""Deployment name, or name of a pod of its own, → what runs there."""


def line(template: str, count: int) -> str:
    """A routine line with its numbers filled in."""
    return template.format(n=48_200 + count, block=21_400_000 + 3 * count, price=f"{0.1432 + count % 17 / 10_000:.4f}")
