"""Roles as configured, and as Slack and PagerDuty give them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from bot.adapters.roster import ConfiguredRoster, LookedUpRoster
from bot.adapters.slack_accounts import Account, SlackAccounts
from bot.adapters.slack_web import web_client
from bot.domain.oncall import Shift
from bot.domain.policy import NOBODY, Role, Standing
from bot.drill.workspace.server import Workspace
from bot.errors import RefusedError, UnavailableError
from bot.ports import Roster

ROOT = Path(__file__).parents[2]
ROSTER = ConfiguredRoster(responders=("R", "BOTH"), operators=("O",), guardians=("BOTH", "G"), admins=("A",))


async def test_each_person_has_the_role_of_their_list() -> None:
    port: Roster = ROSTER
    found = [(await port.standing(person, Role.ADMIN)).local for person in ("R", "O", "G", "A")]
    assert found == [Role.RESPONDER, Role.OPERATOR, Role.GUARDIAN, Role.ADMIN]


async def test_a_stranger_has_no_role() -> None:
    assert await ROSTER.standing("X", Role.RESPONDER) == NOBODY


async def test_in_several_lists_the_highest_role_counts() -> None:
    assert (await ROSTER.standing("BOTH", Role.GUARDIAN)).local == Role.GUARDIAN


def test_holders_of_a_role_are_those_of_higher_ones_too() -> None:
    assert ROSTER.holders(Role.GUARDIAN) == ["BOTH", "G", "A"]


def test_nobody_configured_is_nobody() -> None:
    assert ConfiguredRoster().holders(Role.RESPONDER) == []


class Slack:
    """A hand-written Slack: accounts and groups, or silence."""

    def __init__(self, account: Account | None = None, groups: Mapping[str, Sequence[str]] | None = None) -> None:
        self._account = account
        self._groups = groups
        self.asked_for_groups = 0

    async def account(self, person: str) -> Account:
        """As given."""
        del person
        if self._account is None:
            raise UnavailableError("Slack is silent")
        return self._account

    async def groups(self) -> Mapping[str, Sequence[str]]:
        """As given."""
        self.asked_for_groups += 1
        if self._groups is None:
            raise UnavailableError("Slack is silent")
        return self._groups


class PagerDuty:
    """A hand-written PagerDuty: one policy and one schedule, or silence."""

    def __init__(self, *emails: str, silent: bool = False) -> None:
        self._shifts = [Shift(name=one, email=one, level=1, since=None, until=None) for one in emails]
        self._silent = silent

    async def by_policy(self, policy: str) -> Sequence[Shift]:
        """Of the one policy."""
        if self._silent:
            await asyncio.sleep(60)
        if policy != "policy":
            raise RefusedError("no such policy")
        return self._shifts

    async def by_schedule(self, schedule: str) -> Sequence[Shift]:
        """Of the one schedule."""
        if schedule != "schedule":
            raise RefusedError("no such schedule")
        return self._shifts

    async def email(self, user_id: str) -> str:
        """Nobody asks for it."""
        return user_id


ACTIVE = Account("x@example.com", "")


def looking(slack: Slack, oncall: PagerDuty | None = None, **shifts: Role) -> LookedUpRoster:
    return LookedUpRoster(ROSTER, slack, oncall, groups={"guards": Role.GUARDIAN}, shifts=shifts, patience=0.2)


async def test_a_group_gives_a_role() -> None:
    roster = looking(Slack(ACTIVE, {"guards": ("X",)}))
    assert await roster.standing("X", Role.GUARDIAN) == Standing(granted=Role.GUARDIAN)


@pytest.mark.parametrize("name", ["policy", "schedule"])
async def test_being_on_call_gives_a_role(name: str) -> None:
    roster = looking(Slack(ACTIVE, {}), PagerDuty("X@example.com"), **{name: Role.GUARDIAN})
    assert await roster.standing("X", Role.GUARDIAN) == Standing(granted=Role.GUARDIAN)


async def test_somebody_who_is_not_on_call_has_nothing_by_it() -> None:
    roster = looking(Slack(ACTIVE, {}), PagerDuty("other@example.com"), policy=Role.GUARDIAN)
    assert await roster.standing("X", Role.GUARDIAN) == NOBODY


async def test_a_group_that_nobody_can_look_up_gives_nothing() -> None:
    assert await looking(Slack(ACTIVE, None)).standing("X", Role.GUARDIAN) == NOBODY


async def test_a_silent_pagerduty_gives_nothing_and_is_not_waited_for() -> None:
    roster = looking(Slack(ACTIVE, {}), PagerDuty("x@example.com", silent=True), policy=Role.GUARDIAN)
    assert await asyncio.wait_for(roster.standing("X", Role.GUARDIAN), 10) == NOBODY


async def test_whose_id_gives_the_role_needs_no_look_up() -> None:
    slack = Slack(ACTIVE, {"guards": ("A",)})
    await looking(slack).standing("A", Role.GUARDIAN)
    assert slack.asked_for_groups == 0


@pytest.mark.parametrize("barred", ["a deactivated account", "a guest", "a bot", "somebody of another workspace"])
async def test_such_an_account_has_no_role_by_any_way(barred: str) -> None:
    roster = looking(Slack(Account("", barred), {"guards": ("A",)}))
    assert await roster.standing("A", Role.ADMIN) == Standing(barred=barred)


async def test_a_silent_slack_leaves_the_id_and_says_that_it_is_not_known() -> None:
    assert await looking(Slack()).standing("G", Role.GUARDIAN) == Standing(local=Role.GUARDIAN, known=False)


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[tuple[SlackAccounts, Workspace]]:
    """The practice workspace, over HTTP."""
    workspace = Workspace(port=0, manifest=ROOT / "app-manifest.yml", page=ROOT / "bot" / "drill" / "page")
    await workspace.start(tmp_path)
    yield SlackAccounts(web_client(workspace.bot_token, f"{workspace.url}/api/")), workspace
    await workspace.stop()


async def test_a_person_of_ours_is_not_barred(accounts: tuple[SlackAccounts, Workspace]) -> None:
    assert await accounts[0].account("U0GUARD0001") == Account("guardian-1@musd-practice.invalid", "")


@pytest.mark.parametrize(
    ("fault", "barred"),
    [
        ("deactivate", "a deactivated account"),
        ("guest", "a guest"),
        ("stranger", "somebody of another workspace"),
    ],
)
async def test_an_account_is_barred_as_it_is_now(
    accounts: tuple[SlackAccounts, Workspace], fault: str, barred: str
) -> None:
    await accounts[1].inflict({"target": "slack", "fault": fault, "user": "guardian-1"})
    assert (await accounts[0].account("U0GUARD0001")).barred == barred


async def test_the_bot_itself_is_barred(accounts: tuple[SlackAccounts, Workspace]) -> None:
    assert (await accounts[0].account("U0MUSDBOT01")).barred == "a bot"


async def test_groups_are_found_by_handle_and_by_id(accounts: tuple[SlackAccounts, Workspace]) -> None:
    found = await accounts[0].groups()
    assert found["musd-guardians"] == found["S0GUARDIANS"] == ("U0GUARD0001", "U0GUARD0002")
