"""Reserve Ratio Below Threshold: there may be less behind mUSD than there is mUSD."""

from decimal import Decimal

from bot.actions.pause import PAUSE_ALL, PAUSE_MINTS
from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.series import Series
from bot.domain.signal import Severity
from bot.probes import reserves

RUNBOOK = Runbook(
    key="reserve-ratio",
    title="Reserve Ratio Below Threshold",
    section="Reserve Ratio Below Threshold",
    alerts=("ReserveRatioBelowThreshold",),
    pictures=(Series.RESERVE_RATIO,),
    severity=Severity.CRITICAL,
    impact="mUSD may be backed by less than it is worth: redemptions are at risk.",
    probes=(reserves.ratio(), reserves.strategies(), reserves.day_before()),
    resolutions=(
        Resolution(
            "3",
            "Below 90 %: emergency pause, and look for an exploit or a strategy's loss",
            when=reserves.between(Decimal("-Infinity"), reserves.PAUSE_MINTS),
            do="Pause everything. Then look at what left the Treasury and at each strategy's report.",
            offer=(PAUSE_ALL,),
        ),
        Resolution(
            "2",
            "Between 90 and 95 %: pause new mints until the reserves recover",
            when=reserves.between(reserves.PAUSE_MINTS, reserves.MONITOR),
            do="Pause DirectMintV2 and nothing else. Redeeming against USDC stops with it, so say so.",
            offer=(PAUSE_MINTS,),
        ),
        Resolution(
            "1",
            "Between 95 and 99 %: monitor, and look for pending strategy yield",
            when=reserves.between(reserves.MONITOR, reserves.FINE),
            do="Watch the ratio. See whether a strategy's yield waits to be claimed, and claim it if so.",
            severity=Severity.MEDIUM,
        ),
    ),
    healthy=all_ok("reserves:ratio"),
    recovered="The reserves are at least 99 % of the supply. Watch the next hour before you call it over.",
)
