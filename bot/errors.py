"""One error tree. Every error can say what happened, what it means, and what to do next.

::

    BotError
    ├── ConfigurationError     a setting is missing or wrong: the bot does not start
    ├── MalformedError         something from outside could not be read: refused whole, nothing stored
    ├── RefusedError           somebody asked for what they may not have, or no longer can: nothing was done
    │   └── TypeItError        an approval that takes a word or a code typed came without it
    ├── UnavailableError       an outside system did not answer, or not sensibly: nothing is known
    │   └── RevertedError      the chain answered, and the answer was a revert
    └── OutcomeUnknownError    something was sent, its end not seen: settled by looking, never by sending again
"""


class BotError(Exception):
    """The root. `str()` is the one sentence that says what happened."""

    def __init__(self, happened: str, *, means: str = "", next_step: str = "") -> None:
        super().__init__(happened)
        self.happened = happened
        self.means = means
        self.next_step = next_step
        self.on_record = False
        """Whether it stands in the audit log already, written where it was raised."""

    def sentences(self) -> str:
        """All three parts as one text for a person, without the parts nobody filled in."""
        return " ".join(part for part in (self.happened, self.means, self.next_step) if part)


class ConfigurationError(BotError):
    """A setting is missing or wrong. Start-up ends with this text and exit code 2."""


class MalformedError(BotError):
    """A body from outside could not be read."""


class RefusedError(BotError):
    """A person's request is refused. Nothing was changed, and the text says why."""


class TypeItError(RefusedError):
    """This approval takes a word typed, such as the database's name (`word`), or a one-time code (`code`), or both.

    `what` is approved, in words.
    """

    def __init__(
        self,
        happened: str,
        *,
        what: str,
        word: str = "",
        code: bool = False,
        means: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(happened, means=means, next_step=next_step)
        self.what = what
        self.word = word
        self.code = code


class UnavailableError(BotError):
    """An outside system did not answer. Never to be read as "fine" and never as zero."""

    @property
    def lasting(self) -> bool:
        """Whether trying again can't help, as with a deleted channel or a wrong token."""
        return False


class RevertedError(UnavailableError):
    """A contract call reverted.

    `error` is the decoded custom error's name, such as ``StalePrice``, or the raw selector where nothing decodes it.
    """

    def __init__(self, happened: str, *, error: str = "", means: str = "", next_step: str = "") -> None:
        super().__init__(happened, means=means, next_step=next_step)
        self.error = error


class OutcomeUnknownError(BotError):
    """Something was sent and its end was not seen. The text says how to find out."""
