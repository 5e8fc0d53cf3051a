"""Questions about the collateral's price: outside sources, the oracle on the chain, Canton's feeds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok, unknown
from bot.domain.runbook import Condition
from bot.errors import UnavailableError
from bot.ports import Quote, Reads
from bot.probes.chain import words

CRITICAL_AFTER = timedelta(hours=1)
"""How long a price may be stale before it is critical (Oracle Price Feed Stale, Severity)."""
EMERGENCY_MOVE = Decimal(50)
"""Percent: a larger move takes the emergency override (Resolution 4)."""
APART = Decimal(10)
"""Percent that the oracle may be off the outside sources before manipulation is suspected (Liquidation Surge)."""
SPIKE = Decimal(20)
"""Percent of a jump that came back by itself (Liquidation Surge, Diagnosis 2)."""
COLLATERAL = "CTN"
"""Canton's symbol of the collateral."""
_SOURCES: Mapping[str, tuple[str, Callable[[Reads], Awaitable[Quote]], str]] = {
    "tradecraft": (
        "Tradecraft",
        lambda reads: reads.prices.tradecraft(),
        "curl -s https://api.tradecraft.exchange/v1/ratio/CC/USDCx",
    ),
    "temple": (
        "Temple",
        lambda reads: reads.prices.temple(),
        'curl -s -H "Authorization: Bearer $TEMPLE_JWT" https://api.temple.exchange/v1/price/Amulet/USDCx',
    ),
    "chainlink": (
        "Chainlink",
        lambda reads: reads.prices.chainlink(),
        'cast call $CHAINLINK_FEED "latestRoundData()"',
    ),
    "coingecko": (
        "CoinGecko",
        lambda reads: reads.prices.coingecko(),
        "curl -s 'https://api.coingecko.com/api/v3/simple/price?ids=canton-network&vs_currencies=usd'",
    ),
}


def source(key: str) -> Probe[Reads]:
    """What one outside source says: ``tradecraft``, ``temple``, ``chainlink`` or ``coingecko``."""
    title, ask_it, command = _SOURCES[key]

    async def ask(reads: Reads) -> Finding:
        try:
            quote = await ask_it(reads)
        except UnavailableError as error:
            return unknown(error.happened, source=title, answers=False)
        return ok(f"{quote.usd:.4f} USD", source=title, answers=True, usd=str(quote.usd))

    return Probe(f"price:{key}", title, ask, command=command)


