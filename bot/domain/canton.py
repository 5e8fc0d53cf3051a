"""Canton's governance as data: what is on the ledger, and what the bot puts to its guardians.

A *motion* is what the bot asks Canton's guardians for. On the ledger it is a `MultiSigProposal`; the word keeps it
apart from a Proposal in Slack. Its payload names its one purpose: the proof it ends in is good for nothing else.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

SERVICES = (
    "CantonDirectMint:CantonDirectMintService",
    "CantonLending:CantonLendingService",
    "CantonSMUSD:CantonStakingService",
    "CantonBoostPool:CantonBoostPoolService",
)
"""The services that the emergency pause stops, as Module:Template (Emergency Pause, step 2)."""
COUNTERPARTS: Mapping[str, str] = {
    "DIRECT_MINT": "CantonDirectMintService",
    "BORROW_MODULE": "CantonLendingService",
    "SMUSD": "CantonStakingService",
}
"""Which service does on Canton what a contract does on Ethereum, by the contract's setting name."""
LENDING = "CantonLending"
"""The module whose proofs the price feeds take for an emergency update."""
LARGEST_MOVE = Decimal("0.5")
"""`PriceFeed_Update` refuses a price that differs by a larger part than this from the one before it."""
EMERGENCY_REST = timedelta(minutes=30)
"""How old a feed's last update must be before `PriceFeed_EmergencyUpdate` is taken."""


class Purpose(StrEnum):
    """The one thing that a motion's proof may be used for."""

    PAUSE = "pause"
    UNPAUSE = "unpause"
    PRICE = "price"
    EMERGENCY_PRICE = "emergency-price"
    SUPPLY_CAP = "supply-cap"
    BURN = "burn"


ACTION_TYPES: Mapping[Purpose, str] = {
    Purpose.PAUSE: "EmergencyPause",
    Purpose.UNPAUSE: "EmergencyPause",
    Purpose.PRICE: "ParameterUpdate",
    Purpose.EMERGENCY_PRICE: "EmergencyPause",
    Purpose.SUPPLY_CAP: "SupplyCapChange",
    Purpose.BURN: "SupplyCapChange",
}
"""`MultiSigProposal.actionType` by purpose."""


def short(template: str) -> str:
    """``CantonLendingService`` of ``CantonLending:CantonLendingService``, with or without a package in front."""
    return template.rpartition(":")[2]


def counterparts(contracts: tuple[str, ...], everything: tuple[str, ...], services: tuple[str, ...]) -> tuple[str, ...]:
    """The services that go with a pause of these contracts: all of them where it is the whole emergency pause."""
    if set(everything) <= set(contracts):
        return services
    wanted = {COUNTERPARTS[contract] for contract in contracts if contract in COUNTERPARTS}
    return tuple(one for one in services if short(one) in wanted)


class Motion(BaseModel):
    """What Canton's guardians are asked for. Frozen: what they vote on is exactly this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: Purpose
    services: tuple[str, ...] = ()
    """Module:Template of each service that is to be paused or to run again."""
    symbol: str = ""
    """Of a price feed, such as ``CTN``."""
    price: Decimal | None = None
    """The new one, in US dollars."""
    amount: Decimal | None = None
    """mUSD: the new supply cap, or how much is to be burnt."""
    source: str = ""
    """Where a new price comes from, in words."""

    @property
    def action_type(self) -> str:
        """As the ledger calls it."""
        return ACTION_TYPES[self.purpose]

    @property
    def target_module(self) -> str:
        """What it is about. Never the bare ``CantonLending`` but for an emergency price: no other proof fits a feed."""
        if self.services:
            return ",".join(self.services)
        if self.purpose is Purpose.EMERGENCY_PRICE:
            return LENDING
        return "CantonPriceFeed" if self.purpose is Purpose.PRICE else "CantonDirectMint"

    @property
    def title(self) -> str:
        """What it does, in the imperative."""
        names = ", ".join(short(one) for one in self.services)
        names = names if len(self.services) <= _NAMED else f"{len(self.services)} services"
        words = {
            Purpose.PAUSE: f"Pause {names} on Canton",
            Purpose.UNPAUSE: f"Unpause {names} on Canton",
            Purpose.PRICE: f"Set Canton's {self.symbol} price to {self.price} USD",
            Purpose.EMERGENCY_PRICE: f"Override Canton's {self.symbol} price with {self.price} USD",
            Purpose.SUPPLY_CAP: f"Set Canton's supply cap to {_mUSD(self.amount)}",
            Purpose.BURN: f"Burn {_mUSD(self.amount)} on Canton",
        }
        return words[self.purpose]

    def payload(self, key: str) -> str:
        """The JSON that the guardians sign: the purpose, all that belongs to it, and the proposal's own id."""
        said = self.model_dump(mode="json", exclude_defaults=True) | {"purpose": self.purpose.value, "id": key}
        return json.dumps(said, sort_keys=True, separators=(",", ":"))

    def payload_hash(self, key: str) -> str:
        """SHA-256 of the payload, in hex."""
        return hashlib.sha256(self.payload(key).encode()).hexdigest()

    def covers(self, other: "Motion") -> bool:
        """Whether passing this one also gives what the other asks for: a pause of more services."""
        return self.purpose is other.purpose and set(other.services) <= set(self.services)


