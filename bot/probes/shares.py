"""Questions about what a share of smUSD is worth, and what changed it (smUSD Share Price Anomaly)."""

from datetime import timedelta
from decimal import Decimal

from bot.domain.probe import Finding, Findings, Probe, bad, ok
from bot.ports import Flow, Reads

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
ALARMING = Decimal(5)
"""Percent within an hour: what the alert watches for."""
CAP = Decimal(10)
"""Percent: the most that one reported loss may take (Resolution 3, fix D-M05)."""
_NOTICED = Decimal("0.01")
"""Percent: less than this is rounding."""
_SHOWN = 10


def price() -> Probe[Reads]:
    """What one whole share is worth now, by the vault's own decimals, and what it was an hour and a day ago."""

    async def ask(reads: Reads) -> Finding:
        now = await reads.protocol.share_price()
        hour, day = await reads.protocol.share_price(HOUR), await reads.protocol.share_price(DAY)
        in_hour, in_day = _change(now.price.exact, hour.price.exact), _change(now.price.exact, day.price.exact)
        said = (
            f"{now.price.exact:.6f} mUSD a share at block {now.block:,} ({now.shares.decimals} decimals): "
            f"{in_hour:+.2f} % in 1 h, {in_day:+.2f} % in 24 h"
        )
        lost = (hour.price.exact - now.price.exact) * now.shares.exact
        facts = {"price": str(now.price.exact), "hour": str(in_hour), "day": str(in_day), "lost": str(lost)}
        return (bad if in_hour <= -_NOTICED else ok)(said, **facts)

    command = 'cast call $SMUSD "convertToAssets(uint256)" $(echo "10^$(cast call $SMUSD "decimals()(uint8)")" | bc)'
    return Probe("shares:price", "smUSD share price", ask, command=command, timeout=8.0)


def flows() -> Probe[Reads]:
    """What changed the vault's assets in the last hour: yield, reported losses, and transfers that nothing explains."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.vault_flows(HOUR)
        losses = [one for one in found if one.kind == "loss"]
        strange = [one for one in found if one.kind == "unexplained"]
        evidence = "\n".join(
            f"{one.kind:<11} {one.amount:>+18,.2f} mUSD  block {one.block:,}  {one.transaction}"
            for one in found[-_SHOWN:]
        )
        facts = {
            "losses": [{"amount": str(one.amount), "tx": one.transaction} for one in losses],
            "strange": [{"amount": str(one.amount), "tx": one.transaction} for one in strange],
        }
        said = ", ".join(
            part
            for part in (
                f"{len(found) - len(losses) - len(strange)} yields",
                f"{len(losses)} reported losses ({_sum(losses):+,.2f})" if losses else "",
                f"{len(strange)} transfers like a donation or a drain ({_sum(strange):+,.2f})" if strange else "",
            )
            if part
        )
        hashes = [one.transaction for one in found]
        return (bad if losses or strange else ok)(said, evidence=evidence, hashes=hashes, **facts)

    command = "cast logs --from-block $FROM 'LossReported(address,uint256)' --address $SMUSD"
    return Probe("shares:flows", "Vault in 1 h", ask, command=command, timeout=8.0)


def manipulated(findings: Findings) -> str | None:
    """A share is worth less than an hour ago, and no report explains most of it; or it is beyond any report's cap."""
    fall = _fall(findings)
    if fall is None:
        return None
    percent, lost = fall
    strange = _facts(findings, "strange")
    gone = -sum((Decimal(one["amount"]) for one in strange), Decimal(0))
    if lost > 0 and gone * 2 >= lost:
        return (
            f"The share price fell by {percent:.2f} % within an hour, and {gone:,.2f} mUSD left the vault with no "
            f"report of a loss, last in transaction {strange[-1]['tx']}."
        )
    if percent > CAP:
        return (
            f"The share price fell by {percent:.2f} % within an hour: more than one reported loss may take ({CAP} %)."
        )
    return None


def alarming_loss(findings: Findings) -> str | None:
    """A strategy reported a loss that took more than 5 % off the share price."""
    return _loss(findings, alarming=True)


def small_loss(findings: Findings) -> str | None:
    """A strategy reported a loss, below what the alert watches for."""
    return _loss(findings, alarming=False)


def _loss(findings: Findings, *, alarming: bool) -> str | None:
    fall, losses = _fall(findings), _facts(findings, "losses")
    if fall is None or not losses or (fall[0] > ALARMING) is not alarming:
        return None
    last = losses[-1]
    return (
        f"The share price fell by {fall[0]:.2f} % within an hour. A strategy reported a loss of "
        f"{-Decimal(last['amount']):,.2f} mUSD: look at transaction {last['tx']}. "
        f"That is within the {CAP} % cap on a single decrease."
    )


def _fall(findings: Findings) -> tuple[Decimal, Decimal] | None:
    """By how much it fell within the hour: in percent, and in mUSD over all shares; None where it did not."""
    finding = findings.get("shares:price")
    if finding is None or "hour" not in finding.facts:
        return None
    percent = -Decimal(finding.facts["hour"])
    return (percent, Decimal(finding.facts["lost"])) if percent >= _NOTICED else None


def _facts(findings: Findings, name: str) -> list[dict[str, str]]:
    finding = findings.get("shares:flows")
    return list(finding.facts.get(name, ())) if finding else []


def _change(now: Decimal, then: Decimal) -> Decimal:
    return (now / then - 1) * 100 if then else Decimal(0)


def _sum(flows: list[Flow]) -> Decimal:
    return sum((one.amount for one in flows), Decimal(0))
