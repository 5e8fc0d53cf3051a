"""`/musd status` and the help, through the doors."""

import time

import pytest

from tests.world.practice import Practice, until, written

LINES = (
    "Relay /health",
    "Validators",
    "KMS keys",
    "Canton participant",
    "Supply on Ethereum",
    "Supply on Canton",
    "Reserve ratio",
    "smUSD share price",
    "Could we pause now",
    "BorrowModule",
    "SMUSD",
    "DirectMintV2",
    "BLEBridgeV9",
    "Oracle price",
    "Ethereum block",
)


def board(practice: Practice, channel: str = "musd-infra") -> str:
    """Ask for the status, wait until every line is there; its text."""
    before = {message["ts"] for message in practice.messages(channel)}
    answer = practice.command("responder-1", "status", channel)
    assert answer["ok"]
    assert answer["acked_ms"] < 1000

    def filled() -> str | None:
        fresh = [written(m) for m in practice.messages(channel) if m["ts"] not in before]
        return next((text for text in fresh if all(line in text for line in LINES) and "asking" not in text), None)

    return until(filled, 15)


@pytest.mark.alone
def test_every_line_is_filled_in_within_five_seconds(practice: Practice) -> None:
    began = time.monotonic()

    board(practice)

    assert time.monotonic() - began < 5


def test_every_line_says_its_state_in_words(practice: Practice) -> None:
    text = board(practice)

    assert text.count("OK") >= len(LINES)
    assert "UNKNOWN" not in text.replace("UNKNOWN is", "")


def test_a_source_that_hangs_is_unknown_and_delays_nothing_else(practice: Practice) -> None:
    practice.break_("cluster", "api-slow", seconds=60)
    channel = "musd-infra"
    before = {message["ts"] for message in practice.messages(channel)}
    practice.command("responder-1", "status", channel)

    def the_others() -> bool:
        texts = [written(m) for m in practice.messages(channel) if m["ts"] not in before]
        return any("Ethereum block" in text and "running" in text for text in texts)

    until(the_others, 8)
    text = until(
        lambda: next(
            (t for m in practice.messages(channel) if m["ts"] not in before and "UNKNOWN" in (t := written(m))), None
        )
    )
    assert "asking" not in text


def test_a_stale_oracle_is_bad_with_its_own_word(practice: Practice) -> None:
    practice.break_("chain", "oracle-stale")

    assert "StalePrice" in board(practice)


def test_it_is_summed_up_by_runbook(practice: Practice) -> None:
    practice.break_("world", "reserve-ratio", percent="94.1")

    text = board(practice)

    assert "Reserve Ratio Below Threshold: BAD" in text
    assert "Supply Cap Breach: OK" in text


def test_help_lists_the_commands(practice: Practice) -> None:
    practice.command("responder-1", "help", "musd-alerts")

    text = until(lambda: told(practice, "responder-1", "/musd status"))

    assert "/musd pause" in text


def test_a_mistyped_command_is_answered_with_the_likely_one(practice: Practice) -> None:
    practice.command("responder-1", "stauts", "musd-alerts")

    assert until(lambda: told(practice, "responder-1", "Did you mean `/musd status`"))


def test_somebody_without_a_role_gets_the_reason_and_nothing_else(practice: Practice) -> None:
    before = len(practice.messages("musd-alerts", "responder-1"))

    assert practice.command("outsider", "status")["ok"]

    assert until(lambda: told(practice, "outsider", "no role"))
    assert len(practice.messages("musd-alerts", "responder-1")) == before


def told(practice: Practice, user: str, words: str) -> str | None:
    """What only this person was told, if it holds these words."""
    own = [written(message) for message in practice.messages("musd-alerts", user) if message["ephemeral_to"]]
    return next((text for text in own if words in text), None)
