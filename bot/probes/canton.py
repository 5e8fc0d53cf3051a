"""Questions to Canton's ledger: the services, the price feeds, the guardians' open proposals."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.canton import Ballot, PauseState, short
from bot.domain.probe import Finding, Probe, State, bad, ok, unknown
from bot.errors import RefusedError
from bot.ports import CantonService, Reads
from bot.probes.chain import words

_END_MAX_AGE = timedelta(minutes=5)
"""A healthy ledger's record time is seconds old; this much says that the synchronizer is not heard."""
_SHOWN = 8
_QUERY = "curl -X POST $LEDGER_URL/v2/state/active-contracts -d @query.json"


def version() -> Probe[Reads]:
    """Which Canton answers?"""

    async def ask(reads: Reads) -> Finding:
        return ok(await reads.ledger.version())

    return Probe("canton:version", "Canton's version", ask, command="curl $LEDGER_URL/v2/version")


def end() -> Probe[Reads]:
    """How far is the ledger, and how old is the newest thing on it?"""

    async def ask(reads: Reads) -> Finding:
        found = await reads.ledger.end()
        if found.at is None:
            return unknown(f"offset {found.offset:,}; the participant does not say how old", offset=found.offset)
        age = datetime.now(UTC) - found.at
        said = f"offset {found.offset:,}, {words(age)} old"
        if age > _END_MAX_AGE:
            return bad(f"{said}: the participant hears nothing from its synchronizer", offset=found.offset)
        return ok(said, offset=found.offset)

    return Probe("canton:end", "Canton's ledger end", ask, command="curl $LEDGER_URL/v2/state/ledger-end")


def paused(template: str) -> Probe[Reads]:
    """Is this service paused? Each active contract of it answers for itself; paused is BAD, as on Ethereum."""

    async def ask(reads: Reads) -> Finding:
        found = [one for one in await reads.ledger.services() if one.name == short(template)]
        return told(found)

    return Probe(f"canton:paused:{short(template)}", short(template), ask, command=_QUERY)


def running() -> Probe[Reads]:
    """Do all services run? What has to be so before anything on Ethereum is unpaused."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.ledger.services()
        findings = {
            short(template): told([one for one in found if one.name == short(template)])
            for template in reads.ledger.wanted_services
        }
        wrong = [f"{name} {one.summary}" for name, one in findings.items() if not one.ok]
        if not wrong:
            return ok(f"all {len(findings)} run")
        unproven = all(one.state is State.UNKNOWN for one in findings.values() if not one.ok)
        said = f"{'; '.join(wrong)}. Canton comes first: `/musd canton unpause`"
        return unknown(said) if unproven else bad(said)

    return Probe("canton:running", "Canton's services", ask, command=_QUERY)


def told(found: Sequence[CantonService]) -> Finding:
    """What a service's active contracts say of themselves, together."""
    if not found:
        return unknown("no active contract of it can be read", paused=None, contracts=0)
    says = {one.paused for one in found}
    rows = "\n".join(f"{one.contract_id[:18]}…  {'PAUSED' if one.paused else 'running'}" for one in found)
    if len(says) > 1:
        running = sum(not one.paused for one in found)
        said = f"{running} of {len(found)} active contracts still RUN beside paused ones: it is NOT stopped"
        return bad(said, evidence=rows, paused=None, contracts=len(found))
    several = f" ({len(found)} active contracts)" if len(found) > 1 else ""
    if says == {True}:
        return bad(f"PAUSED{several}", evidence=rows if several else "", paused=True, contracts=len(found))
    return ok(f"running{several}", paused=False, contracts=len(found))


def voice(guardian: Callable[[], Awaitable[str]]) -> Probe[Reads]:
    """Could the bot ask Canton's guardians right now? `guardian` reads which of their parties is the bot's."""

    async def ask(_: Reads) -> Finding:
        try:
            return ok(f"speaks as {hint(await guardian())}, one guardian of several")
        except RefusedError as refusal:
            return bad(refusal.sentences())

    return Probe("canton:voice", "The bot's voice on Canton", ask, command="curl $LEDGER_URL/v2/authenticated-user")


def ballots(people: Mapping[str, str]) -> Probe[Reads]:
    """Which proposals wait for Canton's guardians? `people`: Slack user ids by guardian party."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.ledger.ballots()
        if not found:
            return ok("none", ballots=0)
        rows = "\n".join(_ballot(one, people) for one in found[:_SHOWN])
        left = f"\nand {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return bad(f"{len(found)} waiting: {_named(found)}", evidence=rows + left, ballots=len(found))

    return Probe("canton:ballots", "Proposals on Canton", ask, command=_QUERY)


def proofs() -> Probe[Reads]:
    """Which governance proofs has nobody used? Each may still be used once, also by others than were meant to."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.ledger.proofs()
        rows = "\n".join(
            f"{one.key}: {one.action_type} for {one.target_module}, {one.executed_at:%Y-%m-%d}" for one in found
        )
        if not found:
            return ok("none", proofs=0)
        return bad(f"{len(found)} that nobody has used up", evidence=rows, proofs=len(found))

    return Probe("canton:proofs", "Unused governance proofs", ask, command=_QUERY)


def pause_votes() -> Probe[Reads]:
    """What does `EmergencyPauseState` say? Votes stay in it until they are enough, however old they are."""

    async def ask(reads: Reads) -> Finding:
        state = await reads.ledger.pause_state()
        return ok("this deployment has none") if state is None else _pause_state(state)

    return Probe("canton:pause-state", "EmergencyPauseState", ask, command=_QUERY)


def _pause_state(state: PauseState) -> Finding:
    since = f"last changed {words(datetime.now(UTC) - state.updated_at)} ago"
    if state.paused:
        return bad(f"says PAUSED, {since}. No service looks at it: their own lines are what counts", paused=True)
    if state.votes:
        who = ", ".join(hint(one) for one in state.votes)
        said = f"{len(state.votes)} of {state.threshold} votes for a pause are in it ({who}), {since}; they still count"
        return bad(said, votes=len(state.votes))
    return ok(f"not paused, no votes, {since}", votes=0)


def hint(party: str) -> str:
    """A party as people call it: what stands in front of its fingerprint."""
    return party.partition("::")[0]


def _named(found: Sequence[Ballot]) -> str:
    return ", ".join(f"{one.action_type} {len(one.approvals)}/{one.required}" for one in found[:_SHOWN])


def _ballot(one: Ballot, people: Mapping[str, str]) -> str:
    now = datetime.now(UTC)
    voted = {*one.approvals, *one.rejections}
    missing = ", ".join(people.get(party, hint(party)) for party in one.governors if party not in voted) or "nobody"
    title = one.motion.title if one.motion else one.description
    said = f"{one.key}: {title} [{one.action_type}, {one.target_module}] {one.status}, "
    said += f"{len(one.approvals)} of {one.required} approvals; not voted: {missing}; "
    if one.timelock_ends_at is not None:
        wait = one.timelock_ends_at - now
        said += f"timelock {'over' if wait <= timedelta(0) else f'ends in {words(wait)}'}; "
    left = one.expires_at - now
    return said + (f"expires in {words(left)}" if left > timedelta(0) else "EXPIRED")
