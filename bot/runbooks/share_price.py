"""smUSD Share Price Anomaly: a share is worth less than before; a strategy lost money, or somebody takes it."""

from bot.actions.pause import PAUSE_STAKING
from bot.domain.runbook import Resolution, Runbook, all_ok
from bot.domain.series import Series
from bot.domain.signal import Severity
from bot.probes import reserves, shares

_JUDGE = (
    "Is the loss genuine, or a reentrancy exploit? Look at the transaction for a second call into the vault or the "
    "strategy before the first one ended, and at the strategy's own position. Write your judgement down with the "
    "button below, so that it stands on the incident's timeline."
)

RUNBOOK = Runbook(
    key="share-price",
    title="smUSD Share Price Anomaly",
    section="smUSD Share Price Anomaly",
    alerts=("SharePriceDecreaseAnomaly",),
    near=("YieldSyncStale",),
    pictures=(Series.SHARE_PRICE,),
    severity=Severity.CRITICAL,
    impact="A strategy lost money or the share price is manipulated: stakers may be losing funds.",
    confidential=True,
    probes=(shares.price(), shares.flows(), reserves.strategies()),
    resolutions=(
        Resolution(
            "2",
            "The share price was manipulated: emergency pause of staking",
            when=shares.manipulated,
            do="Pause SMUSD. Then follow the transaction: where the money came from, and where it went.",
            offer=(PAUSE_STAKING,),
        ),
        Resolution(
            "1",
            "A strategy reported a loss: verify that it is genuine",
            when=shares.alarming_loss,
            do=f"{_JUDGE} If it is an exploit, pause SMUSD.",
            offer=(PAUSE_STAKING,),
            judge="Is the reported loss genuine, or a reentrancy exploit?",
        ),
        Resolution(
            "3",
            "A reported loss within the 10 % cap",
            when=shares.small_loss,
            do=f"The cap on a single decrease holds. {_JUDGE}",
            severity=Severity.MEDIUM,
            judge="Is the reported loss genuine, or a reentrancy exploit?",
        ),
    ),
    healthy=all_ok("shares:price"),
    recovered="A share is worth at least what it was an hour ago. Watch the next hour before you call it over.",
)
