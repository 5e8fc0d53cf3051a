"""Proposals, votes, roles, clocks and crashes, in any order: nothing runs unapproved, and a guardian can always pause.

Hypothesis drives the bot's own engine and SQLite store. What was due is worked out here, from the policy table as it
was asked for and from what people did, by other code than the bot's.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from bot.actions.announce import Announce
from bot.actions.pause import EmergencyPause
from bot.actions.supply import SetSupplyCap
from bot.adapters.store import SqlStore, migrate
from bot.adapters.store.models import proposals, votes
from bot.domain.action import Action
from bot.domain.announcement import Occasion
from bot.domain.announcement import Target as Place
from bot.domain.approval import Choice, ProposalState
from bot.domain.policy import Role
from bot.domain.probe import State
from bot.engine.execution import Execution
from bot.engine.preconditions import Preconditions
from bot.engine.proposals import Proposals
from bot.engine.rights import Rights
from bot.errors import RefusedError
from bot.ports import Writes
from tests.property.outside import (
    Books,
    Codes,
    CrashError,
    Diary,
    PausingKey,
    People,
    Slack,
    Views,
    Workflows,
    World,
)

PAUSE = EmergencyPause(contracts=("SMUSD", "DIRECT_MINT"))
ACTIONS: tuple[Action, ...] = (
    PAUSE,
    EmergencyPause(contracts=("BLE_BRIDGE",)),
    Announce(target=Place.DISCORD, occasion=Occasion.PAUSE, text="Paused."),
    SetSupplyCap(cap=Decimal(40_000_000)),
)


class Row(NamedTuple):
    """A row of the table, in this test's own words."""

    approve: Role
    people: int
    minutes: int
    only_by_id: bool = True
    code: bool = False
    can_be_declined: bool = True


TABLE = {
    "pause": Row(Role.GUARDIAN, 1, 10, only_by_id=False, can_be_declined=False),
    "announce": Row(Role.OPERATOR, 1, 10),
    "supply-cap": Row(Role.ADMIN, 2, 30, code=True),
}
CONFIGURED = {"R": Role.RESPONDER, "O": Role.OPERATOR, "G": Role.GUARDIAN, "A": Role.ADMIN, "B": Role.ADMIN}
PEOPLE = (*CONFIGURED, "X")
GUARDIAN = "G"
"""A guardian by their id in the configuration, with an active account. Nothing may stop their pause."""
PROPOSER = {"pause": "R", "announce": "O", "supply-cap": "G"}
RUNNING = {ProposalState.EXECUTING, ProposalState.DONE}

RARELY = st.integers(0, 5).map(lambda number: number == 5)
DEATHS = st.none() | st.integers(0, 14)
"""Half steps until the process of an execution dies; None: it lives."""
Ballot = tuple[str, Choice, str | None]
"""Who, what, and with which code."""
BALLOTS = st.lists(
    st.tuples(
        st.sampled_from(("A", "B", "A", "B", *PEOPLE)),
        st.sampled_from((Choice.APPROVE, Choice.APPROVE, Choice.APPROVE, Choice.DECLINE)),
        st.sampled_from(("right", "right", "right", "right", "wrong", None)),
    ),
    min_size=1,
    max_size=4,
)
Changes = list[tuple[str, str, Role | None]]
"""Which way to a role, whose, and what they then are by it."""
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("granted", "local", "barred")), st.sampled_from(PEOPLE), st.none() | st.sampled_from(Role)
    ),
    max_size=2,
)


@dataclass
class Case:
    """What happened to one Proposal, as this test saw it."""

    kind: str
    age: timedelta = timedelta(0)
    said: dict[str, Choice] = field(default_factory=dict)
    """Each person's first vote that counts at all."""
    runs: dict[str, Diary] = field(default_factory=dict)
    due: bool = False
    """Whether it had its approvals when the roles were last read for an execution."""


def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="musd-machine-")) / "empty.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


