"""Whose vote counts, in the running bot: groups, shifts, accounts, shared channels, and everybody else's outage."""

from collections.abc import Iterator

import pytest

from tests.world.practice import PAUSABLE, Practice, until, written


@pytest.fixture
def fresh() -> Iterator[Practice]:
    """A world of its own, since pausing it is for good."""
    running = Practice()
    yield running
    running.stop()


def whispered(practice: Practice, person: str, words: str, channel: str = "musd-alerts") -> str:
    return until(
        lambda: next(
            (t for m in practice.messages(channel, person) if m["ephemeral_to"] and words in (t := written(m))), None
        )
    )


def test_a_configured_guardian_pauses_while_groups_accounts_and_pagerduty_are_down(fresh: Practice) -> None:
    for method in ("usergroups.list", "users.info", "conversations.info"):
        fresh.post("/faults", target="slack", method=method, error="http_500")
    fresh.break_("pagerduty", "down")
    channel, proposal = fresh.propose_pause()

    assert fresh.press("guardian-1", proposal, "Confirm", channel)["ok"]

    until(lambda: all(fresh.paused(contract) for contract in PAUSABLE))


@pytest.mark.parametrize(("fault", "words"), [("guest", "a guest"), ("stranger", "another workspa")])
def test_an_account_that_is_none_of_ours_any_more_has_no_vote(practice: Practice, fault: str, words: str) -> None:
    channel, proposal = practice.propose_pause()
    practice.break_("slack", fault, user="guardian-1")

    practice.press("guardian-1", proposal, "Confirm", channel)

    assert "can't approve" in whispered(practice, "guardian-1", words)


def test_nothing_is_taken_from_a_shared_channel(practice: Practice) -> None:
    practice.break_("slack", "shared-channel", channel="musd-security")

    practice.command("admin-1", "pause", "musd-security")

    assert "takes no orders" in whispered(practice, "admin-1", "shared with another", "musd-security")


def test_a_group_gives_no_vote_on_an_unpause(practice: Practice) -> None:
    practice.break_("slack", "join-group", user="operator-1", group="musd-guardians")

    practice.command("operator-1", "unpause")

    assert "guardian" in whispered(practice, "operator-1", "You can't")


@pytest.mark.parametrize(
    ("words", "lowest", "refused"),
    [
        ("restart musd-relay", "operator-1", "propose «Restart musd-relay»"),
        ("restart all", "operator-1", "propose «Restart everything"),
        ("memory musd-relay", "operator-1", "propose «Raise the memory"),
        ("database backup", "operator-1", "propose «Back up"),
        ("rotate token", "operator-1", "propose a rotation"),
        ("canton price CTN 0.17", "guardian-1", "price"),
        ("supply cap 40000000", "guardian-1", "propose «Set the supply cap"),
    ],
)
def test_who_is_asked_for_a_reason_to_propose_it(practice: Practice, words: str, lowest: str, refused: str) -> None:
    """The lowest role that may, and the one below it: the table of every role is in tests/engine/test_matrix.py."""
    below = {"operator-1": "responder-1", "guardian-1": "operator-2"}[lowest]
    shown = {view["id"] for view in practice.views(lowest)}

    practice.command(lowest, words, "musd-infra")
    practice.command(below, words, "musd-infra")

    assert until(lambda: [view for view in practice.views(lowest) if view["id"] not in shown])
    assert "You can't propose" in whispered(practice, below, refused, "musd-infra")
