"""`/musd logs`: errors first, redacted, a long one as a file."""

import pytest

from tests.world.practice import Practice, until, written

CHANNEL = "musd-infra"


def log(practice: Practice, text: str) -> str:
    """What was posted upon the command."""
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    assert practice.command("responder-1", text, CHANNEL)["ok"]
    return until(
        lambda: next(
            (
                said
                for message in practice.messages(CHANNEL)
                if message["ts"] not in known and "Log of" in (said := written(message))
            ),
            None,
        )
    )


def test_errors_come_first(practice: Practice) -> None:
    practice.break_("cluster", "hostile-logs")
    text = log(practice, "logs relay 400")
    assert text.index("*Errors*") < text.index("*The last lines*")


def test_a_planted_secret_is_shown_nowhere(practice: Practice) -> None:
    practice.break_("cluster", "hostile-logs")
    text = log(practice, "logs musd-relay 400")
    assert "redacted" in text
    assert "xoxb-" not in text


def test_a_long_log_comes_as_a_file(practice: Practice) -> None:
    def files() -> list[str]:
        """But for those that an incident of another test collects when it opens."""
        names = [file["name"] for file in practice.get("/person/files")]
        return [name for name in names if name.startswith("musd-relay-") and "opened" not in name]

    before = len(files())
    text = log(practice, "logs relay")
    assert "in the file of this thread" in text
    assert until(lambda: files()[before:])


def test_one_validators_log_is_its_own(practice: Practice) -> None:
    text = log(practice, "logs validator-2 10")
    assert "Log of musd-validator-2" in text
    assert "validator 1 starting" not in text


def test_since_asks_for_a_stretch_of_time(practice: Practice) -> None:
    text = log(practice, "logs participant 2000 --since 1h")
    assert "last 2000 lines, of the last 60 min" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("logs", "Whose log?"),
        ("logs nginx", "nothing called 'nginx'"),
        ("logs relay --since soon", "'soon' is no time"),
        ("logs relay 99999", "99999 lines can't be shown"),
        ("logs relay please", "'please' is neither"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(practice: Practice, text: str, words: str) -> None:
    practice.command("responder-1", text, CHANNEL)
    until(lambda: words in "\n".join(map(written, practice.messages(CHANNEL, "responder-1"))))
