"""Questions about how much mUSD there is, how much there may be, and who minted it (Supply Cap Breach)."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok
from bot.ports import Minted, Reads

_DAY = timedelta(hours=24)
_SHOWN = 12


def ethereum() -> Probe[Reads]:
    """MUSD on Ethereum, against the whole cap and this chain's own."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.supply()
        supply, cap = found.supply.exact, found.cap.exact
        local = found.local_cap.exact if found.local_cap else cap
        said = f"{supply:,.2f} mUSD at block {found.block:,}, cap {cap:,.2f} by {found.read}"
        said += f", of which {local:,.2f} on this chain" if local != cap else ""
        facts = {"supply": str(supply), "cap": str(cap), "local": str(local)}
        return bad(said, **facts) if supply > min(cap, local) else ok(said, **facts)

    command = 'cast call $MUSD "totalSupply()"; cast call $DIRECT_MINT "supplyCap()"'
    return Probe("supply:ethereum", "Supply on Ethereum", ask, command=command)


def canton() -> Probe[Reads]:
    """MUSD on Canton: all holdings together."""

    async def ask(reads: Reads) -> Finding:
        held = await reads.ledger.supply()
        return ok(f"{held:,.2f} mUSD", supply=str(held))

    command = "curl -X POST $LEDGER_URL/v2/state/active-contracts -d @canton-musd.json"
    return Probe("supply:canton", "Supply on Canton", ask, command=command)


def mints() -> Probe[Reads]:
    """Who minted in the last 24 hours, by path, from the logs."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.protocol.mints(_DAY)
        newest = list(reversed(found))
        listed = [{"path": one.path, "amount": str(one.amount.exact), "tx": one.transaction} for one in newest]
        evidence = "\n".join(f"{one.path:<11} {one.amount.text():>18}  {one.transaction}" for one in newest[:_SHOWN])
        said = "; ".join(f"{path} {amount:,.2f}" for path, amount in _by_path(found).items()) or "nothing was minted"
        hashes = [one.transaction for one in found]
        if "unknown" in _by_path(found):
            return bad(f"{said}: some by none of the known paths", evidence=evidence, hashes=hashes, mints=listed)
        return ok(said, evidence=evidence, hashes=hashes, mints=listed)

    command = "cast logs --from-block $FROM 'Transfer(address,address,uint256)' --address $MUSD"
    return Probe("supply:mints", "Minted in 24 h", ask, command=command, timeout=8.0)


def breached(findings: Findings) -> str | None:
    """More mUSD than there may be: by how much, and which path it came by."""
    here = findings.get("supply:ethereum")
    if here is None or "supply" not in here.facts:
        return None
    there = findings.get("supply:canton")
    on_canton = Decimal(there.facts["supply"]) if there and "supply" in there.facts else Decimal(0)
    supply, cap, local = (Decimal(here.facts[name]) for name in ("supply", "cap", "local"))
    over_all, over_local = supply + on_canton - cap, supply - local
    if over_all <= 0 and over_local <= 0:
        return None
    silent = " (Canton is not known, and comes on top)" if there is None or there.state is State.UNKNOWN else ""
    said = f"{supply + on_canton:,.2f} mUSD exist: {supply:,.2f} on Ethereum, {on_canton:,.2f} on Canton{silent}. "
    if over_all > 0:
        said += f"That is {over_all:,.2f} above the cap of {cap:,.2f}. "
    if over_local > 0:
        said += f"Ethereum alone is {over_local:,.2f} above its part of {local:,.2f}. "
    part = cap - local
    if over_local <= 0 and 0 < part < on_canton:
        return said + f"Canton holds {on_canton - part:,.2f} more than its part of {part:,.2f}: look at Canton."
    return said + _culprit(findings, max(over_all, over_local))


def within_cap(findings: Findings) -> str | None:
    """The proof that it is over: both supplies known, and neither they nor their sum above a cap."""
    here, there = findings.get("supply:ethereum"), findings.get("supply:canton")
    if not here or not there or not here.ok or not there.ok or breached(findings):
        return None
    return f"Supply on Ethereum and Canton together is within its cap: {here.summary}."


def _culprit(findings: Findings, over: Decimal) -> str:
    """The newest mints that together make up the excess, by path."""
    finding = findings.get("supply:mints")
    if finding is None or "mints" not in finding.facts:
        return "Which path minted it is not known: the logs gave no answer."
    left, taken = over, []
    for mint in finding.facts["mints"]:
        if left <= 0:
            break
        taken.append(mint)
        left -= Decimal(mint["amount"])
    paths = ", ".join(dict.fromkeys(mint["path"] for mint in taken))
    if left > 0:
        return f"The mints of the last 24 h on Ethereum ({paths or 'none'}) do not explain it: look at Canton."
    return f"The path that minted it: {paths}, last in transaction {taken[0]['tx']}."


def _by_path(found: Sequence[Minted]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for one in found:
        sums[one.path] = sums.get(one.path, Decimal(0)) + one.amount.exact
    return sums
