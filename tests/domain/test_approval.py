"""`approve` is the one function that makes an Approval: each rule of its docstring, one test."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from bot.actions.pause import EmergencyPause
from bot.domain.action import Action, Plan
from bot.domain.approval import Approval, Choice, Proposal, Vote, approve
from bot.domain.policy import Policy, Role, Standing
from bot.errors import RefusedError

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PLAN = Plan(steps=(), binding={"calls": ["pause()"]})


class TwoPeople(Action):
    """An action as unpause will be: two different guardians, a decline ends it."""

    kind = "test-two-people"
    policy = Policy(
        propose=Role.GUARDIAN, approve=Role.GUARDIAN, approvals=2, proposer_counts=True, lives=timedelta(minutes=30)
    )
    title: ClassVar[str] = "Do a thing"


class NotTheProposer(Action):
    """An action whose proposer's own vote does not count."""

    kind = "test-not-the-proposer"
    policy = Policy(
        propose=Role.OPERATOR, approve=Role.OPERATOR, approvals=1, proposer_counts=False, lives=timedelta(minutes=10)
    )
    title: ClassVar[str] = "Do another thing"


def proposal(action: Action | None = None, **changes: Any) -> Proposal:
    action = action or EmergencyPause(contracts=("SMUSD",))
    fields = {"id": "p1", "plan": PLAN, "policy": action.policy, "reason": "", "proposer": "R", "proposed_at": NOW}
    return Proposal(action=action, **(fields | changes))


def vote(voter: str, of: Proposal, choice: Choice = Choice.APPROVE, after: timedelta = timedelta(minutes=1)) -> Vote:
    return Vote(proposal_id=of.id, voter=voter, choice=choice, digest=of.digest, at=NOW + after)


def asked(of: Proposal, *votes: Vote, after: timedelta = timedelta(minutes=2), **roles: Role | None) -> Approval:
    return approve(of, votes, {person: Standing(local=role) for person, role in roles.items()}, NOW + after)


def test_one_guardian_is_enough_for_a_pause() -> None:
    pause = proposal()

    assert asked(pause, vote("G", pause), G=Role.GUARDIAN).approved_by == ("G",)


def test_an_admin_is_a_guardian_too() -> None:
    pause = proposal()

    assert asked(pause, vote("A", pause), A=Role.ADMIN).approved_by == ("A",)


def test_a_guardian_may_approve_their_own_pause() -> None:
    pause = proposal(proposer="G")

    assert asked(pause, vote("G", pause), G=Role.GUARDIAN).approved_by == ("G",)


def test_the_approval_carries_the_proposal_it_is_for() -> None:
    pause = proposal()

    assert asked(pause, vote("G", pause), G=Role.GUARDIAN).proposal is pause


def test_nobody_else_makes_an_approval() -> None:
    with pytest.raises(TypeError, match=r"^an Approval is made by approve\(\) and by nothing else$"):
        Approval(proposal(), ("G",), seal=object())  # type: ignore[arg-type]  # that this doesn't type-check is the point


def test_without_votes_nothing_is_approved() -> None:
    with pytest.raises(RefusedError, match="1 more approval"):
        asked(proposal())


@pytest.mark.parametrize("role", [None, Role.RESPONDER, Role.OPERATOR])
def test_a_vote_without_the_role_now_does_not_count(role: Role | None) -> None:
    pause = proposal()

    with pytest.raises(RefusedError, match="1 more approval"):
        asked(pause, vote("X", pause), X=role)


def test_somebody_whose_role_nobody_could_read_does_not_count() -> None:
    pause = proposal()

    with pytest.raises(RefusedError):
        asked(pause, vote("X", pause))


def test_it_can_be_approved_until_the_last_moment() -> None:
    pause = proposal()

    assert asked(pause, vote("G", pause), after=timedelta(minutes=10, microseconds=-1), G=Role.GUARDIAN)


def test_it_expires() -> None:
    pause = proposal()

    with pytest.raises(RefusedError, match="expired: it was open for 10 minutes"):
        asked(pause, vote("G", pause), after=timedelta(minutes=10), G=Role.GUARDIAN)


def test_a_clock_that_ran_back_approves_nothing() -> None:
    pause = proposal()

    with pytest.raises(RefusedError):
        asked(pause, vote("G", pause), after=timedelta(seconds=-1), G=Role.GUARDIAN)


def test_a_vote_for_another_proposal_does_not_count() -> None:
    pause, other = proposal(), proposal(id="p2")

    with pytest.raises(RefusedError):
        asked(pause, vote("G", other), G=Role.GUARDIAN)


