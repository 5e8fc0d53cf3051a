"""A Proposal's ends besides execution, and the second factor, through the doors."""

import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest

from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """A world that asks for the second factor, even for a restart."""
    strict = '{"operate": {"second_factor": true}}'
    settings = ("--set", "second_factor=true", "--set", f"policies={strict}")
    running = Practice(*settings, data=tmp_path_factory.mktemp("factor"))
    yield running
    running.stop()


def restart(world: Practice, user: str, reason: str = "it hangs") -> None:
    assert world.command(user, "restart musd-relay", CHANNEL)["ok"]
    view = world.modal(user)
    assert world.post("/person/submit", user=user, view_id=view["id"], values={"reason": reason})["ok"]


def proposed(world: Practice, user: str = "operator-1") -> dict[str, Any]:
    """A restart, proposed by this person."""
    before = {message["ts"] for message in world.messages(CHANNEL)}
    restart(world, user)
    found: dict[str, Any] = until(lambda: world.with_button(CHANNEL, "Approve", before))
    return found


def now(world: Practice, message: dict[str, Any], words: str) -> str:
    """The message's text, once it says this."""
    return until(
        lambda: next(
            (t for m in world.messages(CHANNEL) if m["ts"] == message["ts"] and words in (t := written(m))), None
        )
    )


def withdraw(world: Practice, message: dict[str, Any], user: str = "operator-1") -> None:
    assert world.press(user, message, "Withdraw", CHANNEL)["ok"]
    now(world, message, "WITHDRAWN")


def whispered(world: Practice, person: str, words: str) -> str:
    return until(
        lambda: next(
            (t for m in world.messages(CHANNEL, person) if m["ephemeral_to"] and words in (t := written(m))), None
        )
    )


def code_of(world: Practice, person: str) -> str:
    said = world.terminal("enrol", person)
    secret = re.search(r"key {2}([A-Z2-7 ]+)", said)
    assert secret, said
    return pyotp.TOTP(secret[1].replace(" ", "")).now()


def approve(world: Practice, person: str, message: dict[str, Any], code: str) -> Any:
    """Press *Approve*, type the code."""
    assert world.press(person, message, "Approve", CHANNEL)["ok"]
    view = world.modal(person)
    return world.post("/person/submit", user=person, view_id=view["id"], values={"code": code})


def test_two_identical_open_proposals_are_one(world: Practice) -> None:
    first = proposed(world)
    restart(world, "operator-2", "me too")

    assert "proposed already" in whispered(world, "operator-2", "Vote on that one")
    assert len([m for m in world.messages(CHANNEL) if any(b["label"] == "Approve" for b in m["buttons"])]) == 1
    withdraw(world, first)


def test_only_whoever_proposed_it_can_withdraw_it(world: Practice) -> None:
    message = proposed(world)
    world.press("operator-2", message, "Withdraw", CHANNEL)

    assert "Only" in whispered(world, "operator-2", "can withdraw it")
    withdraw(world, message)


def test_a_decline_ends_it_at_once_and_its_reason_is_shown_behind_it(world: Practice) -> None:
    message = proposed(world)
    assert world.press("operator-2", message, "Decline", CHANNEL)["ok"]
    now(world, message, "DECLINED")
    view = world.modal("operator-2")
    values = {"reason": "the ledger is being backed up <!channel>"}
    assert world.post("/person/submit", user="operator-2", view_id=view["id"], values=values)["ok"]

    text = now(world, message, "being backed up")
    assert "<!channel>" not in text


def test_an_approval_takes_a_code(world: Practice) -> None:
    message = proposed(world)

    assert approve(world, "operator-2", message, code_of(world, "U0OPERA0002"))["ok"]
    now(world, message, "ENDED")


def test_somebody_who_is_not_enrolled_is_told_how(world: Practice) -> None:
    message = proposed(world)

    answer = approve(world, "admin-2", message, "123456")
    assert "musd-bot enrol U0ADMIN0002" in answer["errors"]["code"]
    withdraw(world, message)


def test_a_wrong_code_and_then_too_many(world: Practice) -> None:
    message = proposed(world)
    code_of(world, "U0GUARD0002")

    said = [approve(world, "guardian-2", message, "000000")["errors"]["code"] for _ in range(6)]
    assert ["not right now" in one for one in said] == [True] * 5 + [False]
    assert "no code of yours is looked at" in said[5]
    withdraw(world, message)
