"""The same hands used as they are meant to be: all of this must type-check, or the misuses beside it prove nothing."""

from collections.abc import Mapping
from datetime import datetime

from bot.actions.pause import HOW
from bot.domain.approval import Approval, Proposal, Vote, approve
from bot.domain.policy import Role, Standing
from bot.domain.probe import Finding, Probe, ok
from bot.domain.runbook import Runbook
from bot.domain.signal import Severity
from bot.ports import AdminChain, Call, Change, How, Journal, PauseChain, Reads, Store, Writes


async def run_what_was_approved(
    store: Store, proposal: Proposal, votes: list[Vote], now: datetime, writes: Writes, journal: Journal
) -> None:
    standings: Mapping[str, Standing] = {"G": Standing(local=Role.GUARDIAN)}
    approval: Approval = approve(proposal, votes, standings, now)
    how: How = HOW
    if await store.consume(approval, journal.id):
        await how.run(approval, writes, journal)


async def _looking(reads: Reads) -> Finding:
    end = await reads.ledger.end()
    pods = await reads.cluster.pods("musd-relay")
    return ok(f"{len(pods)} pods; the ledger is at {end.offset}")


async def ask(reads: Reads) -> Finding:
    probe: Probe[Reads] = Probe("relay", "Relay", _looking)
    runbook: Runbook[Reads] = Runbook("k", "t", "s", (), Severity.INFO, "i", (probe,))
    return await runbook.probes[0].run(reads)


async def restart(writes: Writes) -> None:
    if writes.infra is not None:
        await writes.infra.cluster.change("musd-relay", Change(replicas=0))


def calls(pausing: PauseChain, admin: AdminChain) -> tuple[Call, Call]:
    return pausing.call("SMUSD"), admin.call("SMUSD", "unpause()")
