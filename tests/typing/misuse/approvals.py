"""Approvals that nobody gave: each marked line must not type-check, with exactly the error in its mark."""

import dataclasses
from datetime import datetime

from bot.domain.action import Action
from bot.domain.approval import Approval, Proposal, Vote, approve
from bot.domain.policy import Policy, Role
from bot.ports import How, Journal, Store, Writes


async def run_a_bare_action(how: How, action: Action, writes: Writes, journal: Journal) -> None:
    await how.run(action, writes, journal)  # E: arg-type


async def run_what_was_only_proposed(how: How, proposal: Proposal, writes: Writes, journal: Journal) -> None:
    await how.run(proposal, writes, journal)  # E: arg-type


async def name_another_action_beside_the_approval(
    how: How, action: Action, approval: Approval, writes: Writes, journal: Journal
) -> None:
    await how.run(approval, writes, journal, action)  # E: call-arg


async def consume_what_was_only_proposed(store: Store, proposal: Proposal) -> None:
    await store.consume(proposal, "e1")  # E: arg-type


def forge_an_approval(proposal: Proposal) -> Approval:
    return Approval(proposal, ("G",))  # E: call-arg


def forge_its_seal(proposal: Proposal) -> Approval:
    return Approval(proposal, ("G",), seal=object())  # E: arg-type


class Forged(Approval):  # E: misc
    """An Approval without a seal."""


def run_another_action_than_was_approved(approval: Approval, other: Proposal) -> None:
    approval.proposal = other  # E: misc


def copy_an_approval_for_another_action(approval: Approval, other: Proposal) -> Approval:
    return dataclasses.replace(approval, proposal=other)  # E: call-arg


def change_what_is_proposed(proposal: Proposal, other: Action) -> None:
    proposal.action = other  # E: misc


def change_what_a_vote_was_for(vote: Vote, other: Proposal) -> None:
    vote.digest = other.digest  # E: misc


def loosen_a_policy(policy: Policy) -> None:
    policy.approvals = 0  # E: misc


def approve_with_roles_nobody_read(proposal: Proposal, votes: list[Vote], now: datetime) -> Approval:
    return approve(proposal, votes, {"G": Role.GUARDIAN}, now)  # E: dict-item


def approve_at_no_moment(proposal: Proposal, votes: list[Vote]) -> Approval:
    return approve(proposal, votes, {})  # E: call-arg
