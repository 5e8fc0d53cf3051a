"""Oracle Price Feed Stale: nobody can borrow or withdraw on a price that is too old."""

from collections.abc import Callable
from decimal import Decimal

from bot.actions.canton.motions import PutMotion
from bot.actions.oracle import SwitchOracleSource
from bot.actions.restart import Restart
from bot.domain.action import Action
from bot.domain.canton import Motion, Purpose
from bot.domain.probe import Findings
from bot.domain.runbook import Condition, Escalation, Resolution, Runbook, all_ok
from bot.domain.series import Series
from bot.domain.signal import Severity
from bot.probes import chain, cluster, prices


def _and_stale(cause: Condition) -> Condition:
    """Where nothing is stale, a relay that complains is no reason."""

    def holds(findings: Findings) -> str | None:
        old, why = prices.stale(findings), cause(findings)
        return f"{why} {old}" if old and why else None

    return holds


def _price_on_canton(purpose: Purpose, wanted: Condition) -> Callable[[Findings], tuple[Action, ...]]:
    """The market's price put to Canton's guardians, where it is Canton's feed that needs it."""

    def offering(findings: Findings) -> tuple[Action, ...]:
        value, source = prices.market(findings), prices.named(findings)
        only = {key: finding for key, finding in findings.items() if key not in {"price:chain", "oracle:price"}}
        if value is None or not wanted(only):
            return ()
        price = value.quantize(Decimal("0.000001"))
        motion = Motion(purpose=purpose, symbol=prices.COLLATERAL, price=price, source=source)
        return (PutMotion(motion=motion, sources=(source,)),)

    return offering


def _the_fallback(findings: Findings) -> tuple[Action, ...]:
    """Only where the fallback answers: from one dead source to another helps nobody."""
    other = findings.get("price:temple")
    return (SwitchOracleSource(),) if other is not None and other.ok else ()


RUNBOOK = Runbook(
    key="oracle-stale",
    title="Oracle Price Feed Stale",
    section="Oracle Price Feed Stale",
    alerts=("OraclePriceStale",),
    pictures=(Series.ORACLE_PRICE,),
    severity=Severity.WARNING,
    impact="Borrowing and withdrawing are blocked. Liquidations go on, with the stale price.",
    probes=(
        chain.oracle_price(),
        prices.on_chain(),
        prices.on_canton(),
        prices.source("tradecraft"),
        prices.source("temple"),
        prices.source("chainlink"),
        prices.source("coingecko"),
        cluster.pods("musd-relay"),
        cluster.price_sync("musd-relay"),
    ),
    resolutions=(
        Resolution(
            "4",
            "The price moved by more than 50 %: emergency override",
            when=prices.moved,
            do=(
                "Compare the sources before you trust either. Then `/musd canton price CTN <USD>`, the value above: "
                "it asks Canton's guardians for the EmergencyPause proof that PriceFeed_EmergencyUpdate takes, 30 "
                "minutes after the last update at the earliest."
            ),
            offering=_price_on_canton(Purpose.EMERGENCY_PRICE, prices.moved),
            severity=Severity.CRITICAL,
        ),
        Resolution(
            "1",
            "The first price source is down: switch to the fallback",
            when=prices.api_down,
            do=(
                "Point whatever brings prices at the fallback, and watch the age above fall: offered below where that "
                "setting is configured and the fallback answers; else change the relay's configuration and restart it. "
                "`/musd oracle switch tradecraft` brings the first source back."
            ),
            offering=_the_fallback,
        ),
        Resolution(
            "2",
            "The relay does not sync prices",
            when=_and_stale(cluster.price_sync_failing),
            do="Read the relay's errors above, mend what they name, restart the relay.",
            offer=(Restart(deployment="musd-relay"),),
        ),
        Resolution(
            "3",
            "The oracle refuses a fresh price: its circuit breaker, or a feed that is switched off",
            when=prices.refusing,
            do=(
                "Compare the sources above with the last price. If it is right, have governance reset the breaker or "
                "enable the feed; if it is wrong, write the right one first."
            ),
        ),
        Resolution(
            "3",
            "Manual price update: the sources answer, the price stays stale",
            when=prices.manual,
            do=(
                "`/musd canton price CTN <USD>` with the value above: it asks Canton's guardians for a ParameterUpdate "
                "and then exercises PriceFeed_Update. On Ethereum the feeder writes it."
            ),
            offering=_price_on_canton(Purpose.PRICE, prices.manual),
        ),
    ),
    escalation=Escalation(
        after=prices.CRITICAL_AFTER,
        unless=all_ok("oracle:price", "price:chain", "price:canton"),
        text="a price that is stale for more than an hour is critical: it becomes an incident",
        becomes=Severity.CRITICAL,
    ),
    healthy=all_ok("oracle:price", "price:chain", "price:canton"),
    recovered="Both prices are fresh again. See that the first source stays up.",
)
