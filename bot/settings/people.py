"""Who may do what, and what proves that it is them."""

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from bot.domain.policy import Policy, Role, role_named, stricter
from bot.settings.kinds import Names, pair

_ENOUGH = 2
"""Guardians, and admins, by id in the configuration: so that nobody's outage stops a pause."""

_SHORTEST_SECRET = 32
"""Characters of the secret behind the second factors: it is never typed, so it need not be short."""


class PeopleSettings(BaseModel):
    """Who may do what, and what proves that it is them."""

    responders: Names = Field(default=(), description="Slack user ids, separated by commas.")
    operators: Names = Field(default=(), description="Slack user ids; operators are responders too.")
    guardians: Names = Field(default=(), description="Slack user ids; guardians are operators too.")
    admins: Names = Field(default=(), description="Slack user ids; admins are guardians too.")
    group_roles: Names = Field(
        default=(),
        description="Slack user groups that give a role, by handle or id: others can edit them, so they count for "
        "pause, restart and backup alone, and no group makes an admin.",
        examples=["musd-guardians=guardian"],
    )
    oncall_roles: Names = Field(
        default=(),
        description="PagerDuty escalation policies or schedules whose people on call have a role: the same limits.",
        examples=["musd-protocol-oncall=guardian"],
    )
    policies: Mapping[str, Mapping[str, Any]] = Field(
        default={},
        description="Policies made stricter, never looser, as JSON: by row (pause, operate, restart-all, "
        "oracle-updates, unpause, restore, rotate, canton, supply, announce) its propose, approve, approvals, "
        "proposer_counts, lives (seconds), only_local, second_factor.",
        examples=['{"unpause": {"approvals": 3, "lives": 900}}'],
    )
    terminal_people: Names = Field(
        default=(),
        description="Guardians who may pause in a terminal, by Slack user id; =NUMBER as `musd-bot enrol` says it, for "
        "a terminal that can't ask the database which enrolment of theirs counts (1 where it isn't said).",
        examples=["U0ABCDEFG=1"],
    )
    second_factor: bool = Field(
        default=True, description="Whether the approvals that want a one-time code take one; off in the drill alone."
    )
    second_factor_secret: SecretStr = Field(
        default=SecretStr(""),
        description="From which everybody's codes are derived: 32 random characters or more, such as from "
        "`openssl rand -base64 32`. People are enrolled with `musd-bot enrol`.",
    )

    @field_validator("second_factor_secret")
    @classmethod
    def _is_long_enough(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"shorter than {_SHORTEST_SECRET} characters")
        return secret

    @field_validator("terminal_people")
    @classmethod
    def _enrolments_are_numbers(cls, people: tuple[str, ...]) -> tuple[str, ...]:
        for person, number in map(pair, people):
            if not re.fullmatch("[1-9][0-9]{0,5}|", number):
                raise ValueError(f"{person}={number[:3]}…: behind the = stands the number of an enrolment, no secret")
        return people

    @model_validator(mode="after")
    def _policies_are_stricter(self) -> Self:
        for name, changes in self.policies.items():
            stricter(name, changes)
        if any(role >= Role.ADMIN for role in (*self.groups.values(), *self.shifts.values())):
            raise ValueError("MUSD_GROUP_ROLES and MUSD_ONCALL_ROLES make nobody an admin: name admins by id")
        return self

    @property
    def terminal(self) -> Mapping[str, int]:
        """Who may pause in a terminal, and which enrolment of theirs counts where the database can't be asked."""
        return {person: int(number or 1) for person, number in map(pair, self.terminal_people)}

    @property
    def groups(self) -> Mapping[str, Role]:
        """Roles by user group."""
        return {name.lstrip("@"): role_named(role) for name, role in map(pair, self.group_roles)}

    @property
    def shifts(self) -> Mapping[str, Role]:
        """Roles by escalation policy or schedule."""
        return {name: role_named(role) for name, role in map(pair, self.oncall_roles)}

    @property
    def stricter_policies(self) -> Mapping[str, Policy]:
        """The rows of the table that configuration makes stricter, by name."""
        return {name: stricter(name, changes) for name, changes in self.policies.items()}

    @property
    def shorthanded(self) -> str:
        """Why an outage of Slack's and PagerDuty's could stop a pause; empty: two guardians and two admins are ids."""
        guardians, admins = len({*self.guardians, *self.admins}), len(set(self.admins))
        enough = guardians >= _ENOUGH and admins >= _ENOUGH
        return "" if enough else f"only {guardians} can confirm a pause by id, {admins} are admins"
