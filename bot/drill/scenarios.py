"""The scenarios, one or more per runbook section: what breaks, which alert fires, what counts as solved, a hint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.drill import checks
from bot.drill.alerts import Alert

if TYPE_CHECKING:
    from bot.drill.world import World


@dataclass(frozen=True)
class Scenario:
    """Something to practise."""

    key: str
    title: str
    section: str
    """The section of the runbooks it practises."""
    what: str
    breaks: tuple[Mapping[str, Any], ...]
    """Requests as `POST /faults` takes them, in order."""
    alert: Alert | None
    solved: str
    check: Callable[["World"], Awaitable[bool]]
    """Whether it is solved, asked of the world itself."""
    hint: str
    beforehand: Callable[["World", datetime], Awaitable[bool]] | None = None
    """Where *Mend* stands for what other hands have to do: what the bot's people must have done since it began."""
    presses: tuple[str, ...] = ()
    """How the labels begin that the runbook's way out leads to: not pressing them is missed on the scorecard."""


def _world(fault: str, **more: Any) -> Mapping[str, Any]:
    return {"target": "world", "fault": fault, **more}


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        key="relay-down",
        title="The relay dies at every start",
        section="Relay Service Down",
        what="Somebody's change took a setting away. The relay crash-loops; nothing is minted, redeemed or attested.",
        breaks=({"target": "cluster", "fault": "crashloop", "deployment": "musd-relay", "until": "restart"},),
        alert=Alert(
            "RelayServiceDown",
            "critical",
            "Bridge relay has been down for more than 2 minutes",
            {"job": "musd-relay", "instance": "musd-relay:8080"},
        ),
        solved="the relay's health endpoint answers 200 again",
        check=checks.relay_answers,
        hint="Read the verdict in the incident's thread: it quotes the start-up error. Then restart the relay.",
        presses=("Restart",),
    ),
    Scenario(
        key="relay-oom",
        title="The relay runs out of memory",
        section="Relay Service Down",
        what="The relay wants more memory than its limit and is killed again and again.",
        breaks=(_world("relay-oom"),),
        alert=Alert(
            "RelayServiceDown",
            "critical",
            "Bridge relay has been down for more than 2 minutes",
            {"job": "musd-relay", "instance": "musd-relay:8080"},
        ),
        solved="the relay's health endpoint answers 200 again",
        check=checks.relay_answers,
        hint="A restart alone does not help for long: look at the limit.",
        presses=("Raise the memory",),
    ),
    Scenario(
        key="quorum-loss",
        title="Two validators are down",
        section="Validator Down / Quorum Loss",
        what="Two of the three validators crash-loop: attestations can't reach their quorum.",
        breaks=({"target": "cluster", "fault": "validator-down", "which": "1,3", "until": "restart"},),
        alert=Alert("ValidatorServiceDown", "critical", "2 of 3 validators are down", {"job": "musd-validator"}),
        solved="all three validators are ready again",
        check=checks.validators_run,
        hint="One down is normal priority, two are not: restart those two at once.",
        presses=("Restart",),
    ),
    Scenario(
        key="emergency-pause",
        title="An exploit is under way",
        section="Emergency Pause",
        what="Somebody drains smUSD in front of your eyes. There is no time to find out how.",
        breaks=(_world("share-price-drop", percent=25, kind="donation"),),
        alert=Alert(
            "SharePriceDecreaseAnomaly",
            "critical",
            "smUSD share price fell by 25 % within minutes",
            {"job": "smusd-vault"},
        ),
        solved="all four contracts are paused",
        check=checks.everything_paused,
        hint="Every critical incident carries the pause from its first message on.",
        presses=("Confirm",),
    ),
    Scenario(
        key="oracle-stale",
        title="The price on the chain is stale",
        section="Oracle Price Feed Stale",
        what="The first price source is down and nobody has fed the oracle for twenty minutes. Borrowing is blocked.",
        breaks=(_world("oracle-api-down"),),
        alert=Alert("OraclePriceStale", "warning", "Oracle price for CC is older than 15 minutes", {"asset": "CC"}),
        solved="the oracle gives its price out again",
        check=checks.price_is_fresh,
        hint="Compare the sources before you trust any. One still answers: the verdict offers the switch to it.",
        presses=("Switch the oracle's source",),
    ),
    Scenario(
        key="supply-cap",
        title="More mUSD than there may be",
        section="Supply Cap Breach",
        what="The lending path has minted past the supply cap. This should never happen.",
        breaks=(_world("supply-breach", path="lending"),),
        alert=Alert("SupplyCapBreached", "critical", "mUSD total supply is above its cap"),
        solved="all four contracts are paused",
        check=checks.everything_paused,
        hint="Pause first. Then find the path; don't unpause before the cause is fixed.",
        presses=("Confirm",),
    ),
    Scenario(
        key="reserve-ratio",
        title="The reserves are short",
        section="Reserve Ratio Below Threshold",
        what="Reserves fall to 94.1 % of the supply.",
        breaks=(_world("reserve-ratio", percent="94.1"),),
        alert=Alert("ReserveRatioBelowThreshold", "critical", "Reserve ratio is 94.1 %"),
        solved="minting is paused on DirectMintV2, or the reserves are back",
        check=checks.mints_stopped,
        hint="Between 90 and 95 % the runbook stops new mints, and nothing else.",
        presses=("Pause DirectMintV2", "Confirm"),
    ),
    Scenario(
        key="liquidation-surge",
        title="Liquidations on a price nobody else sees",
        section="Liquidation Surge",
        what="Twenty-five positions are liquidated on a price 45 % below what the outside sources say.",
        breaks=(_world("oracle-manipulated"),),
        alert=Alert("LiquidationSurge", "warning", "More than 20 liquidations within 10 minutes", {"asset": "CC"}),
        solved="oracle updates or BorrowModule are paused, or the price on the chain is right again",
        check=checks.manipulation_contained,
        hint="Is the fall real? If the outside sources agree with the oracle, let it be; here they don't.",
        presses=("Pause",),
    ),
    Scenario(
        key="share-price",
        title="smUSD is worth less all of a sudden",
        section="smUSD Share Price Anomaly",
        what="The share price falls by 8 % after an unusual transfer into the vault; no strategy reported a loss.",
        breaks=(_world("share-price-drop", percent=8, kind="donation"),),
        alert=Alert("SharePriceDecreaseAnomaly", "critical", "smUSD share price fell by more than 5 % in an hour"),
        solved="staking is paused",
        check=checks.staking_stopped,
        hint="A reported loss has an event. Without one, think of manipulation.",
        presses=("Pause SMUSD", "Confirm"),
    ),
    Scenario(
        key="participant-down",
        title="The Canton participant is down",
        section="Canton Participant Down",
        what="The participant crash-loops and everything on Canton stands still.",
        breaks=({"target": "cluster", "fault": "participant-down", "until": "restart"},),
        alert=Alert(
            "CantonParticipantDown", "critical", "Canton participant is not ready", {"job": "canton-participant"}
        ),
        solved="the participant is ready again",
        check=checks.participant_runs,
        hint="Restart it, then read its log. If it dies again: database, disk, network.",
        presses=("Restart",),
    ),
    Scenario(
        key="database-full",
        title="The ledger's database has no room left",
        section="Database Recovery",
        what="The volume of the ledger's PostgreSQL is full.",
        breaks=(_world("database-full", percent=98),),
        alert=Alert("PVCNearlyFull", "warning", "PVC of canton-postgres is 98 % full", {"job": "canton-postgres"}),
        solved="a backup was taken first, and then the volume made larger: Mend stands for that",
        check=checks.database_answers,
        hint="Take a backup before anything else, while what is there can still be read. Then mend it.",
        beforehand=checks.backed_up,
        presses=("Back up",),
    ),
    Scenario(
        key="key-rotation",
        title="The relay's key has leaked",
        section="Key Rotation",
        what="The relay's private key was found where it should not be. Replace it, in the cluster and on the chain.",
        breaks=(),
        alert=None,
        solved="the bridge knows another relayer",
        check=checks.relayer_replaced,
        hint="The new key first, then the secret, then the bridge, then the restart.",
    ),
)


def scenario(key: str) -> Scenario:
    """The scenario of that key. Raises `KeyError` with those there are."""
    for one in SCENARIOS:
        if one.key == key:
            return one
    raise KeyError(f"there is no scenario {key!r}; there are {', '.join(one.key for one in SCENARIOS)}")