def on_chain() -> Probe[Reads]:
    """The oracle's last price, how old it is, how long it has been stale and when that turns critical."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.oracle_price()
        age = datetime.now(UTC) - found.updated_at
        limit = found.max_age or reads.limits.price_max_age
        said = f"{found.price.text(4)} USD, set {words(age)} ago"
        facts: dict[str, Any] = {"usd": str(found.price.exact), "stale": age > limit, "age": age.total_seconds()}
        if age <= limit:
            return ok(said, **facts)
        return bad(f"{said}: stale for {words(age - limit)}, {_deadline(age - limit)}", **facts)

    command = 'cast call $PRICE_ORACLE "lastPrice(address)" $COLLATERAL_TOKEN'
    return Probe("price:chain", "Last price on the chain", ask, command=command)


def on_canton() -> Probe[Reads]:
    """The price feeds on Canton and their age."""

    async def ask(reads: Reads) -> Finding:
        feeds = await reads.ledger.prices()
        if not feeds:
            return unknown("Canton has no price feed that the bot may read")
        limit, now = reads.limits.price_max_age, datetime.now(UTC)
        evidence = "\n".join(
            f"{feed.symbol}  {feed.usd:.6f} USD  {words(now - feed.updated_at)} old  {feed.source}" for feed in feeds
        )
        ours = next((feed for feed in feeds if feed.symbol == COLLATERAL), feeds[0])
        old = [feed for feed in feeds if now - feed.updated_at > limit]
        said = f"{ours.symbol} {ours.usd:.4f} USD, {words(now - ours.updated_at)} old"
        facts: dict[str, Any] = {"usd": str(ours.usd), "stale": bool(old)}
        if not old:
            return ok(said, evidence=evidence, **facts)
        names = ", ".join(feed.symbol for feed in old)
        longest = max(now - feed.updated_at for feed in old) - limit
        return bad(f"{said}; {names} stale for {words(longest)}, {_deadline(longest)}", evidence=evidence, **facts)

    return Probe(
        "price:canton", "Price feed on Canton", ask, command="curl -X POST $LEDGER_URL/v2/state/active-contracts"
    )


def written() -> Probe[Reads]:
    """The prices written to the oracle within the last hour: did one jump and come back?"""

    async def ask(reads: Reads) -> Finding:
        moves = [one.exact for one in await reads.protocol.oracle_moves(timedelta(hours=1))]
        evidence = "\n".join(f"{one:.4f} USD" for one in moves[-12:])
        jump = _spike(moves)
        if jump is not None:
            return bad(f"a jump of {jump:+.1f} % came back by itself", evidence=evidence, spike=str(jump))
        change = (moves[-1] / moves[0] - 1) * 100 if len(moves) > 1 and moves[0] else Decimal(0)
        return ok(f"{len(moves)} prices written, {change:+.1f} % over the hour", evidence=evidence, change=str(change))

    command = "cast logs --from-block $FROM 'PriceUpdated(address,uint256,uint256)' --address $PRICE_ORACLE"
    return Probe("price:written", "Prices written in 1 h", ask, command=command, timeout=8.0)


def stale(findings: Findings) -> str | None:
    """A price that contracts use is too old: which, for how long, and when that turns critical."""
    old = [f for f in _asked(findings, "price:chain", "price:canton") if f.facts.get("stale")]
    refused = [f for f in _asked(findings, "oracle:price") if f.state is State.BAD] if not old else []
    return " ".join(f"{f.title}: {f.summary.rstrip('.')}." for f in (*old, *refused)) or None


def refusing(findings: Findings) -> str | None:
    """The oracle refuses for another reason than age: its circuit breaker, or a feed that is switched off."""
    finding = findings.get("oracle:price")
    if finding is None or finding.facts.get("error") not in {"CircuitBreakerActive", "FeedNotEnabled"}:
        return None
    value = market(findings)
    known = f" The market says {value:.4f} USD ({named(findings)})." if value is not None else ""
    return f"{finding.summary.rstrip('.')}.{known}"


def api_down(findings: Findings) -> str | None:
    """The first price source does not answer, and a price is stale or will be."""
    first = findings.get("price:tradecraft")
    if first is None or first.facts.get("answers") is not False:
        return None
    other = findings.get("price:temple")
    if other is not None and other.ok:
        fallback = f"The fallback answers: Temple says {other.summary}."
    else:
        fallback = "The fallback does not answer either: only a manual price is left (step 3)."
    return f"{first.summary} {fallback} {stale(findings) or ''}".strip()


def manual(findings: Findings) -> str | None:
    """A price is stale though the sources answer: the value to write is their middle."""
    why, value = stale(findings), market(findings)
    if why is None or value is None:
        return None
    return f"{why} Sources answer, so the value to write is {value:.4f} USD (the middle of {named(findings)})."


def moved(findings: Findings) -> str | None:
    """The market is more than 50 % away from what the contracts believe: an ordinary update is refused."""
    value = market(findings)
    for finding in _asked(findings, "price:chain", "price:canton"):
        if value is None or "usd" not in finding.facts:
            continue
        change = _percent(value, Decimal(finding.facts["usd"]))
        if abs(change) > EMERGENCY_MOVE:
            return (
                f"{finding.title} says {Decimal(finding.facts['usd']):.4f} USD, the market {value:.4f} USD "
                f"({change:+.1f} %): more than {EMERGENCY_MOVE} % apart. The value to write is {value:.4f} USD."
            )
    return None


def manipulated(findings: Findings) -> str | None:
    """The oracle is far off what two outside sources agree on, or jumped and came back."""
    spike, off, why = findings.get("price:written"), _off(findings), []
    if spike is not None and "spike" in spike.facts:
        why.append(f"Prices written to the oracle: {spike.summary}.")
    if off is not None and abs(off) > APART:
        why.append(
            f"The oracle is {off:+.1f} % off the market: {named(findings)} agree with each other, the oracle does not."
        )
    return " ".join(why) or None


def genuine(surge: Condition) -> Condition:
    """Liquidations surge, and the oracle agrees with at least two outside sources: the market itself moved."""

    def holds(findings: Findings) -> str | None:
        why, off = surge(findings), _off(findings)
        if why is None or off is None or abs(off) > APART:
            return None
        trend = [Decimal(f.facts["change"]) for f in _asked(findings, "price:written") if "change" in f.facts]
        change = f" Over the hour the price moved {trend[0]:+.1f} %." if trend else ""
        return f"{why} The oracle is within {APART} % of the market ({off:+.1f} %, by {named(findings)}).{change}"

    return holds


def market(findings: Findings) -> Decimal | None:
    """The middle of what the outside sources say; None where none answers."""
    quotes = [Decimal(f.facts["usd"]) for f in _quotes(findings)]
    return median(quotes) if quotes else None


def _off(findings: Findings) -> Decimal | None:
    """How far the oracle is off the market, in percent; None unless two sources answer and agree with each other."""
    quotes = [Decimal(f.facts["usd"]) for f in _quotes(findings)]
    oracle = findings.get("price:chain")
    if len(quotes) < 2 or oracle is None or "usd" not in oracle.facts:  # noqa: PLR2004 - one source proves nothing
        return None
    if _percent(max(quotes), min(quotes)) > APART:
        return None
    return _percent(Decimal(oracle.facts["usd"]), median(quotes))


def _spike(moves: Sequence[Decimal]) -> Decimal | None:
    """The largest jump that was taken back by the very next price, in percent."""
    found = Decimal(0)
    for before, at, after in zip(moves, moves[1:], moves[2:], strict=False):
        if before and after and at:
            there, back = _percent(at, before), _percent(after, before)
            if abs(there) >= SPIKE and abs(back) <= SPIKE / 4 and abs(there) > abs(found):
                found = there
    return found or None


def _percent(value: Decimal, base: Decimal) -> Decimal:
    return (value / base - 1) * 100 if base else Decimal("Infinity")


def _quotes(findings: Findings) -> list[Finding]:
    return [f for f in _asked(findings, *(f"price:{key}" for key in _SOURCES)) if f.facts.get("answers")]


def named(findings: Findings) -> str:
    """The outside sources that answered, with what each says."""
    return ", ".join(f"{f.facts['source']} {f.summary}" for f in _quotes(findings))


def _asked(findings: Findings, *keys: str) -> list[Finding]:
    return [findings[key] for key in keys if key in findings]


def _deadline(stale_for: timedelta) -> str:
    if stale_for >= CRITICAL_AFTER:
        return "CRITICAL since it has been for more than an hour"
    return f"critical in {words(CRITICAL_AFTER - stale_for)}"
