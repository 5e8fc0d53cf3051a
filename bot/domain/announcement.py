"""Telling people that the protocol is paused, and that it runs again (Emergency Pause, step 3): where, when, and what.

The drafts are the runbook's own words. What is public never begins with an internal reason: whoever wants one in it has
to write it there.
"""

from enum import StrEnum
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict


class Target(StrEnum):
    """Where people are told."""

    SLACK = "slack"
    DISCORD = "discord"
    STATUS_PAGE = "status-page"
    X = "x"

    @property
    def label(self) -> str:
        """Its name."""
        return _LABELS[self]

    @property
    def longest(self) -> int:
        """Characters it takes."""
        return _LONGEST[self]


_LABELS = {Target.SLACK: "Slack", Target.DISCORD: "Discord", Target.STATUS_PAGE: "the status page", Target.X: "X"}
_LONGEST = {Target.SLACK: 2500, Target.DISCORD: 1900, Target.STATUS_PAGE: 2500, Target.X: 280}


class Occasion(StrEnum):
    """What there is to tell."""

    PAUSE = "pause"
    UPDATE = "update"
    ALL_CLEAR = "all-clear"


class Announcement(BaseModel):
    """One text for one place."""

    model_config = ConfigDict(frozen=True)

    target: Target
    occasion: Occasion
    text: str

    @property
    def calls(self) -> str:
        """Whom it wakes there, besides its text; nobody on an occasion that can wait."""
        return _CALLS.get(self.target, "") if self.occasion is Occasion.PAUSE else ""

    @property
    def whole(self) -> str:
        """The text as it is read there."""
        return f"{self.calls} {self.text}" if self.calls else self.text

    @property
    def post_link(self) -> str:
        """For X: the address where a person finds this text filled in, and sends it."""
        return f"https://x.com/intent/post?text={quote(self.text, safe='')}"


_CALLS = {Target.SLACK: "@channel", Target.DISCORD: "@everyone"}


def draft(target: Target, occasion: Occasion, reason: str = "") -> str:
    """The text to begin with.

    Args:
        target: where.
        occasion: what there is to tell.
        reason: the internal one. It stands in the team's own Slack, and nowhere else.
    """
    if target is Target.SLACK and occasion is Occasion.PAUSE:
        return f"EMERGENCY PAUSE ACTIVATED — {' '.join(reason.split()) or 'the incident channel has the reason'}"
    return _DRAFTS[occasion].get(target, _DRAFTS[occasion][Target.X])


_DRAFTS = {
    Occasion.PAUSE: {
        Target.DISCORD: "EMERGENCY PAUSE ACTIVATED — security review",
        Target.STATUS_PAGE: "The protocol is temporarily paused for security review. We will post updates here.",
        Target.X: "Protocol temporarily paused for security review",
    },
    Occasion.UPDATE: {Target.X: "The security review continues. The protocol stays paused."},
    Occasion.ALL_CLEAR: {
        Target.SLACK: "All clear: the emergency pause is over, the protocol runs again.",
        Target.X: "The security review is complete and the protocol is operational again.",
    },
}
