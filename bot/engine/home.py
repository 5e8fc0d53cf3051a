"""App Home: open incidents, whether the bot is ready, who is on call, and what waits for this person."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.approval import ProposalState
from bot.domain.home import HomeBoard, Waiting
from bot.domain.incident import IncidentState
from bot.domain.policy import Role
from bot.engine.oncall import OnCall
from bot.ports import Reads, Roster, Store, Stored
from bot.probes import pausing

_OPEN = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)


class Home:
    """Looks it all up, for one person at a time."""

    def __init__(
        self,
        *,
        store: Store,
        reads: Reads,
        roster: Roster,
        oncall: OnCall,
        pauses: bool,
    ) -> None:
        """`pauses`: whether there is something to pause here."""
        self._store = store
        self._roster = roster
        self._reads = reads
        self._oncall = oncall
        self._pauses = pauses

    async def board(self, person: str, missing: Sequence[str]) -> HomeBoard:
        """As it is now, with what keeps the bot from being ready. Who has no role is shown nothing of what goes on."""
        role = (await self._roster.standing(person, Role.RESPONDER)).role
        now = datetime.now(UTC)
        if role is None:
            return HomeBoard(at=now, role=None)
        return HomeBoard(
            at=now,
            role=role,
            missing=missing,
            ready=await pausing.ready().run(self._reads) if self._pauses else None,
            incidents=await self._store.incidents(_OPEN),
            waiting=[
                Waiting(one.proposal, one.message.channel if one.message else "")
                for one in await self._store.proposals(ProposalState.OPEN)
                if await self._waits_for(one, person, now)
            ],
            oncall=(await self._oncall.board()).rows,
            pauses=self._pauses,
        )

    async def _waits_for(self, stored: Stored, person: str, now: datetime) -> bool:
        proposal = stored.proposal
        voted = any(vote.voter == person for vote in stored.votes)
        own = person == proposal.proposer and not proposal.policy.proposer_counts
        if voted or own or now >= proposal.expires_at:
            return False
        role = (await self._roster.standing(person, proposal.policy.approve)).under(proposal.policy)
        return role is not None and role >= proposal.policy.approve
