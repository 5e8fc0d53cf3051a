"""Who may do what: ids in the configuration, and beside them Slack's user groups and PagerDuty's on-call people.

Nothing here is remembered. A look-up that fails, or takes too long for Slack's three seconds, gives no role by its way;
the ids in the configuration need nobody's answer.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog

from bot.adapters.slack_accounts import Account
from bot.domain.oncall import Shift, present
from bot.domain.policy import Role, Standing
from bot.errors import RefusedError, UnavailableError
from bot.ports import OnCallReads

T = TypeVar("T")
log = structlog.get_logger()


class ConfiguredRoster:
    """Fulfils `ports.Roster` by the configuration alone. Who is in several lists has the highest role of them."""

    def __init__(
        self,
        responders: Iterable[str] = (),
        operators: Iterable[str] = (),
        guardians: Iterable[str] = (),
        admins: Iterable[str] = (),
    ) -> None:
        lists = {
            Role.RESPONDER: responders,
            Role.OPERATOR: operators,
            Role.GUARDIAN: guardians,
            Role.ADMIN: admins,
        }
        # From the lowest role up, so that a later list overrides an earlier one.
        self._roles = {person: role for role in sorted(lists) for person in lists[role]}

    async def standing(self, person: str, needed: Role) -> Standing:
        """The person's highest role now; none for everybody who is in no list."""
        del needed
        return Standing(local=self._roles.get(person))

    def holders(self, at_least: Role) -> Sequence[str]:
        """The ids configured for a role or a higher one, the lowest role first."""
        return sorted((one for one, role in self._roles.items() if role >= at_least), key=self._roles.__getitem__)


class Accounts(Protocol):
    """What is asked of Slack: fulfilled by `SlackAccounts`."""

    async def account(self, person: str) -> Account:
        """This person's, now."""

    async def groups(self) -> Mapping[str, Sequence[str]]:
        """Every user group's members, by its id and by its handle."""


class LookedUpRoster:
    """Fulfils `ports.Roster`: the configuration, held against the account, with roles that groups and shifts add."""

    def __init__(
        self,
        configured: ConfiguredRoster,
        accounts: Accounts,
        oncall: OnCallReads | None,
        *,
        groups: Mapping[str, Role],
        shifts: Mapping[str, Role],
        patience: float = 1.0,
    ) -> None:
        """Asks nobody before it is asked.

        Args:
            configured: roles by id.
            accounts: Slack.
            oncall: PagerDuty; without it nobody has a role by a shift.
            groups: roles by a user group's handle or id.
            shifts: roles by the name of an escalation policy or schedule.
            patience: seconds for each of the two rounds of questions: a press is answered within three.
        """
        self._configured = configured
        self._accounts = accounts
        self._oncall = oncall
        self._groups = groups
        self._shifts = shifts
        self._patience = patience

    def holders(self, at_least: Role) -> Sequence[str]:
        """The ids configured for a role or a higher one, the lowest role first."""
        return self._configured.holders(at_least)

    async def standing(self, person: str, needed: Role) -> Standing:
        """What they may do now. A deactivated account, a guest, a bot, somebody of another workspace: nothing."""
        local = (await self._configured.standing(person, needed)).local
        account = await self._soon(self._accounts.account(person), "nobody says whose account this is", person)
        if account is None:
            return Standing(local=local, known=False)
        if account.barred:
            return Standing(barred=account.barred)
        granted = None if local is not None and local >= needed else await self._granted(person, account)
        return Standing(local=local, granted=granted)

    async def _granted(self, person: str, account: Account) -> Role | None:
        ways = [self._by_group(person), *(self._by_shift(name, role, account) for name, role in self._shifts.items())]
        found = await asyncio.gather(*(self._soon(way, "a role can't be looked up", person) for way in ways))
        return max((role for role in found if role is not None), default=None)

    async def _by_group(self, person: str) -> Role | None:
        if not self._groups:
            return None
        members = await self._accounts.groups()
        return max((role for name, role in self._groups.items() if person in members.get(name, ())), default=None)

    async def _by_shift(self, name: str, role: Role, account: Account) -> Role | None:
        if self._oncall is None or not account.email:
            return None
        now = present(await shifts(self._oncall, name), datetime.now(UTC))
        return role if account.email in {one.email.lower() for one in now} else None

    async def _soon(self, question: Awaitable[T], why: str, person: str) -> T | None:
        """The answer, or None where there is none in time: fails closed, whatever it fails with."""
        try:
            return await asyncio.wait_for(question, self._patience)
        except (UnavailableError, RefusedError, TimeoutError) as error:
            log.warning(why, person=person, error=str(error) or "no answer in time")
            return None


async def shifts(oncall: OnCallReads, name: str) -> Sequence[Shift]:
    """Who is on call by what a setting calls an escalation policy or a schedule.

    Raises:
        RefusedError: there is neither of this name.
        UnavailableError: PagerDuty did not answer.
    """
    try:
        return await oncall.by_policy(name)
    except RefusedError:  # no escalation policy of this name
        return await oncall.by_schedule(name)
