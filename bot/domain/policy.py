"""Who may do what: roles, what a person's standing grants, and the table of policies every Action takes its own from.

The table is the one place where these numbers stand. Configuration may make a row stricter (`stricter`), never looser;
`approve` holds each Proposal to the row once more. Pausing stays cheap on purpose: one guardian, loud and logged.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import ConfigurationError


class Role(IntEnum):
    """What a person may do. Ordered: admins are guardians, guardians are operators, operators are responders."""

    RESPONDER = 1
    OPERATOR = 2
    GUARDIAN = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """The role's name as people write it."""
        return self.name.lower()

    @property
    def one(self) -> str:
        """Somebody who has it, such as ``an operator``."""
        return f"{'an' if self.label[0] in 'ao' else 'a'} {self.label}"


class Policy(BaseModel):
    """Who may propose, who may approve, how many, and for how long. Frozen into each Proposal."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    """Its row in the table."""
    propose: Role
    approve: Role
    approvals: int
    """How many different people."""
    proposer_counts: bool
    """Whether the proposer's own vote is one of them."""
    lives: timedelta
    unstoppable: bool = False
    """An emergency brake, and so only a pause: no decline, no changed simulation and no silent Slack stops it."""
    only_local: bool = False
    """Whether only roles count that stand in the configuration itself, by id: groups and schedules others can edit."""
    second_factor: bool = False
    """Whether each approval takes a one-time code as well. The one thing configuration may switch off (the drill)."""

    def at_least_as_strict_as(self, other: "Policy") -> bool:
        """Whether everything this policy lets through, the other would have let through too, second factor aside."""
        return (
            self.propose >= other.propose
            and self.approve >= other.approve
            and self.approvals >= other.approvals
            and (other.proposer_counts or not self.proposer_counts)
            and self.lives <= other.lives
            and (self.only_local or not other.only_local)
            and self.unstoppable == other.unstoppable
        )


class Standing(BaseModel):
    """What a person may do, and by which way they may: read anew each time, never remembered."""

    model_config = ConfigDict(frozen=True)

    local: Role | None = None
    """By their id in the configuration."""
    granted: Role | None = None
    """By a Slack user group or a PagerDuty schedule. A look-up that failed granted nothing."""
    barred: str = ""
    """Why this account can have no role, such as ``a guest``; empty: it can."""
    known: bool = True
    """Whether Slack said just now that this is an active full member of our workspace; False when it gave no answer."""

    @property
    def role(self) -> Role | None:
        """The highest role, by whichever way: for what needs no vote."""
        return max((role for role in (self.local, self.granted) if role is not None), default=None)

    def under(self, policy: Policy) -> Role | None:
        """The role that counts for a vote under this policy.

        Somebody about whom Slack says nothing has none, but for one case: an id in the configuration under an
        unstoppable policy, so that nobody's outage stops a pause.
        """
        if not self.known:
            return self.local if policy.unstoppable else None
        return self.local if policy.only_local else self.role


NOBODY: Final = Standing()
"""No role at all."""

_TEN, _THIRTY = timedelta(minutes=10), timedelta(minutes=30)


def _row(name: str, propose: Role, approve: Role, approvals: int, lives: timedelta, **more: bool) -> Policy:
    """A row as the table has it: the proposer's own vote counts in every one of them."""
    return Policy(
        name=name, propose=propose, approve=approve, approvals=approvals, proposer_counts=True, lives=lives, **more
    )


PAUSE: Final = _row("pause", Role.RESPONDER, Role.GUARDIAN, 1, _TEN, unstoppable=True)
"""Pause, any set of contracts, Canton included."""
OPERATE: Final = _row("operate", Role.OPERATOR, Role.OPERATOR, 1, _TEN)
"""Restart one deployment, raise its memory, a backup, switch the oracle's source."""
RESTART_ALL: Final = _row("restart-all", Role.OPERATOR, Role.OPERATOR, 2, _TEN)
"""Restart every deployment."""
ORACLE_UPDATES: Final = _row("oracle-updates", Role.OPERATOR, Role.GUARDIAN, 1, _TEN, only_local=True)
"""Pause or resume the oracle's updates."""
UNPAUSE: Final = _row("unpause", Role.GUARDIAN, Role.GUARDIAN, 2, _THIRTY, only_local=True, second_factor=True)
"""Unpause, any set; each later step of it (`executeUnpause`, a timelock's execution) is a Proposal of its own."""
RESTORE: Final = _row("restore", Role.OPERATOR, Role.ADMIN, 2, _THIRTY, only_local=True, second_factor=True)
"""Restore a database."""
ROTATE: Final = _row("rotate", Role.OPERATOR, Role.ADMIN, 2, _THIRTY, only_local=True, second_factor=True)
"""Rotate a key."""
CANTON: Final = _row("canton", Role.GUARDIAN, Role.GUARDIAN, 2, _THIRTY, only_local=True, second_factor=True)
"""A proposal, vote, execution or price update on Canton's governance."""
SUPPLY: Final = _row("supply", Role.GUARDIAN, Role.ADMIN, 2, _THIRTY, only_local=True, second_factor=True)
"""Another supply cap, or excess mUSD burnt (Supply Cap Breach, step 4): handed over, never sent."""
ANNOUNCE: Final = _row("announce", Role.RESPONDER, Role.OPERATOR, 1, _TEN, only_local=True)
"""A public announcement."""

TABLE: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        row.name: row
        for row in (
            PAUSE,
            OPERATE,
            RESTART_ALL,
            ORACLE_UPDATES,
            UNPAUSE,
            RESTORE,
            ROTATE,
            CANTON,
            SUPPLY,
            ANNOUNCE,
        )
    }
)
"""Every row by its name: the names that configuration uses."""


def role_named(word: str) -> Role:
    """The role people write so, such as ``guardian``.

    Raises:
        ConfigurationError: there is none.
    """
    for role in Role:
        if role.label == word.strip().lower():
            return role
    raise ConfigurationError(f"There is no role {word!r}; there are {', '.join(role.label for role in Role)}.")


def _worded(value: Any) -> Any:
    """A role by its name; anything else as it is."""
    return role_named(value) if isinstance(value, str) and value.isalpha() else value


def stricter(name: str, changes: Mapping[str, Any]) -> Policy:
    """The row of that name with these fields changed.

    Raises:
        ConfigurationError: no such row or field, or the result would let something through that the row does not.
    """
    row = TABLE.get(name)
    if row is None:
        raise ConfigurationError(
            f"There is no policy called {name!r}.", next_step=f"MUSD_POLICIES knows {', '.join(TABLE)}."
        )
    unknown = set(changes) - (set(Policy.model_fields) - {"name", "unstoppable"})
    if unknown:
        raise ConfigurationError(f"The policy {name!r} has nothing called {', '.join(sorted(unknown))} to change.")
    try:
        changed = Policy.model_validate(row.model_dump() | {key: _worded(value) for key, value in changes.items()})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigurationError(f"MUSD_POLICIES: the policy {name!r} can't be read: {wrong}.") from None
    weaker = row.second_factor and not changed.second_factor
    if weaker or not changed.at_least_as_strict_as(row) or changed.lives <= timedelta(0):
        raise ConfigurationError(
            f"MUSD_POLICIES would make the policy {name!r} looser than it is.",
            means="Configuration may only make a policy stricter.",
            next_step="Ask for more approvals, a higher role or a shorter life, or leave the row out.",
        )
    return changed
