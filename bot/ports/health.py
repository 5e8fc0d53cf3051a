"""What a health endpoint says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """An HTTP health endpoint's answer. Any status is an answer; no answer is `UnavailableError`."""

    status: int
    body: str
