"""The whole matrix: each role, each kind of action, proposer or not, fresh, expired, used and changed.

`TABLE` is the policy table as it was asked for, written out; the engine and the SQLite store are the bot's own, people
and the outside are hand-written.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot import actions
from bot.actions.announce import Announce
from bot.actions.backup import BackUp
from bot.actions.canton.carrying import CarryMotion
from bot.actions.canton.motions import PutMotion
from bot.actions.oracle import PauseOracleUpdates, ResumeOracleUpdates, SwitchOracleSource
from bot.actions.pause import EmergencyPause
from bot.actions.restart import RaiseMemory, Restart, RestartAll, RestartSome
from bot.actions.restore import RestoreDatabase
from bot.actions.rotate_relay import RotateRelayKey
from bot.actions.rotate_token import RotateCantonToken
from bot.actions.rotate_validator import RotateValidatorKey
from bot.actions.supply import BurnExcess, SetSupplyCap
from bot.actions.unpause import ExecuteUnpause, Unpause
from bot.adapters.store import SqlStore, migrate
from bot.domain.action import Action, Plan, PlanStep
from bot.domain.announcement import Occasion
from bot.domain.announcement import Target as Place
from bot.domain.approval import Choice, Proposal, ProposalState, Vote, approve
from bot.domain.canton import Motion, Purpose
from bot.domain.policy import Role, Standing
from bot.domain.probe import State
from bot.engine.execution import Execution
from bot.engine.preconditions import Preconditions
from bot.engine.proposals import Proposals
from bot.engine.rights import Rights
from bot.errors import RefusedError
from bot.ports import Writes
from tests.property.outside import Books, Codes, Diary, PausingKey, People, Slack, Views, Workflows, World


class Row(NamedTuple):
    """Who proposes, who approves, how many of them, and for how many minutes."""

    propose: Role
    approve: Role
    people: int
    minutes: int


_R, _O, _G, _A = Role.RESPONDER, Role.OPERATOR, Role.GUARDIAN, Role.ADMIN
_OLD, _NEW = "0x" + "11" * 20, "0x" + "22" * 20
_MOTION = Motion(purpose=Purpose.PAUSE, services=("Minted.Protocol.V3:CantonDirectMintService",))
_RESTART, _UNPAUSE, _ROTATE, _CANTON, _SUPPLY = (
    Row(_O, _O, 1, 10),
    Row(_G, _G, 2, 30),
    Row(_O, _A, 2, 30),
    Row(_G, _G, 2, 30),
    Row(_G, _A, 2, 30),
)
TABLE: tuple[tuple[Action, Row], ...] = (
    (EmergencyPause(contracts=("SMUSD",)), Row(_R, _G, 1, 10)),
    (EmergencyPause(contracts=("SMUSD",), services=("Minted:CantonDirectMintService",)), Row(_R, _G, 1, 10)),
    (Restart(deployment="musd-relay"), _RESTART),
    (RestartSome(deployments=("musd-validator-1",)), _RESTART),
    (RaiseMemory(deployment="musd-relay"), _RESTART),
    (BackUp(), _RESTART),
    (SwitchOracleSource(source="https://second.example"), _RESTART),
    (PauseOracleUpdates(), Row(_O, _G, 1, 10)),
    (ResumeOracleUpdates(), Row(_O, _G, 1, 10)),
    (RestartAll(), Row(_O, _O, 2, 10)),
    (Unpause(contracts=("SMUSD",), cause="a bug", fix="mended"), _UNPAUSE),
    (ExecuteUnpause(cause="a bug", fix="mended"), _UNPAUSE),
    (RestoreDatabase(backup="canton_ledger-20260304T031415Z.dump", database="canton_ledger"), _ROTATE),
    (RotateRelayKey(old=_OLD, new=_NEW), _ROTATE),
    (RotateValidatorKey(validator="musd-validator-1", old="key-1", mark="m1"), _ROTATE),
    (RotateCantonToken(old="user-1"), _ROTATE),
    (PutMotion(motion=_MOTION), _CANTON),
    (CarryMotion(motion=_MOTION, key="k1"), _CANTON),
    (SetSupplyCap(cap=Decimal(40_000_000)), _SUPPLY),
    (BurnExcess(down_to=Decimal(1), holder=_OLD), _SUPPLY),
    (Announce(target=Place.DISCORD, occasion=Occasion.PAUSE, text="Paused."), Row(_R, _O, 1, 10)),
)
ROLES = (None, *Role)
EVERY = pytest.mark.parametrize(
    ("action", "row"), TABLE, ids=[f"{action.kind}-{place}" for place, (action, _) in enumerate(TABLE)]
)

WORKED_OUT = pytest.mark.parametrize(
    ("action", "row"),
    [pair for pair in TABLE if pair[0].kind in {"pause", "announce", "supply-cap", "supply-burn"}],
    ids=lambda value: value.kind if isinstance(value, Action) else "",
)
"""Those which the hand-written outside can work out again; e2e tests change the plans of others."""


class Team:
    """The engine, with one person of each role and a second admin."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.workflows = store, Workflows()
        self.people = People({"P": Role.RESPONDER, "B": Role.ADMIN})
        writes: Any = Writes(signed=store, pause=PausingKey(), views=Views(), public=World())
        slack, books = Slack(), Books()
        preconditions = Preconditions(books, with_canton=False)
        self.proposals = Proposals(
            store=store,
            chat=slack,
            rights=Rights(store, self.people),
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
            store=store,
            chat=slack,
            writes=writes,
            proposals=self.proposals,
            preconditions=preconditions,
            settling=books,
            handing=books,
            beside=lambda _: None,
        )
        self._made = 0

    def role(self, role: Role | None) -> None:
        """What the person P is from now on."""
        self.people.local = {"B": Role.ADMIN} if role is None else {"B": Role.ADMIN, "P": role}

    async def stored(self, action: Action, proposer: str, *, age: timedelta = timedelta(0)) -> Proposal:
        """An open Proposal of this age, whose plan is one that nobody would work out again."""
        self._made += 1
        step = PlanStep(name="x", target="y", call="z", stops="", simulation=State.OK, simulated="")
        one = Proposal(
            id=f"p{self._made}",
            action=action,
            plan=Plan(steps=(step,), binding={"number": self._made}),
            policy=action.policy,
            reason="",
            proposer=proposer,
            proposed_at=datetime.now(UTC) - age,
        )
        return await self.store.keep_proposal(one)

    async def press(self, one: Proposal, person: str) -> str:
        """Approve, with whatever it takes; what came of it."""
        try:
            await self.proposals.vote(one.id, person, Choice.APPROVE, typed=one.action.typed, code="right")
        except RefusedError:
            return "refused"
        await self.proposals.settle(one.id)
        return "approved" if one.id in self.workflows.started else "counted"

    async def use(self, one: Proposal) -> None:
        """Somebody else has approved it, and it was carried out."""
        voters = ("X", "Y")
        votes = [
            Vote(proposal_id=one.id, voter=who, choice=Choice.APPROVE, digest=one.digest, at=at, second_factor=True)
            for who in voters
            if (at := datetime.now(UTC))
        ]
        standings = {who: Standing(local=Role.ADMIN) for who in voters}
        assert await self.store.consume(approve(one, votes, standings, datetime.now(UTC)), "e1")
        await self.store.end_proposal(one.id, ProposalState.DONE)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def team(empty: Path, tmp_path: Path) -> AsyncIterator[Team]:
    shutil.copy(empty, tmp_path / "bot.db")
    store = SqlStore(f"sqlite:///{tmp_path}/bot.db")
    yield Team(store)
    await store.close()


