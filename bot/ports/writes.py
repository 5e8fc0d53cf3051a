"""Write ports: what carrying out an Action is handed. Nothing in here is ever handed to a probe."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.domain.action import Action, Plan, Receipt
from bot.domain.approval import Approval
from bot.domain.handover import Handover
from bot.domain.probe import State
from bot.ports.database import Progress
from bot.ports.infra import Infrastructure
from bot.ports.ledger import LedgerWrites
from bot.ports.public import Publishing

T = TypeVar("T")


class Call(BaseModel):
    """One contract call, ready to be simulated or signed."""

    model_config = ConfigDict(frozen=True)

    contract: str
    """The setting's name."""
    address: str
    signature: str
    """Such as ``pause()``."""
    calldata: str
    """0x-prefixed hex."""


@dataclass(frozen=True)
class Simulation:
    """A dry run of one call from the signer's address."""

    state: State
    text: str
    paused: bool | None
    """What the contract's `paused()` says now; None where nobody answered."""


class SignedTransaction(BaseModel):
    """A signed transaction. Its bytes are public: broadcasting them twice does nothing twice."""

    model_config = ConfigDict(frozen=True)

    contract: str
    address: str
    nonce: int
    hash: str
    raw: str
    generation: int = 0
    """0 for what was signed first; one more each time an execution has to sign again."""


class Mined(BaseModel):
    """A transaction's receipt on chain."""

    model_config = ConfigDict(frozen=True)

    hash: str
    block: int
    succeeded: bool
    reason: str = ""
    """Why it reverted, decoded, where it did."""


@dataclass(frozen=True)
class Look:
    """What the RPCs say, at one moment, of transactions that were sent."""

    mined: Mapping[str, Mined]
    """Those that have a receipt at any RPC, by hash."""
    used: int
    """Nonces of the key below this are used up, by the RPC that is furthest ahead."""
    block: int
    """The newest block any RPC knows."""
    final: int
    """Blocks up to this one can't be replaced any more: the finalized one, or one deep enough."""
    base_fee: int
    """Of the newest block, in wei per gas."""
    priced_out: frozenset[str]
    """Hashes of those that offer less than the newest block's base fee."""
    silent: tuple[str, ...]
    """RPCs that did not answer or are not believed, each with its reason."""


@dataclass(frozen=True)
class Readings:
    """What each RPC says of one contract's `paused()`, by the RPCs' names."""

    paused: tuple[str, ...]
    running: tuple[str, ...]
    silent: tuple[str, ...]
    """Those without an answer, each with its reason."""

    @property
    def wanted(self) -> int:
        """How many have to say "paused" before that is believed: two where there are two."""
        return min(2, len(self.paused) + len(self.running) + len(self.silent))

    @property
    def confirmed(self) -> bool:
        """Whether enough RPCs say that it is paused."""
        return len(self.paused) >= self.wanted > 0


class SendingChain(Protocol):
    """Ethereum with a key of the bot's. The key never leaves the signer behind it."""

    @property
    def chain_id(self) -> int:
        """Pinned by configuration; part of every signature."""

    @property
    def signer(self) -> str:
        """The key's address."""

    async def simulate(self, calls: Sequence[Call]) -> Sequence[Simulation]:
        """Dry-run each call by itself. Never raises: no answer is UNKNOWN."""

    async def paused(self, contract: str) -> bool:
        """The contract's `paused()` now."""

    async def readings(self, contracts: Sequence[str], within: float | None = None) -> Mapping[str, Readings]:
        """Each contract's `paused()` from every RPC, by contract. Never raises; waits `within` seconds at most."""

    async def sign(self, calls: Sequence[Call]) -> Sequence[SignedTransaction]:
        """Sign all, in order, with consecutive nonces from the pending one; fees explicit. Sends nothing."""

    async def replace(self, waiting: Sequence[SignedTransaction], used: int) -> Sequence[SignedTransaction]:
        """Sign what waits again with the same nonces, lowest first, both fees raised by an eighth at least.

        Nonces from `used` up to the first of these are filled with empty transactions to the key itself: whatever
        else waits there, or the gap, holds ours up. What can't be raised without passing the cap is left out.
        """

    async def broadcast(self, transactions: Sequence[SignedTransaction]) -> Sequence[str]:
        """Send the same bytes to every RPC at once, in order. Already known or mined is success.

        Returns what was refused, in words; nothing where every RPC took everything.

        Raises:
            UnavailableError: not one RPC took them.
        """

    async def look(self, transactions: Sequence[SignedTransaction]) -> Look:
        """What has become of them.

        Raises:
            UnavailableError: no RPC answered.
        """

    async def mined(self, transactions: Sequence[SignedTransaction]) -> Mapping[str, Mined]:
        """Those that have a receipt, by hash."""


