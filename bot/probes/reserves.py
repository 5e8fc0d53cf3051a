"""Questions about the reserves behind mUSD (Reserve Ratio Below Threshold)."""

from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from bot.domain.probe import Finding, Findings, Probe, bad, ok, unknown
from bot.domain.runbook import Condition
from bot.ports import Reads, Reserves

FINE, MONITOR, PAUSE_MINTS = Decimal(99), Decimal(95), Decimal(90)
"""Percent: at or above the first all is well, below the last everything is paused (Resolution 1 to 3)."""
_PLACES = Decimal("0.0001")
_DAY = timedelta(hours=24)


def ratio() -> Probe[Reads]:
    """Reserves to supply in percent, both at one block and each by its own decimals."""

    async def ask(reads: Reads) -> Finding:
        now = await reads.protocol.reserves()
        if not now.supply.value:
            return unknown("there is no mUSD, so there is no ratio")
        percent = _percent(now)
        said = (
            f"{shown(percent)} %: {now.reserves.text()} of reserves for {now.supply.text()} mUSD, "
            f"both at block {now.block:,}, by {now.read}"
        )
        tell = ok if percent >= FINE else bad
        return tell(said, percent=str(percent), supply=str(now.supply.exact), block=now.block)

    command = "cast call $TREASURY 'totalAssets()' --block $B; cast call $MUSD 'totalSupply()' --block $B"
    return Probe("reserves:ratio", "Reserve ratio", ask, command=command)


def day_before() -> Probe[Reads]:
    """What the ratio was 24 hours ago."""

    async def ask(reads: Reads) -> Finding:
        then = await reads.protocol.reserves(_DAY)
        if not then.supply.value:
            return unknown("there was no mUSD a day ago")
        return ok(f"{shown(_percent(then))} % at {then.at:%Y-%m-%d %H:%M} UTC, block {then.block:,}")

    command = "cast call $TREASURY 'totalAssets()' --block $(cast find-block $(date -d '24 hours ago' +%s))"
    return Probe("reserves:day", "Ratio 24 h ago", ask, command=command, timeout=8.0)


def strategies() -> Probe[Reads]:
    """What each strategy holds, what yield is pending, and what was lost."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.strategies()
        pending = sum((one.pending_yield.exact for one in found if one.pending_yield), Decimal(0))
        lost = [one for one in found if one.reported_loss and one.reported_loss.value]
        broken = [one.name for one in found if not one.answers]
        evidence = "\n".join(
            f"{one.name}  value {one.value.text()}"
            + (f"  pending yield {one.pending_yield.text()}" if one.pending_yield else "")
            + (f"  reported loss {one.reported_loss.text()}" if one.reported_loss and one.reported_loss.value else "")
            + ("" if one.answers else "  REVERTS: counts as nothing")
            for one in found
        )
        facts = {"pending": str(pending), "broken": broken, "lost": [one.name for one in lost]}
        said = f"{len(found)} strategies, pending yield {pending:,.2f}"
        if broken:
            return bad(f"{', '.join(broken)}: its value reverts, so it counts as nothing", evidence=evidence, **facts)
        if lost:
            names = ", ".join(f"{one.name} ({one.reported_loss.text()})" for one in lost if one.reported_loss)
            return bad(f"{said}; losses reported by {names}", evidence=evidence, **facts)
        return ok(said, evidence=evidence, **facts)

    command = 'cast call $TREASURY "getStrategyReport(address)" $STRATEGY_ADDRESS'
    return Probe("strategies", "Strategies", ask, command=command)


def between(low: Decimal, high: Decimal) -> Condition:
    """Holds where the ratio is at least `low` and below `high`, in percent."""

    def holds(findings: Findings) -> str | None:
        finding = findings.get("reserves:ratio")
        if finding is None or "percent" not in finding.facts:
            return None
        percent = Decimal(finding.facts["percent"])
        if not low <= percent < high:
            return None
        why = f"The reserve ratio is {shown(percent)} %."
        return why + _pending(findings, percent, Decimal(finding.facts["supply"])) + _broken(findings)

    return holds


def _pending(findings: Findings, percent: Decimal, supply: Decimal) -> str:
    finding = findings.get("strategies")
    if finding is None or not Decimal(finding.facts.get("pending", 0)):
        return ""
    pending = Decimal(finding.facts["pending"])
    lifted = percent + pending / supply * 100
    return f" Pending strategy yield of {pending:,.2f} would make it {shown(lifted)} %."


def _broken(findings: Findings) -> str:
    finding = findings.get("strategies")
    broken = finding.facts.get("broken") if finding else None
    return f" {', '.join(broken)} reverts and counts as nothing." if broken else ""


def shown(percent: Decimal) -> str:
    """To four places; rounded, except where that would lift it over a threshold that it is below."""
    rounded = percent.quantize(_PLACES, ROUND_HALF_EVEN)
    over = any(percent < limit <= rounded for limit in (FINE, MONITOR, PAUSE_MINTS))
    return str(percent.quantize(_PLACES, ROUND_DOWN) if over else rounded)


def _percent(read: Reserves) -> Decimal:
    return read.reserves.over(read.supply) * 100
