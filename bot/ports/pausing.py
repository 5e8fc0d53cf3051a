"""Could the emergency pause be sent right now? Read only: the pausing key's address is all that is known of it here."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.amounts import Amount


@dataclass(frozen=True)
class Flaw:
    """Something that would be in a pause's way."""

    text: str
    mend: str
    """What to do about it now, before an incident."""


@dataclass(frozen=True)
class Readiness:
    """What a look at everything a pause needs has found."""

    signer: str
    """The pausing key's address."""
    contracts: int
    """How many were looked at."""
    balance: Amount
    """The key's, in ether."""
    block: int
    agreeing: tuple[str, ...]
    """The RPCs that answered, by name."""
    flaws: tuple[Flaw, ...]


class PausingReads(Protocol):
    """Everything a pause needs, looked at without sending anything."""

    @property
    def signer(self) -> str:
        """The pausing key's address; empty where this process has not unlocked it."""

    async def readiness(self) -> Readiness:
        """One look, at one moment: one request to each RPC.

        Raises:
            UnavailableError: no RPC answered, or this process does not know the pausing key's address.
        """
