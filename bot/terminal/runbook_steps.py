"""Every section and numbered step of the operational runbooks, and what of the bot implements it.

In our own words. `docs/runbooks/` is made from this and from the runbooks themselves; a test fails when a name here
leads nowhere, or when a section, an alert or a step has nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step, and what implements it: any of these, by their keys."""

    number: str
    """The runbook's own, with its list where a section has several: ``diagnosis 1``, ``unpause 3``."""
    text: str
    probes: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    """Of this section's runbook: the title's beginning."""
    actions: tuple[str, ...] = ()
    """Kinds."""
    commands: tuple[str, ...] = ()
    """Of `/musd`."""
    engine: tuple[str, ...] = ()
    """Modules of the engine, for what happens by itself."""


_RESTART = ("restart",)

SECTIONS: Mapping[str, tuple[Step, ...]] = {
    "Relay Service Down": (
        Step(
            "diagnosis",
            "Pods, log, and the docker-compose flavour",
            ("pods:musd-relay", "logs:musd-relay", "events:musd-relay"),
        ),
        Step("1", "CrashLoopBackOff: the start-up error", ("logs:musd-relay",), ("CrashLoopBackOff",)),
        Step(
            "2",
            "OOMKilled: a higher memory limit",
            ("pods:musd-relay",),
            ("OOMKilled",),
            ("raise-memory",),
            ("memory",),
        ),
        Step(
            "3",
            "Connectivity to Canton and Ethereum",
            ("reach:canton", "reach:ethereum", "ledger:ready", "chain:head"),
            ("Connectivity",),
        ),
        Step("4", "Restart", (), ("Restart the relay",), _RESTART, ("restart",)),
        Step("5", "Verify: /health answers 200", ("relay:health",)),
        Step(
            "escalation", "Not recovered after 15 minutes: the pause is offered", (), (), ("pause",), (), ("deadlines",)
        ),
    ),
    "Validator Down / Quorum Loss": (
        Step("diagnosis", "Pods of all validators, and KMS", ("pods:musd-validator", "validators:kms")),
        Step("1", "One down: normal priority", (), ("One validator is down",)),
        Step(
            "2",
            "Two down: restart at once; KMS; Canton",
            ("validators:kms", "ledger:ready", "policies"),
            ("Two validators are down",),
            ("restart-some",),
        ),
        Step("3", "All three down: emergency pause", (), ("All three",), ("pause",)),
        Step("verification", "The heartbeat files are written", ("validators:heartbeat",)),
    ),
    "Emergency Pause": (
        Step(
            "1",
            "Ethereum: BorrowModule, SMUSD, DirectMintV2, BLEBridgeV9, in this order",
            ("pause:ready",),
            ("A pause would NOT",),
            ("pause",),
            ("pause",),
        ),
        Step(
            "2",
            "Canton: an EmergencyPause proposal, by the elevated threshold",
            ("canton:paused:CantonDirectMintService",),
            (),
            ("canton-motion", "canton-carry"),
            ("canton",),
        ),
        Step("3", "Tell people: team, status page, public", (), (), ("announce",), ("announce",)),
        Step("4", "After the pause: cause, fix, coordinated unpause", (), ("After the pause",), ("unpause",)),
        Step("unpause 1", "The fix is deployed and verified", (), (), (), ("unpause",), ("preconditions",)),
        Step("unpause 2", "Canton first", (), (), ("canton-motion",), ("canton",)),
        Step("unpause 3", "Ethereum in reverse order", (), (), ("unpause", "execute-unpause"), ("unpause",)),
        Step("unpause 4", "Watch for an hour", (), (), (), (), ("watching",)),
    ),
    "Oracle Price Feed Stale": (
        Step(
            "diagnosis",
            "Tradecraft, Temple, the oracle on Ethereum",
            ("price:tradecraft", "price:temple", "oracle:price", "price:chain"),
        ),
        Step(
            "1",
            "API down: the fallback source",
            ("price:temple",),
            ("The first price source is down",),
            ("switch-oracle-source",),
            ("oracle",),
        ),
        Step(
            "2", "The relay does not sync", ("relay:prices", "pods:musd-relay"), ("The relay does not sync",), _RESTART
        ),
        Step(
            "3",
            "Manual price update on Canton",
            ("price:canton",),
            ("Manual price update",),
            ("canton-motion", "canton-carry"),
            ("canton",),
        ),
        Step(
            "4",
            "More than 50 %: emergency override",
            ("price:chainlink", "price:coingecko"),
            ("The price moved",),
            ("canton-motion",),
        ),
        Step("severity", "Critical once it is stale for an hour", (), (), (), (), ("deadlines",)),
    ),
    "Supply Cap Breach": (
        Step("diagnosis", "Supply on Ethereum and on Canton, and the cap", ("supply:ethereum", "supply:canton")),
        Step("1", "Emergency pause at once", (), ("Supply above its cap",), ("pause",)),
        Step("2", "Which path minted", ("supply:mints",)),
        Step("3", "No unpause before the cause is identified and fixed", (), (), (), ("unpause",), ("preconditions",)),
        Step("4", "Adjust the cap or burn the excess, by governance", (), (), ("canton-motion",), ("canton",)),
    ),
    "Reserve Ratio Below Threshold": (
        Step("diagnosis", "Reserves and supply at one block, each by its decimals", ("reserves:ratio",)),
        Step("1", "95 to 99 %: monitor, pending yield", ("strategies",), ("Between 95 and 99",)),
        Step("2", "Below 95 %: pause new mints", (), ("Between 90 and 95",), ("pause",)),
        Step("3", "Below 90 %: emergency pause", (), ("Below 90",), ("pause",)),
    ),
    "Liquidation Surge": (
        Step("diagnosis 1", "Is the fall real: CoinGecko, Chainlink", ("price:coingecko", "price:chainlink")),
        Step("diagnosis 2", "A spike that reverts", ("price:written",)),
        Step("diagnosis 3", "Does the liquidation bot work", ("pods:liquidation-bot", "logs:liquidation-bot")),
        Step("1", "Genuine crash: let it proceed", ("liquidations",), ("Prices are genuinely",)),
        Step(
            "2",
            "Manipulation: pause oracle updates",
            (),
            ("Oracle manipulation",),
            ("pause-oracle-updates", "resume-oracle-updates", "pause"),
            ("oracle",),
        ),
        Step("3", "Bot fault: restart, gas limits", ("gas",), ("The liquidation bot",), _RESTART),
    ),
    "smUSD Share Price Anomaly": (
        Step(
            "diagnosis", "Share price by the vault's decimals; the strategies' reports", ("shares:price", "strategies")
        ),
        Step(
            "1", "A reported loss: genuine, or reentrancy", ("shares:flows",), ("A strategy reported",), (), ("note",)
        ),
        Step("2", "Manipulated: pause staking", (), ("The share price was manipulated",), ("pause",)),
        Step("3", "The 10 % cap on a single decrease", (), ("A reported loss within",)),
    ),
    "Canton Participant Down": (
        Step(
            "restart",
            "Restart the participant",
            ("pods:canton-participant", "ledger:live", "ledger:ready"),
            ("Restart the participant",),
            _RESTART,
        ),
        Step("log", "Its last 200 lines", ("logs:canton-participant",)),
        Step(
            "persistent",
            "Database, disk, network policies",
            ("database:ready", "database:disk", "policies"),
            ("The database's disk", "The database does not", "A network policy"),
        ),
    ),
    "Database Recovery": (
        Step("usage", "How full the volume is", ("database:claims", "database:disk"), ("Space",)),
        Step("backup", "Back up", ("database:backup",), ("A backup is overdue",), ("backup",), ("database",)),
        Step("restore", "Restore from a backup", ("database:ready",), ("Restore",), ("restore",), ("database",)),
    ),
    "Key Rotation": (
        Step("relay 1", "New key, offline: people's work, never the bot's", (), (), ("rotate-relay-key",), ("rotate",)),
        Step("relay 2", "The Secret in the cluster", (), (), ("rotate-relay-key",), ("rotate",)),
        Step("relay 3", "The bridge knows the new relayer", ("keys:bridge",), (), ("rotate-relay-key",), ("rotate",)),
        Step("relay 4", "Restart the relay", (), (), ("rotate-relay-key", "restart"), ("rotate",)),
        Step(
            "validator 1",
            "New key in KMS",
            ("keys:validators",),
            ("A key is due",),
            ("rotate-validator-key",),
            ("rotate",),
        ),
        Step("validator 2", "The validator's configuration", (), (), ("rotate-validator-key",), ("rotate",)),
        Step(
            "validator 3",
            "The bridge knows the new validator",
            ("keys:bridge",),
            (),
            ("rotate-validator-key",),
            ("rotate",),
        ),
        Step("validator 4", "Restart that validator", (), (), ("rotate-validator-key",), ("rotate",)),
        Step("token 1", "New token by Canton's admin API", (), (), ("rotate-canton-token",), ("rotate",)),
        Step("token 2", "The Secret in the cluster", (), (), ("rotate-canton-token",), ("rotate",)),
        Step("token 3", "Restart everything", (), (), ("rotate-canton-token", "restart-all"), ("rotate",)),
    ),
    "Incident Response Checklist": (
        Step("1", "Severity", (), (), (), (), ("triage", "checklist")),
        Step("2", "Emergency pause, if critical", (), (), ("pause",), ("pause",), ("checklist",)),
        Step("3", "Page whoever is on call", (), (), (), ("page",), ("response",)),
        Step("4", "Incident channel", (), (), (), (), ("response",)),
        Step("5", "Logs of the affected services", (), (), (), ("logs",), ("collecting",)),
        Step("6", "Root cause", (), (), (), ("note",), ("checklist",)),
        Step("7", "Fix on staging", (), (), (), (), ("checklist",)),
        Step("8", "Fix in production", (), (), (), (), ("checklist",)),
        Step("9", "Watch for an hour", (), (), (), (), ("watching",)),
        Step("10", "Post-mortem within 48 hours", (), (), (), ("postmortem",), ("postmortem", "deadlines")),
        Step("11", "Update the runbooks", (), (), (), (), ("checklist",)),
    ),
    "On-Call Contacts": (
        Step("table", "Roles, escalation policies, channels", (), (), (), ("oncall", "page"), ("oncall",)),
    ),
    "Alerting Channels": (
        Step("critical", "Page at once", (), (), (), (), ("response",)),
        Step("warning", "The alerts channel", (), (), (), (), ("warnings",)),
        Step("info", "Counted, for the dashboard", (), (), (), (), ("triage",)),
    ),
}
