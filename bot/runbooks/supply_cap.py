"""Supply Cap Breach: there is more mUSD than there may be. This should never happen."""

from bot.actions.pause import PAUSE_ALL
from bot.domain.oncall import OnCallRole
from bot.domain.runbook import Resolution, Runbook
from bot.domain.series import Series
from bot.domain.signal import Severity
from bot.probes import supply

RUNBOOK = Runbook(
    key="supply-cap",
    title="Supply Cap Breach",
    section="Supply Cap Breach",
    alerts=("SupplyCapBreached",),
    near=("SupplyCapApproaching",),
    pictures=(Series.SUPPLY,),
    severity=Severity.CRITICAL,
    role=OnCallRole.SECURITY,
    impact="A protocol invariant is violated: more mUSD exists than its cap allows, so some may have no backing.",
    confidential=True,
    probes=(supply.ethereum(), supply.canton(), supply.mints()),
    resolutions=(
        Resolution(
            "1",
            "Supply above its cap: emergency pause at once",
            when=supply.breached,
            do=(
                "Pause everything now. Step 2: find out how the path named above got past the cap. Step 3: no unpause "
                "before the cause is identified and fixed. Step 4: adjusting the cap or burning the excess takes a "
                "governance proposal: on Canton `/musd canton cap <mUSD>` or `/musd canton burn <mUSD>`, on Ethereum "
                "`/musd supply cap` or `/musd supply burn`."
            ),
            offer=(PAUSE_ALL,),
        ),
    ),
    healthy=supply.within_cap,
    recovered="Within the cap again. Keep everything paused until the cause is identified and fixed (step 3).",
)
