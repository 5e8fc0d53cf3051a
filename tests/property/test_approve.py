"""`approve` against the table as it was asked for: for any votes, standings and moment, both say the same.

The other side is written for one person at a time and without early exits, so that the two share no mistake.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.actions.announce import Announce
from bot.actions.pause import EmergencyPause
from bot.actions.restart import RestartAll
from bot.domain.action import Action, Plan
from bot.domain.announcement import Occasion, Target
from bot.domain.approval import Choice, Proposal, Vote, approve
from bot.domain.policy import Policy, Role, Standing
from bot.errors import RefusedError

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PEOPLE = ("A", "B", "C")
MINUTES = st.sampled_from((-1, 0, 1, 1, 2, 5, 9, 10, 29, 30))


class Guarded(Action):
    """As strict as an action can be: two others, by id, each with a code."""

    kind = "test-guarded"
    policy = Policy(
        propose=Role.OPERATOR,
        approve=Role.ADMIN,
        approvals=2,
        proposer_counts=False,
        lives=timedelta(minutes=30),
        only_local=True,
        second_factor=True,
    )
    title: ClassVar[str] = "Do a guarded thing"


ACTIONS = (
    EmergencyPause(contracts=("SMUSD",)),
    RestartAll(),
    Announce(target=Target.DISCORD, occasion=Occasion.PAUSE, text="Paused."),
    Guarded(),
)
VOTES = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from((Choice.APPROVE, Choice.APPROVE, Choice.APPROVE, Choice.DECLINE)),
        st.sampled_from(("this", "this", "this", "this", "other plan", "other proposal")),
        MINUTES,
        st.sampled_from((True, True, True, False)),
    ),
    max_size=5,
)
AGREED = st.permutations(PEOPLE).map(lambda order: [(one, Choice.APPROVE, "this", 1, True) for one in order[:2]])
"""Two who agree, as chance alone rarely has it."""
ADMINS = st.just({person: Standing(local=Role.ADMIN) for person in PEOPLE})
ROLES = st.sampled_from((None, *Role, Role.GUARDIAN, Role.ADMIN, Role.ADMIN))
STANDINGS = st.dictionaries(
    st.sampled_from(PEOPLE),
    st.builds(Standing, local=ROLES, granted=ROLES, known=st.sampled_from((True, True, True, False))),
)


def _said(person: str, of: Proposal, votes: Sequence[Vote]) -> Vote | None:
    """The first word of this person that counts at all."""
    pause = of.action.kind == "pause"
    for vote in votes:
        in_time = timedelta(0) <= vote.at - of.proposed_at < of.policy.lives
        about_this = (vote.proposal_id, vote.digest) == (of.id, of.digest)
        if vote.voter == person and in_time and about_this and not (pause and vote.choice is Choice.DECLINE):
            return vote
    return None


def _able(standing: Standing | None, policy: Policy) -> bool:
    if standing is None:
        return False
    ways = {standing.local} if policy.only_local or not standing.known else {standing.local, standing.granted}
    answers_needed = not policy.unstoppable and not standing.known
    return not answers_needed and any(role is not None and role >= policy.approve for role in ways)


@settings(max_examples=settings().max_examples * 50)
@given(
    action=st.sampled_from(ACTIONS),
    proposer=st.sampled_from(PEOPLE),
    cast=VOTES | st.builds(list.__add__, AGREED, VOTES),
    standings=STANDINGS | ADMINS,
    after=MINUTES,
)
def test_approve_and_the_table_say_the_same(
    action: Action,
    proposer: str,
    cast: Sequence[tuple[str, Choice, str, int, bool]],
    standings: dict[str, Standing],
    after: int,
) -> None:
    plan = Plan(steps=(), binding={"calls": ["pause()"]})
    of = Proposal(
        id="p1", action=action, plan=plan, policy=action.policy, reason="", proposer=proposer, proposed_at=NOW
    )
    votes = [
        Vote(
            proposal_id="p2" if about == "other proposal" else of.id,
            voter=person,
            choice=choice,
            digest="another" if about == "other plan" else of.digest,
            at=NOW + timedelta(minutes=minutes),
            second_factor=code,
        )
        for person, choice, about, minutes, code in cast
    ]
    said = {person: vote for person in PEOPLE if (vote := _said(person, of, votes))}
    able = {person for person in said if _able(standings.get(person), of.policy)}
    declined = any(said[person].choice is Choice.DECLINE for person in able)
    counted = {
        person
        for person in able
        if said[person].choice is Choice.APPROVE
        and (said[person].second_factor or not of.policy.second_factor)
        and (person != proposer or of.policy.proposer_counts)
    }
    open_still = 0 <= after < of.policy.lives / timedelta(minutes=1)
    due = open_still and not declined and len(counted) >= of.policy.approvals
    event(f"{action.kind}: {'approved' if due else 'refused'}")

    try:
        approved = set(approve(of, votes, standings, NOW + timedelta(minutes=after)).approved_by)
    except RefusedError:
        approved = set()

    assert approved == (counted if due else set())
