"""The one function that makes an Approval.

Rules, in the order they are checked. The first that does not hold refuses, with its reason; nothing is assumed.

1. The Proposal's frozen policy is at least as strict as the policy its Action class has today.
2. The Proposal has not expired at `now`, and `now` is not before it was made.
3. Votes for another Proposal, for another digest, or cast outside the Proposal's life do not count.
4. A person has one vote: their first. (A decline can't be talked over by a later approval, nor the other way round.)
5. A decline by somebody who may vote ends the Proposal. Under an unstoppable policy (a pause) a decline is no vote at
   all: a guardian who declined by mistake can still confirm.
6. An approval counts only if the voter holds the policy's role *now*, by a way the policy takes: standings are read
   again, never remembered (`Standing.under`).
7. The proposer's own approval counts only if the policy says so.
8. Where the policy asks for a second factor, an approval counts only with it; a decline, the safe way, needs none.
9. As many different people as the policy wants must be left.

`Approval` carries its Proposal, which carries the frozen Action and plan: "approved A, ran B" can't be written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, InitVar, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import final

from pydantic import BaseModel, ConfigDict, SerializeAsAny, field_validator

from bot.domain.action import Action, Plan, load
from bot.domain.policy import NOBODY, Policy, Standing
from bot.errors import RefusedError


class Choice(StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    DECLINE = "decline"


class ProposalState(StrEnum):
    """Where a Proposal stands. Only an OPEN one can be voted on; only one execution ever leaves OPEN for EXECUTING."""

    OPEN = "open"
    EXECUTING = "executing"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REFUSED = "refused"


class Proposal(BaseModel):
    """An Action somebody wants to run, with the plan people were shown and the policy it was made under."""

    model_config = ConfigDict(frozen=True)

    id: str
    action: SerializeAsAny[Action]
    plan: Plan
    policy: Policy
    reason: str
    proposer: str
    """A Slack user id."""
    proposed_at: datetime
    incident_id: str | None = None

    @field_validator("action", mode="before")
    @classmethod
    def _load(cls, value: object) -> object:
        return load(value) if isinstance(value, Mapping) else value

    @property
    def expires_at(self) -> datetime:
        """From this moment on nobody can approve it."""
        return self.proposed_at + self.policy.lives

    @property
    def digest(self) -> str:
        """What a vote is a vote for."""
        return self.plan.digest(self.policy)


class Vote(BaseModel):
    """One person's word on one Proposal, as they saw it."""

    model_config = ConfigDict(frozen=True)

    proposal_id: str
    voter: str
    choice: Choice
    digest: str
    at: datetime
    reason: str = ""
    second_factor: bool = False
    """Whether a one-time code of this person's came with it, and was right."""


class _Seal:
    """What only `approve` has, so that an Approval can't be made by accident."""


_SEAL = _Seal()


@final
@dataclass(frozen=True, slots=True, eq=False)
class Approval:
    """Proof that a Proposal has its votes. Made by `approve` alone; good once, until its Proposal expires."""

    proposal: Proposal
    approved_by: tuple[str, ...]
    _: KW_ONLY
    seal: InitVar[_Seal]

    def __post_init__(self, seal: _Seal) -> None:
        """Refuse whatever does not come from `approve`."""
        if seal is not _SEAL:
            raise TypeError("an Approval is made by approve() and by nothing else")


def approve(proposal: Proposal, votes: Iterable[Vote], standings: Mapping[str, Standing], now: datetime) -> Approval:
    """Make the Approval, or refuse with the reason. The module's docstring has the rules.

    Args:
        proposal: as stored.
        votes: all of them, in the order they were stored.
        standings: of each voter, read just now; somebody who isn't in it has none.
        now: the moment of asking.

    Raises:
        RefusedError: the first rule that does not hold.
    """
    if not proposal.policy.at_least_as_strict_as(type(proposal.action).policy):
        raise RefusedError(
            "This proposal was made under a looser policy than the one in force.",
            means="It can't be approved any more.",
            next_step="Propose it again.",
        )
    if not proposal.proposed_at <= now < proposal.expires_at:
        raise expired(proposal)
    counted = _first_votes(proposal, votes)
    for vote in counted:
        if vote.choice is Choice.DECLINE and _may_vote(proposal, vote, standings):
            raise RefusedError(
                f"<@{vote.voter}> declined this proposal.", next_step="Propose it again if things have changed."
            )
    approvals = [vote for vote in counted if vote.choice is Choice.APPROVE]
    people = tuple(vote.voter for vote in approvals if _counts(proposal, vote, standings))
    missing = proposal.policy.approvals - len(people)
    if missing > 0:
        raise RefusedError(
            f"{missing} more approval{'s' if missing > 1 else ''} by {proposal.policy.approve.one} needed.",
            means="Nothing runs yet.",
        )
    return Approval(proposal, people, seal=_SEAL)


def expired(proposal: Proposal) -> RefusedError:
    """The refusal of a vote that comes too late."""
    minutes = proposal.policy.lives // timedelta(minutes=1)
    return RefusedError(
        f"This proposal expired: it was open for {minutes} minutes.",
        means="Nothing was sent.",
        next_step="Propose it again; the new one is simulated against the present.",
    )


def _first_votes(proposal: Proposal, votes: Iterable[Vote]) -> list[Vote]:
    first: dict[str, Vote] = {}
    for vote in votes:
        of_this = vote.proposal_id == proposal.id and vote.digest == proposal.digest
        if vote.choice is Choice.DECLINE and proposal.policy.unstoppable:
            continue
        if of_this and proposal.proposed_at <= vote.at < proposal.expires_at:
            first.setdefault(vote.voter, vote)
    return list(first.values())


def _may_vote(proposal: Proposal, vote: Vote, standings: Mapping[str, Standing]) -> bool:
    role = standings.get(vote.voter, NOBODY).under(proposal.policy)
    return role is not None and role >= proposal.policy.approve


def _counts(proposal: Proposal, vote: Vote, standings: Mapping[str, Standing]) -> bool:
    own = vote.voter == proposal.proposer
    return (
        _may_vote(proposal, vote, standings)
        and (proposal.policy.proposer_counts or not own)
        and (vote.second_factor or not proposal.policy.second_factor)
    )
