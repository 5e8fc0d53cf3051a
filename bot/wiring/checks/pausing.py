"""The pausing key: whether it opens, has its roles and its ether, and whether each pause would go through."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from bot.adapters.rpc import Rpcs
from bot.domain.probe import Finding, Probe
from bot.ports import Reads
from bot.probes import pausing
from bot.settings import Settings
from bot.wiring.adapters import pause_chain, readiness
from bot.wiring.checks.check import TIMEOUT, mended


def checks(settings: Settings, rpcs: Rpcs) -> Sequence[Probe[Any]]:
    """One line. Where this process has not unlocked the key, it is unlocked for this question and forgotten."""
    ready = pausing.ready()

    async def ask(reads: Reads) -> Finding:
        async with AsyncExitStack() as stack:
            if reads.pausing is not None and not reads.pausing.signer:
                key = await pause_chain(settings, rpcs, stack)
                reads = replace(reads, pausing=readiness(settings, rpcs, key))
            finding = await ready.ask(reads)
        mends = finding.facts.get("mends")
        return replace(finding, facts={**finding.facts, "mend": " ".join(dict.fromkeys(mends))}) if mends else finding

    mend = "Check MUSD_KEYSTORE and MUSD_KEYSTORE_PASSWORD_FILE, or MUSD_KMS_KEY_ID."
    return [mended(replace(ready, title="The emergency pause", ask=ask, timeout=TIMEOUT), mend)]