class ApprovalMachine(RuleBasedStateMachine):
    """One bot, its people, and everything that can go wrong between them."""

    template: Path
    open_ones = Bundle("proposals")

    def __init__(self) -> None:
        super().__init__()
        self._place = Path(tempfile.mkdtemp(prefix="musd-machine-"))
        shutil.copy(self.template, self._place / "bot.db")
        self._loop = asyncio.Runner()
        self._store = SqlStore(f"sqlite:///{self._place}/bot.db")
        self.people, self.slack, self.workflows, self.key = People(dict(CONFIGURED)), Slack(), Workflows(), PausingKey()
        self.cases: dict[str, Case] = {}
        writes: Any = Writes(signed=self._store, pause=self.key, views=Views(), public=World())
        anything: Any = Books()
        preconditions = Preconditions(anything, with_canton=False)
        self.proposals = Proposals(
            store=self._store,
            chat=self.slack,
            rights=Rights(self._store, self.people),
            factor=Codes(),
            durable=self.workflows,
            writes=writes,
            preconditions=preconditions,
            alerts_channel="C1",
            policies={},
            pause_lives=timedelta(minutes=10),
            second_factor=True,
        )
        self.execution = Execution(
            store=self._store,
            chat=self.slack,
            writes=writes,
            proposals=self.proposals,
            preconditions=preconditions,
            settling=anything,
            handing=anything,
            beside=lambda _: None,
        )

    def teardown(self) -> None:
        try:
            self._guardian_pauses()
        finally:
            self._do(self._store.close())
            self._loop.close()
            shutil.rmtree(self._place)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run it to its end, a refusal or the death of the process; the store outlives both."""
        try:
            return self._loop.run(work)
        except (RefusedError, CrashError):
            return None

    # --- people ---

    @initialize(target=open_ones)
    def each_is_proposed(self) -> MultipleResults[str]:
        """By somebody who may: so that a run is about votes from its first step on."""
        made = (self._propose(PROPOSER[action.kind], action) for action in ACTIONS)
        return multiple(*(one for one in made if one is not None))

    @rule(target=open_ones, person=st.sampled_from(PEOPLE), action=st.sampled_from(ACTIONS))
    def propose(self, person: str, action: Action) -> MultipleResults[str]:
        made = self._propose(person, action)
        return multiple(made) if made else multiple()

    def _propose(self, person: str, action: Action) -> str | None:
        made = self._do(self.proposals.propose(action, person, "", incident_id=None, place="C1"))
        if made is not None:
            self.cases.setdefault(made.id, Case(action.kind))
        return None if made is None else str(made.id)

    @rule(proposal=open_ones, ballots=BALLOTS, dies=RARELY)
    def people_vote(self, proposal: str, ballots: list[Ballot], dies: bool) -> None:
        for person, choice, code in ballots:
            self._cast(proposal, person, choice, code)
            if not dies:
                self._do(self.proposals.settle(proposal))

    def _cast(self, proposal: str, person: str, choice: Choice, code: str | None) -> None:
        case, before = self.cases[proposal], self._votes(proposal)
        self._do(self.proposals.vote(proposal, person, choice, code=code))
        if self._votes(proposal) == before:
            return
        row = TABLE[case.kind]
        assert choice is Choice.DECLINE or code == "right" or not row.code, "a vote without its code was taken"
        if choice is Choice.APPROVE or row.can_be_declined:
            case.said.setdefault(person, choice)

    @rule(proposal=open_ones, person=st.sampled_from(PEOPLE))
    def withdraw(self, proposal: str, person: str) -> None:
        self._do(self.proposals.withdraw(proposal, person))

    @rule(
        action=st.sampled_from(ACTIONS),
        before=CHANGES,
        ballots=BALLOTS,
        after=CHANGES,
        minutes=st.sampled_from((0, 0, 0, 9, 10, 30)),
        dies_after=DEATHS,
    )
    def one_from_beginning_to_end(
        self,
        action: Action,
        before: Changes,
        ballots: list[Ballot],
        after: Changes,
        minutes: int,
        dies_after: int | None,
    ) -> None:
        """Proposed, voted on while things change, and run: every other rule breaks in between two of these steps."""
        self._change(before)
        proposal = self._propose(PROPOSER[action.kind], action)
        if proposal is None:
            return
        for person, choice, code in ballots:
            self._cast(proposal, person, choice, code)
        self._change(after)
        self.time_passes(minutes)
        self._do(self.proposals.settle(proposal))
        self._run(proposal, "execute", dies_after)

    def _change(self, changes: Changes) -> None:
        for what, person, role in changes:
            match what:
                case "granted":
                    _set(self.people.granted, person, role)
                case "local" if person != GUARDIAN:
                    _set(self.people.local, person, role)
                case "barred" if person != GUARDIAN:
                    self.people.barred ^= {person}

    @rule(changes=CHANGES)
    def roles_change(self, changes: Changes) -> None:
        self._change(changes)

    @rule()
    def everybody_is_back(self) -> None:
        self.people.local, self.people.granted, self.people.barred = dict(CONFIGURED), {}, set()
        self.people.slack_answers = self.people.look_ups_answer = True

    # --- the outside ---

    @rule(slack=st.booleans(), look_ups=st.booleans(), edits=st.booleans())
    def who_answers_changes(self, slack: bool, look_ups: bool, edits: bool) -> None:
        self.people.slack_answers, self.people.look_ups_answer, self.slack.away = slack, look_ups, not edits

    @rule(says=st.sampled_from(State))
    def simulations_end_so(self, says: State) -> None:
        self.key.simulation = says

    @rule(signer=st.sampled_from(["0xKey", "0xOther"]))
    def the_plan_changes(self, signer: str) -> None:
        self.key.signer = signer

    # --- time and processes ---

    @rule(minutes=st.sampled_from([1, 4, 9, 21]))
    def time_passes(self, minutes: int) -> None:
        self._loop.run(self._age(timedelta(minutes=minutes)))

    @rule(proposal=open_ones)
    def its_deadline_fires(self, proposal: str) -> None:
        """Only ever after its time: deadlines can be late, and are never early."""
        case = self.cases[proposal]
        if case.age >= timedelta(minutes=TABLE[case.kind].minutes):
            self._do(self.proposals.expire(proposal))

    @rule(proposal=open_ones, dies=RARELY)
    def the_sweep_settles(self, proposal: str, dies: bool) -> None:
        self.workflows.dies = dies
        self._do(self.proposals.settle(proposal))
        self.workflows.dies = False

    @rule(dies_after=DEATHS)
    def what_was_started_runs(self, dies_after: int | None) -> None:
        for proposal in sorted(self.workflows.started & set(self.cases)):
            self._run(proposal, "execute", dies_after)

    @rule(proposal=open_ones, run=st.sampled_from(["execute", "another"]), dies_after=DEATHS)
    def one_runs_that_nobody_started(self, proposal: str, run: str, dies_after: int | None) -> None:
        """Or a second time, under another name."""
        self._run(proposal, run, dies_after)

    def _run(self, proposal: str, run: str, dies_after: int | None = None) -> None:
        case = self.cases[proposal]

        def asked() -> None:
            case.due = self._due(case)

        diary = case.runs.setdefault(run, Diary(f"{run}-{proposal}", asked))
        diary.lives = float("inf") if dies_after is None else dies_after
        before = self._state(proposal)
        self._do(self.execution.run(diary, proposal))
        if before not in RUNNING and self._state(proposal) in RUNNING:
            assert case.due, f"{case.kind} ran without its approvals"
        for made in self._all():  # what was shown anew is a Proposal like any other
            self.cases.setdefault(made[0], Case(made[1]))

    # --- what must hold ---

    def _guardian_pauses(self) -> None:
        """Whatever has happened, in whichever state a run ends: they propose, confirm, and it is paused."""
        self.key.stopped.clear()
        made = self._loop.run(self.proposals.propose(PAUSE, GUARDIAN, "", incident_id=None, place="C1"))
        self.cases.setdefault(made.id, Case("pause"))
        self._cast(made.id, GUARDIAN, Choice.APPROVE, None)
        self._do(self.proposals.settle(made.id))
        assert made.id in self.workflows.started
        self._run(made.id, "execute")
        assert self.key.stopped >= set(PAUSE.contracts)

    def _due(self, case: Case) -> bool:
        """Whether the table lets this one run at this moment."""
        row = TABLE[case.kind]
        able = {person for person in case.said if (role := self._role(person, row)) and role >= row.approve}
        approving = {person for person in able if case.said[person] is Choice.APPROVE}
        return len(approving) >= row.people and approving == able and case.age < timedelta(minutes=row.minutes)

    def _role(self, person: str, row: Row) -> Role | None:
        known, local = self.people.slack_answers, self.people.local.get(person)
        if not known:
            return None if row.can_be_declined else local
        if person in self.people.barred:
            return None
        granted = self.people.granted.get(person) if self.people.look_ups_answer and not row.only_by_id else None
        return max((role for role in (local, granted) if role), default=None)

    # --- the store, looked at and aged ---

    def _state(self, proposal: str) -> ProposalState:
        stored = self._loop.run(self._store.proposal(proposal))
        assert stored is not None
        return stored.state

    def _votes(self, proposal: str) -> int:
        stored = self._loop.run(self._store.proposal(proposal))
        assert stored is not None
        return len(stored.votes)

    def _all(self) -> list[tuple[str, str]]:
        async def read() -> list[tuple[str, str]]:
            async with self._store.reading() as connection:
                rows = (await connection.execute(select(proposals.c.id, proposals.c.body))).all()
            return [(row.id, row.body["action"]["kind"]) for row in rows]

        return self._loop.run(read())

    async def _age(self, by: timedelta) -> None:
        """Everything stored gets older by this, which is what a clock that runs on comes to."""
        for case in self.cases.values():
            case.age += by
        async with self._store.writing() as connection:
            for row in (await connection.execute(select(proposals))).all():
                earlier = datetime.fromisoformat(row.body["proposed_at"]) - by
                body = row.body | {"proposed_at": earlier.astimezone(UTC).isoformat()}
                change = update(proposals).where(proposals.c.id == row.id)
                await connection.execute(change.values(proposed_at=earlier, body=body))
            for vote in (await connection.execute(select(votes))).all():
                mine = update(votes).where(votes.c.position == vote.position)
                await connection.execute(mine.values(at=vote.at - by))


def _set(roles: dict[str, Role], person: str, role: Role | None) -> None:
    roles.pop(person, None)
    if role is not None:
        roles[person] = role


@pytest.mark.timeout(0 if os.environ.get("MUSD_SOAK") else 300)
def test_nothing_runs_without_its_approvals_and_nothing_blocks_a_guardians_pause() -> None:
    ApprovalMachine.template = _template()
    run_state_machine_as_test(ApprovalMachine)
    shutil.rmtree(ApprovalMachine.template.parent)
