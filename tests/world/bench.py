"""An Action run without Slack: planned, approved and carried out against real parts, with a journal that can die."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot import actions
from bot.domain.action import Action, Receipt
from bot.domain.approval import Approval, Choice, Proposal, Vote, approve
from bot.domain.policy import Role, Standing
from bot.ports import Writes

T = TypeVar("T")
_DEATHS = 2
_numbers = itertools.count(1)


class Killed(BaseException):
    """The process is gone."""


class Remembered:
    """A journal as a crash finds it: what finished is there with what it returned, the rest is not.

    `dies_at`: the process dies at the step of this number: with `keeps` right behind it, else after its work has
    happened and before that was written down.
    """

    def __init__(self, name: str = "test", *, dies_at: int | None = None, keeps: bool = False) -> None:
        self.id = f"execute-{name}"
        self.finished: dict[str, Any] = {}
        self.dies_at = dies_at
        self.keeps = keeps

    async def step(self, name: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
        """Run it once, errors of the outside included."""
        del returns
        if name not in self.finished:
            try:
                found: Any = await work()
            except Exception as error:  # noqa: BLE001 - remembered, as the real one does
                found = error
            dies = self.dies_at == len(self.finished)
            if not dies or self.keeps:
                self.finished[name] = found
            if dies:
                self.dies_at = None
                raise Killed
        kept = self.finished[name]
        if isinstance(kept, Exception):
            raise kept
        result: T = kept
        return result

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Mortal(Remembered):
    """Dies twice at every step: once before what it did was written down, and once right behind that."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.deaths = 0
        self._times: dict[str, int] = {}

    async def step(self, name: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
        """As its base, with these deaths."""
        times = self._times.get(name, 0)
        if times < _DEATHS:
            self._times[name] = times + 1
            self.deaths += 1
            self.dies_at, self.keeps = len(self.finished), times > 0
        return await super().step(name, work, returns)


async def proposed(action: Action, writes: Writes) -> Proposal:
    """The action, planned."""
    plan = await actions.how(action).plan(action, writes)
    return Proposal(
        id=f"p{next(_numbers)}",
        action=action,
        plan=plan,
        policy=action.policy,
        reason="because",
        proposer="U1",
        proposed_at=datetime.now(UTC),
    )


def approved(proposal: Proposal) -> Approval:
    """By as many admins as it takes."""
    now = datetime.now(UTC)
    people = [f"U{number}" for number in range(1, proposal.policy.approvals + 1)]
    votes = [
        Vote(
            proposal_id=proposal.id,
            voter=person,
            choice=Choice.APPROVE,
            digest=proposal.digest,
            at=now,
            second_factor=True,
        )
        for person in people
    ]
    standings = {person: Standing(local=Role.ADMIN, granted=Role.ADMIN) for person in people}
    return approve(proposal, votes, standings, now + timedelta(microseconds=1))


class Bench:
    """Writes whose progress is written down, and what is done with them."""

    def __init__(self, writes: Writes) -> None:
        self.told: list[str] = []
        self.writes = replace(writes, progress=self._tell)

    async def _tell(self, text: str) -> None:
        self.told.append(text)

    async def run(self, action: Action, journal: Remembered | None = None) -> Receipt:
        """Plan, approve and carry out; after a death, as often as it takes."""
        approval = approved(await proposed(action, self.writes))
        journal = journal or Remembered(approval.proposal.id)
        while True:
            try:
                return await actions.how(action).run(approval, self.writes, journal)
            except Killed:
                continue
