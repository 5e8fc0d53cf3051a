"""Liquidation Surge: many positions are liquidated at once; the market may be falling, or somebody moves the oracle."""

from bot.actions.oracle import PauseOracleUpdates
from bot.actions.pause import EmergencyPause
from bot.actions.restart import Restart
from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.series import Series
from bot.domain.signal import Severity
from bot.probes import cluster, liquidations, prices

RUNBOOK = Runbook(
    key="liquidation-surge",
    title="Liquidation Surge",
    section="Liquidation Surge",
    alerts=("LiquidationSurge",),
    pictures=(Series.LIQUIDATIONS, Series.ORACLE_PRICE),
    severity=Severity.WARNING,
    impact="Mass liquidations: the market crashes, or somebody manipulates the oracle.",
    probes=(
        liquidations.recent(),
        prices.on_chain(),
        prices.source("coingecko"),
        prices.source("chainlink"),
        prices.source("tradecraft"),
        prices.written(),
        cluster.pods(liquidations.APP, title="Liquidation bot"),
        cluster.recent_errors(liquidations.APP, tail=100),
        liquidations.gas(),
    ),
    resolutions=(
        Resolution(
            "2",
            "Oracle manipulation suspected: pause oracle updates and investigate",
            when=prices.manipulated,
            do=(
                "Stop whatever writes the oracle's price: offered below where its deployment is configured or the "
                "oracle has a pause of its own, else by hand. `/musd oracle resume` starts it again. Pausing "
                "BorrowModule keeps everybody from borrowing against the wrong price meanwhile; it stops repaying too."
            ),
            # Only what is configured becomes a button.
            offer=(
                PauseOracleUpdates(),
                EmergencyPause(contracts=("PRICE_ORACLE",)),
                EmergencyPause(contracts=("BORROW_MODULE",)),
            ),
            severity=Severity.CRITICAL,
        ),
        Resolution(
            "3",
            "The liquidation bot malfunctions: restart it, check its gas price limit",
            when=liquidations.bot_fault,
            do="Restart the liquidation bot. Where gas is dearer than its limit, raise the limit in its configuration.",
            offer=(Restart(deployment=liquidations.APP),),
        ),
        Resolution(
            "1",
            "Prices are genuinely falling: let the liquidations proceed",
            when=prices.genuine(liquidations.surging),
            do="The protocol works as intended. Watch the reserves and the liquidation bot; pause nothing.",
        ),
    ),
    # Not the bot's log: it still holds the errors of before.
    healthy=all_ok("liquidations", "price:chain", "price:written", f"pods:{liquidations.APP}", "gas"),
    recovered="Liquidations are at their usual pace, and the oracle agrees with itself.",
)
