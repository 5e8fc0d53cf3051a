"""The keys: whether they open, have their roles and their ether, and whether each pause would go through."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from bot.actions.onchain import LACKS_ROLE
from bot.actions.unpause import call_of
from bot.adapters.contracts import Contracts
from bot.adapters.rpc import Rpcs, checksummed
from bot.domain.probe import Finding, Probe, bad, ok
from bot.errors import RevertedError
from bot.ports import ContractViews, Reads
from bot.probes import pausing
from bot.settings import Settings
from bot.wiring.adapters import admin_chain, pause_chain, readiness
from bot.wiring.checks.check import TIMEOUT, check, mended

_GRANT = "Grant it the roles, or unset MUSD_UNPAUSE_KEYSTORE: then each unpause is handed over to those who may."


def checks(settings: Settings, rpcs: Rpcs) -> Sequence[Probe[Any]]:
    """A line for each key. Where this process has not unlocked it, it is unlocked for this question and forgotten."""
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
    return [
        mended(replace(ready, title="The emergency pause", ask=ask, timeout=TIMEOUT), mend),
        check(
            "unpause:key",
            "The unpausing key",
            lambda: _unpausing(settings, rpcs),
            mend="Check MUSD_UNPAUSE_KEYSTORE and MUSD_UNPAUSE_KEYSTORE_PASSWORD_FILE.",
        ),
    ]


async def _unpausing(settings: Settings, rpcs: Rpcs) -> Finding:
    """A role is asked for before the contract's state: a dry run tells who lacks one although nothing is paused."""
    key = await admin_chain(settings, rpcs)
    if key is None:
        return ok("none: every unpause and every change of a role is handed over, and watched")
    views = Contracts(rpcs, settings.contracts)
    lacks = await asyncio.gather(*(_lacks_role(views, name, key.signer) for name in settings.pausable))
    able = [name for name, lacking in zip(settings.pausable, lacks, strict=True) if not lacking]
    without = [name for name, lacking in zip(settings.pausable, lacks, strict=True) if lacking]
    balance = await rpcs.first(lambda eth: eth.get_balance(checksummed(key.signer)))
    if without and not able:
        return bad(f"{key.signer} has a role on none of {', '.join(without)}", mend=_GRANT)
    if not balance:
        return bad(f"{key.signer} has no ether to unpause with", mend="Send ether to it.")
    handed = f"; handed over: {', '.join(without)}" if without else ""
    return ok(f"{key.signer} may unpause {', '.join(able)}{handed}")


async def _lacks_role(views: ContractViews, contract: str, signer: str) -> bool:
    try:
        await views.dry_run(views.encoded(contract, call_of(contract)), signer)
    except RevertedError as error:
        return error.error in LACKS_ROLE
    return False
