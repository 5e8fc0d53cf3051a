"""Questions to the Canton participant."""

from bot.domain.probe import Finding, Findings, Probe, State, bad, ok, unknown
from bot.errors import UnavailableError
from bot.ports import Reads

_OK = 200


def reachable() -> Probe[Reads]:
    """Does the participant say that it is ready? Seen from the bot, which may sit elsewhere than the relay."""

    async def ask(reads: Reads) -> Finding:
        try:
            ready = await reads.ledger.ready()
        except UnavailableError as error:
            return unknown(error.happened, reachable=False)
        if ready.status == _OK:
            return ok("ready", reachable=True)
        return bad(f"answers {ready.status} on /readyz", evidence=ready.body, reachable=False)

    return Probe("ledger:ready", "Canton participant", ask, command="curl $LEDGER_URL/readyz")


def live() -> Probe[Reads]:
    """Does the participant's process live?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.ledger.live()
        if found.status == _OK:
            return ok("lives")
        return bad(f"answers {found.status} on /livez", evidence=found.body)

    return Probe("ledger:live", "Canton's process", ask, command="curl $LEDGER_URL/livez")


def unready(findings: Findings) -> str | None:
    """The participant's process answers, and says itself that it can't serve."""
    process, finding = findings.get("ledger:live"), findings.get("ledger:ready")
    if process is None or not process.ok or finding is None or finding.state is not State.BAD:
        return None
    return f"Canton's process lives, and {finding.summary.rstrip('.')}."


def down(findings: Findings) -> str | None:
    """The participant was asked and is not there, or not ready."""
    finding = findings.get("ledger:ready")
    if finding is None or finding.facts.get("reachable") is not False:
        return None
    return f"Canton is not reachable from the bot: {finding.summary.rstrip('.')}."
