"""Readings kept over time: written by the bot itself, read back from its table or from Prometheus."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.series import Sample, Series


class History(Protocol):
    """Where the pictures come from."""

    async def series(self, one: Series, since: timedelta) -> Sequence[Sample]:
        """A reading's samples of that time, oldest first."""


class Samples(History, Protocol):
    """The bot's own table of them. It holds two days and no more."""

    async def keep_samples(self, at: datetime, values: Mapping[Series, float]) -> None:
        """Keep what was read at one moment; what is too old goes."""