class PauseChain(SendingChain, Protocol):
    """Ethereum with the pausing key: what the emergency pause is handed."""

    def call(self, contract: str) -> Call:
        """The configured pause call of a contract."""

    async def check(self) -> None:
        """Raise `UnavailableError` where the key could not sign now, as one that is disabled in KMS."""


class AdminChain(SendingChain, Protocol):
    """Ethereum with the second signer, which may unpause and grant roles: absent unless configured."""

    def call(self, contract: str, signature: str, *arguments: Any) -> Call:
        """Any call of a configured contract, such as ``unpause()`` or ``grantRole(bytes32,address)`` with arguments."""


class ContractViews(Protocol):
    """Contracts as anybody can look at them, and calls of theirs encoded. Sends nothing and holds no key."""

    @property
    def chain_id(self) -> int:
        """Pinned by configuration."""

    def address(self, contract: str) -> str:
        """A contract's configured address; empty where it has none."""

    def encoded(self, contract: str, signature: str, *arguments: Any) -> Call:
        """A call of a configured contract; 32 bytes may be given as 0x-prefixed hex."""

    async def number(self, contract: str, signature: str, *arguments: Any) -> int:
        """The one number that a view answers. Raises `RevertedError` where the contract has no such view."""

    async def dry_run(self, call: Call, sender: str) -> None:
        """Try a call from an address. Raises `RevertedError` with the reason where it would revert."""

    async def now(self) -> datetime:
        """The chain's own clock: its newest block's."""


class SignedTransactions(Protocol):
    """Where signed bytes are kept before they are sent. Fulfilled by the store."""

    async def keep_transactions(
        self, execution_id: str, transactions: Sequence[SignedTransaction]
    ) -> Sequence[SignedTransaction]:
        """Store one generation of signed bytes. If that execution has this generation, it stays and is returned."""

    async def transactions(self, execution_id: str) -> Sequence[SignedTransaction]:
        """All generations of an execution's signed transactions, in order; empty if it hasn't signed."""


async def unseen(_: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Writes:
    """Every write port: what carrying out an Action is handed."""

    signed: SignedTransactions
    pause: PauseChain | None
    """None where no pausing key is configured: the bot can only hand over."""
    admin: AdminChain | None = None
    """The second signer, for unpausing and roles. None, the default: those are handed over."""
    progress: Progress = unseen
    """Tells the people who wait how far it is, in one sentence. It never raises, and it may be lost."""
    views: ContractViews | None = None
    """What shows whether a call has happened, whoever sent it."""
    infra: Infrastructure | None = None
    """The cluster. None where no write credential is configured: the bot can only name the commands."""
    ledger: LedgerWrites | None = None
    """Canton's ledger. None where no participant is configured."""
    public: Publishing | None = None
    """Where the world is told."""


class Journal(Protocol):
    """Durable steps of one execution: a step that finished is not run again after a crash, its result is remembered."""

    @property
    def id(self) -> str:
        """The execution's id, stable over restarts."""

    async def step(self, name: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
        """Run `work`, or return what it returned before the crash. `work` may run twice: its effect must not double."""

    async def sleep(self, seconds: float) -> None:
        """Wait, durably."""


@dataclass(frozen=True)
class How:
    """How one kind of Action is worked out and carried out. The Action itself says only what."""

    kind: type[Action]
    binding: Callable[[Action, Writes], Awaitable[Mapping[str, Any]]]
    """The part of the plan that people approve, computed again before the first step."""
    plan: Callable[[Action, Writes], Awaitable[Plan]]
    """The whole plan, simulated."""
    run: Callable[[Approval, Writes, Journal], Awaitable[Receipt]]
    """Takes an Approval and no Action: what runs is what was approved."""
    later: Callable[[Action, str, Receipt, Writes], AsyncIterator[Receipt]] | None = None
    """What becomes known after the Receipt, given the execution's id: each newer Receipt, until nothing can change."""
    handover: Callable[[Action, str, Receipt, Writes], Awaitable[Handover | None]] | None = None
    """What a Receipt handed over, in the forms people send it in, given what it belongs to; None where nothing was."""
    rest: Callable[[Action, Receipt], Action | None] | None = None
    """What would finish what a Receipt left open; None where nothing is open."""
    back: Callable[[Action, Receipt], Action | None] | None = None
    """What would undo what a Receipt did before it stopped; None where nothing was done, or nothing may be undone."""
