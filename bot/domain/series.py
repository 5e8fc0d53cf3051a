"""Readings over time: what is sampled, in which unit, and the thresholds that the runbooks draw across it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Series(StrEnum):
    """One reading that is kept. Its value names the metric: ``musd_`` and this."""

    RESERVE_RATIO = "reserve_ratio_percent"
    SHARE_PRICE = "share_price_musd"
    ORACLE_PRICE = "oracle_price_usd"
    ORACLE_AGE = "oracle_age_minutes"
    SUPPLY = "supply_million"
    CAP = "supply_cap_million"
    LIQUIDATIONS = "liquidations_10m"


@dataclass(frozen=True)
class Sample:
    """What was read, and when."""

    at: datetime
    value: float


@dataclass(frozen=True)
class Threshold:
    """A line across a picture: from there on something has to be done."""

    label: str
    value: float


@dataclass(frozen=True)
class Panel:
    """One picture: a reading over the last 24 hours."""

    title: str
    unit: str
    places: int
    samples: Sequence[Sample]
    thresholds: Sequence[Threshold] = ()

    @property
    def said(self) -> str:
        """The same in words, for those who can't see it."""
        if not self.samples:
            return f"{self.title}: no samples yet."
        values = [one.value for one in self.samples]
        lines = "".join(f", {one.label} at {one.value:,.{self.places}f}" for one in self.thresholds)
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.title}: {values[-1]:,.{self.places}f}{unit} now, between {min(values):,.{self.places}f} and "
            f"{max(values):,.{self.places}f} in 24 hours{lines}."
        )
