"""What Slack says when it refuses: an error name in a 200 answer, sometimes with more beside it."""

from typing import Any


class SlackError(Exception):
    """A Web API call refused, as ``{"ok": false, "error": …}``.

    `beside` holds further keys of the answer, such as ``needed`` and ``provided``.
    """

    def __init__(self, error: str, *, status: int = 200, headers: dict[str, str] | None = None, **beside: Any) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.beside = beside

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"ok": False, "error": self.error, **self.beside}


def invalid_arguments(*messages: str, error: str = "invalid_arguments") -> SlackError:
    """The refusal of malformed input, each fault explained in ``response_metadata.messages``."""
    return SlackError(error, response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


class DoorError(Exception):
    """A person asked for something Slack's client would not let them do; the door answers ``{"ok": false, …}``."""

    def __init__(self, error: str, **beside: Any) -> None:
        super().__init__(error)
        self.error = error
        self.beside = beside

    def as_json(self) -> dict[str, Any]:
        """The body of the door's answer."""
        return {"ok": False, "error": self.error, **self.beside}
