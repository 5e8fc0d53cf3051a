"""The Incident Response Checklist is the runbooks', all eleven items of it, in their order."""

import re
from datetime import UTC, datetime

import pytest

from bot.domain.checklist import CHECKLIST, FIXED, Tick, item, undone

RUNBOOKS = (
    "Identify severity (Critical / High / Medium)",
    "If Critical: Trigger emergency pause",
    "Notify on-call engineer via PagerDuty",
    "Open incident channel in Slack",
    "Collect logs from all affected services",
    "Identify root cause",
    "Deploy fix to staging, verify",
    "Deploy fix to production",
    "Monitor for 1 hour post-fix",
    "Write post-mortem within 48 hours",
    "Update runbooks if needed",
)
"""As the document has them."""


def bare(text: str) -> str:
    """Without what only makes it a sentence."""
    return " ".join(word for word in re.findall(r"[a-z0-9-]+", text.lower()) if word not in {"the", "an"})


def test_the_items_are_the_runbooks_own() -> None:
    assert [bare(one.text) for one in CHECKLIST] == [bare(text) for text in RUNBOOKS]


def test_what_the_bot_can_see_it_ticks_itself() -> None:
    assert {one.key for one in CHECKLIST if one.seen} == {"pause", "page", "channel", "logs", "monitored", "postmortem"}


def test_what_is_ticked_is_not_left() -> None:
    ticks = [Tick(incident_id="i1", item=one.key, at=datetime.now(UTC), actor="bot") for one in CHECKLIST[1:]]

    assert undone(ticks) == [CHECKLIST[0]]


@pytest.mark.parametrize(("key", "text"), [(FIXED, "Deploy the fix to production"), ("dance", None)])
def test_an_item_goes_by_its_key(key: str, text: str | None) -> None:
    found = item(key)

    assert (found.text if found else None) == text
