"""Doing a thing that is safe to do again until the other side is there. Nothing here decides; it only waits."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import stamina

from bot.errors import UnavailableError

T = TypeVar("T")

_LONGEST_WAIT = timedelta(seconds=30)
"""Between two tries. Long enough to be no storm, short enough that nobody waits for it after an outage."""


async def until_available(work: Callable[[], Awaitable[T]], *, within: timedelta | None = None) -> T:
    """Run `work`, again and again while the outside does not answer. Only for what can be repeated without doubling.

    Args:
        work: such as a post with a key, or a page with a dedup key.
        within: give up after this long; for ever when None.

    Raises:
        UnavailableError: the last one, when the time is up; at once where trying again can't help.
    """
    attempts = stamina.retry_context(
        on=_may_pass, attempts=None, timeout=within, wait_initial=0.5, wait_max=_LONGEST_WAIT
    )
    async for attempt in attempts:
        with attempt:
            return await work()
    raise AssertionError("stamina ends in a return or a raise")  # pragma: no cover


def _may_pass(error: Exception) -> bool:
    return isinstance(error, UnavailableError) and not error.lasting
