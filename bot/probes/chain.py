"""Questions to Ethereum."""

from datetime import UTC, datetime, timedelta

from bot.domain.probe import Finding, Findings, Probe, bad, ok, unknown
from bot.errors import RevertedError, UnavailableError
from bot.ports import Reads


def head_is_fresh() -> Probe[Reads]:
    """Does an RPC answer, and is its newest block young?"""

    async def ask(reads: Reads) -> Finding:
        try:
            head = await reads.chain.head()
        except UnavailableError as error:
            return unknown(error.happened, reachable=False)
        age = _age(head.at)
        said = f"block {head.number:,}, {words(age)} old"
        if age > reads.limits.block_max_age:
            return bad(f"{said}: the chain, or the RPC, stands still", reachable=True, block=head.number)
        return ok(said, reachable=True, block=head.number)

    return Probe("chain:head", "Ethereum block", ask, command="cast block --rpc-url $ETH_RPC_URL")


def paused(contract: str, name: str) -> Probe[Reads]:
    """Is this contract paused? Paused is BAD: it is meant to run, and somebody stopped it."""

    async def ask(reads: Reads) -> Finding:
        if await reads.chain.paused(contract):
            return bad("PAUSED", paused=True)
        return ok("running", paused=False)

    return Probe(f"paused:{contract}", name, ask, command=f'cast call ${contract} "paused()(bool)"')


def oracle_price() -> Probe[Reads]:
    """What does the oracle say the collateral is worth, and how old is that? A revert is itself the answer."""

    async def ask(reads: Reads) -> Finding:
        try:
            price = await reads.chain.price()
        except RevertedError as error:
            return bad(error.happened, error=error.error)
        said = f"{price.price.text(4)} USD by {price.read}"
        facts = {"price": str(price.price.exact), "read": price.read}
        if price.updated_at is None:
            return ok(f"{said}; the oracle doesn't say how old, and doesn't revert", **facts)
        age = _age(price.updated_at)
        said = f"{said}, {words(age)} old"
        return bad(f"{said}: stale", **facts) if age > reads.limits.price_max_age else ok(said, **facts)

    command = 'cast call $PRICE_ORACLE "getLatestPrice(address)" $COLLATERAL_TOKEN'
    return Probe("oracle:price", "Oracle price", ask, command=command)


def down(findings: Findings) -> str | None:
    """No RPC answers, or the newest block is old."""
    finding = findings.get("chain:head")
    if finding is None or finding.ok or "reachable" not in finding.facts:
        return None
    return f"Ethereum: {finding.summary.rstrip('.')}."


def words(age: timedelta) -> str:
    """An age for people: ``12 s``, ``4 min``, ``3 h 05 min``."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:  # noqa: PLR2004 - two minutes are still told in seconds
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"  # noqa: PLR2004


def _age(then: datetime) -> timedelta:
    return datetime.now(UTC) - then