def test_every_kind_of_action_is_in_the_matrix() -> None:
    assert {action.kind for action, _ in TABLE} == set(actions.kinds())


@EVERY
async def test_who_may_propose_it(team: Team, action: Action, row: Row) -> None:
    may = {}
    for role in ROLES:
        team.role(role)
        try:
            await team.proposals.may_propose("P", action)
            may[role] = True
        except RefusedError:
            may[role] = False

    assert may == {role: role is not None and role >= row.propose for role in ROLES}


@EVERY
@pytest.mark.parametrize("proposer", ["P", "somebody else"])
async def test_a_fresh_one_takes_so_many_different_people_of_the_role(
    team: Team, action: Action, row: Row, proposer: str
) -> None:
    came: dict[Role | None, tuple[str, ...]] = {}
    for role in ROLES:
        team.role(role)
        one = await team.stored(action, proposer)
        came[role] = (await team.press(one, "P"), await team.press(one, "P"), await team.press(one, "B"))

    one_is_enough = ("approved", "refused", "approved" if row.people == 1 else "")
    # Pressing twice is pressing once; whoever comes after the last one needed presses on what runs already.
    able = ("counted", "refused", "approved") if row.people == 2 else one_is_enough
    unable = ("refused", "refused", "approved" if row.people == 1 else "counted")
    assert came == {role: able if role is not None and role >= row.approve else unable for role in ROLES}


@EVERY
@pytest.mark.parametrize("proposer", ["P", "somebody else"])
async def test_an_expired_one_takes_nobody(team: Team, action: Action, row: Row, proposer: str) -> None:
    came = []
    for role in ROLES:
        team.role(role)
        too_old = await team.stored(action, proposer, age=timedelta(minutes=row.minutes))
        came.append(await team.press(too_old, "P"))

    assert came == ["refused"] * len(ROLES)


@EVERY
async def test_it_lives_until_its_last_moment(team: Team, action: Action, row: Row) -> None:
    team.role(Role.ADMIN)
    almost = await team.stored(action, "P", age=timedelta(minutes=row.minutes, seconds=-30))

    assert await team.press(almost, "P") != "refused"


@EVERY
@pytest.mark.parametrize("proposer", ["P", "somebody else"])
async def test_a_used_one_takes_nobody(team: Team, action: Action, row: Row, proposer: str) -> None:
    del row
    came = []
    for role in ROLES:
        team.role(role)
        used = await team.stored(action, proposer)
        await team.use(used)
        came.append(await team.press(used, "P"))

    assert came == ["refused"] * len(ROLES)


@WORKED_OUT
@pytest.mark.parametrize("proposer", ["P", "somebody else"])
async def test_a_changed_one_does_not_run(team: Team, action: Action, row: Row, proposer: str) -> None:
    team.role(Role.ADMIN)
    changed = await team.stored(action, proposer)
    pressed = [await team.press(changed, person) for person in ("P", "B")[: row.people]]
    await team.execution.run(Diary(f"execute-{changed.id}", lambda: None), changed.id)  # type: ignore[arg-type]

    stored = await team.store.proposal(changed.id)
    assert (pressed[-1], stored and stored.state) == ("approved", ProposalState.REFUSED)
