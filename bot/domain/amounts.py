"""Token amounts: value and decimals travel together. Raw 6-decimal reserves over 18-decimal supply is off by 10¹²."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

_PRECISION = 100
"""Digits enough for any uint256 divided by any other, to four places and far beyond."""


@dataclass(frozen=True)
class Amount:
    """A token amount as the chain holds it: an integer `value` in units of 10**-`decimals`."""

    value: int
    decimals: int

    @property
    def exact(self) -> Decimal:
        """The amount in whole tokens, without rounding."""
        with localcontext(prec=_PRECISION):
            return Decimal(self.value).scaleb(-self.decimals)

    def over(self, other: "Amount") -> Decimal:
        """This amount as a fraction of another, each scaled by its own decimals.

        Raises:
            ZeroDivisionError: the other is zero; the caller knows what that means, this type doesn't.
        """
        with localcontext(prec=_PRECISION):
            return self.exact / other.exact

    def text(self, places: int = 2) -> str:
        """For people: grouped digits, rounded to `places`."""
        return f"{self.exact:,.{places}f}"
