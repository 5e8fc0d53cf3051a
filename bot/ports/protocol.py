"""The protocol as its own contracts tell it: Ethereum, read only. Contracts go by their setting's name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bot.domain.amounts import Amount


@dataclass(frozen=True)
class Block:
    """A block's header, as far as the bot looks at it."""

    number: int
    at: datetime
    hash: str


@dataclass(frozen=True)
class Price:
    """An oracle's price of one token in USD, and when it was set."""

    price: Amount
    updated_at: datetime | None
    """None where the oracle has no way to ask."""
    read: str
    """Which of the configured candidates answered, such as ``getLatestPrice(address)``."""


class ChainReads(Protocol):
    """Ethereum, read only. Contracts go by their setting's name, such as ``BORROW_MODULE``."""

    async def head(self) -> Block:
        """The newest block any configured RPC knows."""

    async def paused(self, contract: str) -> bool:
        """The contract's `paused()`, from the first RPC that answers."""

    async def price(self) -> Price:
        """The collateral's oracle price. Raises `RevertedError` where the oracle refuses, as when it is stale."""


@dataclass(frozen=True)
class Strategy:
    """One of the Treasury's strategies, in its own report's words."""

    address: str
    name: str
    value: Amount
    pending_yield: Amount | None
    """None where the deployment's report does not tell."""
    reported_loss: Amount | None
    answers: bool
    """False where reading its value reverts: it then counts as nothing in the reserves."""


@dataclass(frozen=True)
class Reserves:
    """Reserves and supply, both read at one block, each with its own decimals."""

    reserves: Amount
    supply: Amount
    block: int
    at: datetime
    read: str
    """Which of the candidates answered, such as ``totalAssets()``."""


@dataclass(frozen=True)
class Supply:
    """mUSD on Ethereum and its cap."""

    supply: Amount
    cap: Amount
    """All mUSD there may be, on Ethereum and Canton together."""
    local_cap: Amount | None
    """The part of it that may be on this chain; None where the deployment has no such limit."""
    block: int
    read: str


@dataclass(frozen=True)
class Minted:
    """One minting transaction."""

    path: str
    """``DirectMint``, ``Lending``, ``Bridge``, or ``unknown`` where none of these contracts took part."""
    amount: Amount
    transaction: str


@dataclass(frozen=True)
class SharePrice:
    """What one whole share was worth at a block: `convertToAssets(10 ** decimals())`."""

    price: Amount
    shares: Amount
    block: int
    at: datetime


@dataclass(frozen=True)
class Flow:
    """mUSD that came into the vault (positive) or left it, other than by deposits and withdrawals; newest last."""

    kind: str
    """``yield``, ``loss`` (reported), or ``unexplained``: no event of the vault goes with it."""
    amount: Decimal
    transaction: str
    block: int


@dataclass(frozen=True)
class OraclePrice:
    """The oracle's last price, whatever its age."""

    price: Amount
    updated_at: datetime
    max_age: timedelta | None
    """After which the oracle refuses it; None where it does not tell."""


class ProtocolReads(Protocol):
    """The protocol's books on Ethereum, read only."""

    async def reserves(self, ago: timedelta = timedelta(0)) -> Reserves:
        """Reserves and supply at one block: the newest, or the one of that long ago."""

    async def strategies(self) -> Sequence[Strategy]:
        """The Treasury's strategies."""

    async def supply(self) -> Supply:
        """Supply and caps at the newest block."""

    async def mints(self, since: timedelta) -> Sequence[Minted]:
        """Who minted, oldest first."""

    async def share_price(self, ago: timedelta = timedelta(0)) -> SharePrice:
        """What a share is worth, or was that long ago."""

    async def vault_flows(self, since: timedelta) -> Sequence[Flow]:
        """What changed the vault's assets beside deposits and withdrawals, oldest first."""

    async def liquidations(self, since: timedelta) -> Sequence[datetime]:
        """When positions were liquidated, oldest first."""

    async def oracle_price(self) -> OraclePrice:
        """The collateral's last price."""

    async def oracle_moves(self, since: timedelta) -> Sequence[Amount]:
        """The prices that were written, oldest first."""

    async def bridge_signers(self) -> Sequence[tuple[str, str]]:
        """The relayer first, then the validators, as ``(name, address)``: whom the bridge knows."""

    async def gas_price(self) -> Amount:
        """The present base fee, in gwei (9 decimals)."""