_NAMED = 2
"""More services than this are counted in a title; the plan and the receipt name each of them."""


def _mUSD(amount: Decimal | None) -> str:  # noqa: N802 - the token's name
    return f"{amount or 0:,.2f} mUSD"


class Governance(BaseModel):
    """`GovernanceConfig`: who decides on Canton, and how many of them."""

    model_config = ConfigDict(frozen=True)

    operator: str
    governors: tuple[str, ...]
    standard: int
    elevated: int
    """Approvals that an ordinary and an elevated action type take."""
    timelock: timedelta
    """Between the last approval and the execution."""
    expiry: timedelta

    def threshold(self, action_type: str) -> int:
        """How many approvals this action type takes."""
        return (
            self.elevated if action_type in {"EmergencyPause", "ContractUpgrade", "GovernorChange"} else self.standard
        )


class Ballot(BaseModel):
    """A `MultiSigProposal` as it is now. Each vote makes a new contract of it, with another id."""

    model_config = ConfigDict(frozen=True)

    contract_id: str
    key: str
    """`proposalId`."""
    proposer: str
    governors: tuple[str, ...]
    action_type: str
    description: str
    target_module: str
    payload: str
    payload_hash: str
    required: int
    approvals: tuple[str, ...]
    rejections: tuple[str, ...]
    proposed_at: datetime
    expires_at: datetime
    timelock_ends_at: datetime | None
    status: str
    """``Pending``, ``Approved`` or ``Rejected``."""

    @property
    def motion(self) -> Motion | None:
        """The motion in its payload, where it is one of a bot like this and honest."""
        return read_motion(self.payload, self.payload_hash, self.key)


class Proof(BaseModel):
    """A `GovernanceActionLog`: what an executed proposal leaves, good once."""

    model_config = ConfigDict(frozen=True)

    contract_id: str
    key: str
    action_type: str
    target_module: str
    payload: str
    payload_hash: str
    executed_at: datetime

    def proves(self, motion: Motion, key: str) -> bool:
        """Whether it is the proof of exactly this motion, and so of its one purpose."""
        return self.key == key and self.payload_hash == motion.payload_hash(key)


class PauseState(BaseModel):
    """`EmergencyPauseState`. It says what guardians voted; no service looks at it."""

    model_config = ConfigDict(frozen=True)

    contract_id: str
    paused: bool
    guardians: tuple[str, ...]
    votes: tuple[str, ...]
    threshold: int
    updated_at: datetime


class Party(StrEnum):
    """In whose name a command is sent."""

    GUARDIAN = "guardian"
    OPERATOR = "operator"


class Command(BaseModel):
    """One command for the ledger, complete but for who sends it under which id."""

    model_config = ConfigDict(frozen=True)

    by: Party
    template: str
    """Module:Template."""
    contract_id: str = ""
    """Empty where a contract is created."""
    choice: str = ""
    argument: Mapping[str, Any]
    """The choice's argument, or the new contract's."""

    @property
    def spelt(self) -> str:
        """For people: ``Proposal_Approve`` or ``create MultiSigProposal``."""
        return self.choice or f"create {short(self.template)}"


class Answer(StrEnum):
    """What became of a command that was not refused for good."""

    DONE = "done"
    CONTENDED = "contended"
    """Somebody else was first: nothing happened; what it is about has to be queried again."""
    DUPLICATE = "duplicate"
    """The ledger has carried out a command of this id before: look."""
    LOST = "lost"
    """No answer, or none that is definite: look."""


def read_motion(payload: str, payload_hash: str, key: str) -> Motion | None:
    """The motion of a payload; None for a payload of another kind, or one that its hash or id does not fit."""
    try:
        said = json.loads(payload)
        if said.pop("id") != key:
            return None
        motion = Motion.model_validate(said)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return motion if motion.payload_hash(key) == payload_hash else None
