"""Could we pause right now? It informs; it holds no pause back."""

from bot.domain.probe import Finding, Probe, bad, ok
from bot.ports import Reads

KEY = "pause:ready"


def ready() -> Probe[Reads]:
    """Code, roles, dry runs, the key's balance, and the RPCs among each other."""

    async def ask(reads: Reads) -> Finding:
        if reads.pausing is None:
            return bad(
                "this bot has no pausing key: it can only hand over", mends=["Set MUSD_KEYSTORE or MUSD_KMS_KEY_ID."]
            )
        found = await reads.pausing.readiness()
        by = f"{len(found.agreeing)} RPC{'' if len(found.agreeing) == 1 else 's'}"
        if found.flaws:
            evidence = "\n".join(f"{flaw.text} {flaw.mend}" for flaw in found.flaws)
            more = f" (and {len(found.flaws) - 1} more)" if len(found.flaws) > 1 else ""
            texts = [flaw.text for flaw in found.flaws]
            return bad(texts[0] + more, evidence=evidence, flaws=texts, mends=[flaw.mend for flaw in found.flaws])
        said = f"{found.contracts} contracts, {found.balance.text(2)} ETH, {by} at block {found.block:,}"
        return ok(f"would go through: {said}", block=found.block)

    command = 'cast call $BORROW_MODULE "pause()" --from $PAUSING_KEY'
    return Probe(KEY, "Could we pause now", ask, command=command)
