"""Questions about liquidations and the bot that carries them out (Liquidation Surge)."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from bot.domain.probe import Finding, Findings, Probe, bad, ok
from bot.ports import Reads
from bot.probes import cluster

APP = "liquidation-bot"
WINDOW = timedelta(minutes=10)
"""The alert counts liquidations within this time."""
_DAY = timedelta(hours=24)


def recent() -> Probe[Reads]:
    """How many positions were liquidated within ten minutes, and how fast?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.liquidations(_DAY)
        since = datetime.now(UTC) - WINDOW
        fresh = [at for at in found if at >= since]
        limit = reads.limits.liquidations
        minutes = Counter(at.replace(second=0, microsecond=0) for at in fresh)
        peak = f", {max(minutes.values())} in the busiest minute" if minutes else ""
        said = f"{len(fresh)} in 10 min{peak}; {len(found)} in 24 h; a surge is more than {limit} in 10 min"
        evidence = "\n".join(f"{at:%H:%M} UTC  {count}" for at, count in sorted(minutes.items()))
        return (bad if len(fresh) > limit else ok)(said, evidence=evidence, liquidations=len(fresh))

    command = "cast logs --from-block $FROM 'Liquidation(address,address,uint256,uint256)' --address $BORROW_MODULE"
    return Probe("liquidations", "Liquidations", ask, command=command, timeout=8.0)


def gas() -> Probe[Reads]:
    """Is gas dearer than our liquidation bot may pay? (Resolution step 3)."""

    async def ask(reads: Reads) -> Finding:
        fee, limit = (await reads.protocol.gas_price()).exact, reads.limits.liquidation_gas
        said = f"base fee {fee:.2f} gwei, the bot's limit is {limit} gwei"
        return bad(f"{said}: it can't send", too_dear=said) if fee > limit else ok(said)

    return Probe("gas", "Gas price", ask, command="cast gas-price")


def surging(findings: Findings) -> str | None:
    """More liquidations within ten minutes than the limit."""
    finding = findings.get("liquidations")
    return f"{finding.summary}." if finding is not None and not finding.ok and finding.facts else None


def bot_fault(findings: Findings) -> str | None:
    """Our own liquidation bot does not run, or can't pay the gas."""
    gas_finding = findings.get("gas")
    dear = gas_finding.facts.get("too_dear") if gas_finding else None
    why = [cluster.crash_looping(findings) or cluster.not_ready(findings), f"{dear}: it can't send." if dear else None]
    return " ".join(one for one in why if one) or None