def test_a_vote_for_another_plan_does_not_count() -> None:
    pause, other = proposal(), proposal(plan=Plan(steps=(), binding={"calls": ["unpause()"]}))

    with pytest.raises(RefusedError):
        asked(pause, vote("G", other), G=Role.GUARDIAN)


def test_one_person_is_one_person_however_often_they_vote() -> None:
    two = proposal(TwoPeople())

    with pytest.raises(RefusedError, match="1 more approval"):
        asked(two, vote("G", two), vote("G", two, after=timedelta(minutes=2)), G=Role.GUARDIAN)


def test_two_people_are_two_people() -> None:
    two = proposal(TwoPeople())

    assert asked(two, vote("G", two), vote("H", two), G=Role.GUARDIAN, H=Role.ADMIN).approved_by == ("G", "H")


def test_a_decline_ends_what_can_be_declined() -> None:
    two = proposal(TwoPeople())
    votes = vote("D", two, Choice.DECLINE), vote("G", two), vote("H", two)

    with pytest.raises(RefusedError, match="declined"):
        asked(two, *votes, D=Role.GUARDIAN, G=Role.GUARDIAN, H=Role.GUARDIAN)


def test_a_decline_without_the_role_ends_nothing() -> None:
    two = proposal(TwoPeople())
    votes = vote("D", two, Choice.DECLINE), vote("G", two), vote("H", two)

    assert asked(two, *votes, D=Role.OPERATOR, G=Role.GUARDIAN, H=Role.GUARDIAN).approved_by == ("G", "H")


def test_no_decline_gets_between_a_guardian_and_a_pause() -> None:
    pause = proposal()
    votes = vote("D", pause, Choice.DECLINE), vote("G", pause, Choice.DECLINE), vote("G", pause)

    assert asked(pause, *votes, D=Role.ADMIN, G=Role.GUARDIAN).approved_by == ("G",)


def test_the_proposers_own_vote_counts_only_where_the_policy_says_so() -> None:
    other = proposal(NotTheProposer(), proposer="O")

    with pytest.raises(RefusedError, match="1 more approval"):
        asked(other, vote("O", other), O=Role.OPERATOR)


def test_a_looser_policy_than_the_actions_own_approves_nothing() -> None:
    loose = proposal(policy=EmergencyPause.policy.model_copy(update={"approve": Role.RESPONDER}))

    with pytest.raises(RefusedError, match="looser policy"):
        asked(loose, vote("R", loose), R=Role.RESPONDER)


def test_a_stricter_policy_is_held_to() -> None:
    strict = proposal(policy=EmergencyPause.policy.model_copy(update={"approve": Role.ADMIN}))

    with pytest.raises(RefusedError):
        asked(strict, vote("G", strict), G=Role.GUARDIAN)


def test_the_reason_is_not_part_of_what_is_approved() -> None:
    assert proposal(reason="a").digest == proposal(reason="b").digest


def test_the_policy_is_part_of_what_is_approved() -> None:
    strict = EmergencyPause.policy.model_copy(update={"approvals": 2})

    assert proposal(policy=strict).digest != proposal().digest


def test_a_proposal_comes_back_from_json_as_it_was() -> None:
    pause = proposal()
    stored = pause.model_dump(mode="json") | {"action": pause.action.dump()}

    assert Proposal.model_validate(stored) == pause


def refusal(of: Proposal, *votes: Vote, after: timedelta = timedelta(minutes=2), **roles: Role | None) -> str:
    with pytest.raises(RefusedError) as refused:
        asked(of, *votes, after=after, **roles)
    return refused.value.sentences()


def test_a_looser_policy_is_refused_in_words() -> None:
    loose = proposal(policy=EmergencyPause.policy.model_copy(update={"approve": Role.RESPONDER}))

    assert refusal(loose) == (
        "This proposal was made under a looser policy than the one in force. It can't be approved any more. "
        "Propose it again."
    )


def test_what_expired_is_refused_in_words() -> None:
    assert refusal(proposal(), after=timedelta(minutes=10)) == (
        "This proposal expired: it was open for 10 minutes. Nothing was sent. "
        "Propose it again; the new one is simulated against the present."
    )


def test_what_was_declined_is_refused_in_words() -> None:
    two = proposal(TwoPeople())

    assert refusal(two, vote("D", two, Choice.DECLINE), D=Role.GUARDIAN) == (
        "<@D> declined this proposal. Propose it again if things have changed."
    )


@pytest.mark.parametrize(
    ("action", "missing"),
    [(TwoPeople(), "2 more approvals by a guardian"), (NotTheProposer(), "1 more approval by an operator")],
)
def test_who_is_still_missing_is_said_in_words(action: Action, missing: str) -> None:
    assert refusal(proposal(action)) == f"{missing} needed. Nothing runs yet."
