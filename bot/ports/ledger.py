"""The Canton participant: what is read of its ledger, and the one door through which commands go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bot.domain.canton import Answer, Ballot, Command, Governance, PauseState, Proof
from bot.ports.health import Health


@dataclass(frozen=True)
class CantonService:
    """One active service contract on Canton. "Paused" is what each of them says of itself."""

    name: str
    """Its template's, such as ``CantonDirectMintService``."""
    paused: bool
    contract_id: str
    template: str = ""
    """Module:Template, as configured."""


@dataclass(frozen=True)
class CantonPrice:
    """One of Canton's price feeds."""

    symbol: str
    usd: Decimal
    updated_at: datetime
    source: str
    contract_id: str = ""


@dataclass(frozen=True)
class LedgerEnd:
    """The newest thing on the ledger that the participant knows of."""

    offset: int
    at: datetime | None
    """The record time it has seen; None where it does not say."""


class LedgerReads(Protocol):
    """The Canton participant, read only."""

    async def live(self) -> Health:
        """``GET /livez``."""

    async def ready(self) -> Health:
        """``GET /readyz``."""

    async def version(self) -> str:
        """``GET /v2/version``."""

    async def end(self) -> LedgerEnd:
        """``GET /v2/state/ledger-end``."""

    @property
    def wanted_services(self) -> Sequence[str]:
        """Those there should be, as Module:Template (configuration; the runbook's four)."""

    async def services(self) -> Sequence[CantonService]:
        """Every active service contract; two of one name where an older one was left alive."""

    async def prices(self) -> Sequence[CantonPrice]:
        """Every price feed."""

    async def supply(self) -> Decimal:
        """All mUSD held on Canton."""

    async def governance(self) -> Governance:
        """Who decides, and how many of them it takes."""

    async def ballots(self) -> Sequence[Ballot]:
        """Every proposal on the ledger, oldest first."""

    async def proofs(self) -> Sequence[Proof]:
        """Every governance proof that nobody has used up."""

    async def pause_state(self) -> PauseState | None:
        """The votes for an emergency pause without a proposal; None where the deployment has no such contract."""


class LedgerWrites(LedgerReads, Protocol):
    """The Canton participant, with the one guardian party that is the bot's, and the operator's where configured."""

    @property
    def acts_as_operator(self) -> bool:
        """Whether commands in the operator's name can be sent; handed over otherwise."""

    async def guardian(self) -> str:
        """The guardian party that is the bot's.

        Raises:
            RefusedError: it has none, or more than one, which nobody may have.
        """

    async def submit(self, command: Command, command_id: str) -> Answer:
        """Send a command. The same id for the same party again is carried out once, whatever happens.

        Raises:
            RefusedError: the ledger will never take it, with its word for why.
            UnavailableError: it was not taken for a reason that may pass: nobody there, or a right that is missing.
        """
