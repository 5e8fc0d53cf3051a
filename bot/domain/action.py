"""Actions: frozen descriptions of a change to the world, each with its Policy. The register of their kinds.

The store holds an Action as its kind and its JSON; `load` is the way back. A class without a kind and a Policy of its
own is refused when it is defined, so that an Action nobody thought about can't exist.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from bot.domain.policy import Policy, Role
from bot.domain.probe import State
from bot.errors import RefusedError

__all__ = [
    "Action",
    "Offer",
    "Outcome",
    "Plan",
    "PlanStep",
    "Policy",
    "Receipt",
    "Role",
    "StepResult",
    "load",
]


class Action(BaseModel):
    """A change somebody may want. Says what, never how, and never by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    policy: ClassVar[Policy]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the class in the register; refuse one without a kind or a policy row of its own."""
        super().__init_subclass__(**kwargs)
        for name in ("kind", "policy"):
            if name not in cls.__dict__:
                raise TypeError(f"{cls.__name__} is an Action without a {name} of its own; it is refused")
        if cls.kind in _KINDS:
            raise TypeError(f"{cls.__name__}: the kind {cls.kind!r} belongs to {_KINDS[cls.kind].__name__}")
        _KINDS[cls.kind] = cls

    @property
    def title(self) -> str:
        """What it does, for people, in the imperative."""
        raise NotImplementedError

    @property
    def typed(self) -> str:
        """What whoever approves it has to type, such as a database's name; empty where a press is enough."""
        return ""

    @property
    def rotates(self) -> str:
        """The key it puts another one in the place of, by the bot's word for it; empty where it rotates none."""
        return ""

    def dump(self) -> dict[str, Any]:
        """Kind and JSON: how the store and the engine hold it."""
        return {"kind": self.kind, "fields": self.model_dump(mode="json")}


_KINDS: dict[str, type[Action]] = {}


def load(stored: Mapping[str, Any]) -> Action:
    """The Action that `dump` described.

    Raises:
        RefusedError: a kind nobody knows, as after going back to an older version of the bot.
    """
    kind = _KINDS.get(str(stored.get("kind")))
    if kind is None:
        raise RefusedError(
            f"The action {stored.get('kind')!r} is not known to this version of the bot.",
            means="It is not run.",
            next_step="Run the version that proposed it, or propose it again.",
        )
    return kind.model_validate(stored["fields"])


class PlanStep(BaseModel):
    """One thing a plan will do, and what a dry run said about it."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The contract's, deployment's or database's name."""
    target: str
    """Its address or path."""
    call: str
    stops: str
    """What stops working, or changes, for users."""
    simulation: State
    """OK: the dry run succeeded. BAD: it failed. UNKNOWN: nobody answered."""
    simulated: str
    """The dry run in words."""
    already: bool = False
    """Whether it is so already, so that the step is skipped as success."""


class Plan(BaseModel):
    """An Action worked out: what would be sent, where, by whom, and what a dry run says."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[PlanStep, ...]
    signer: str = ""
    chain_id: int | None = None
    stays_open: tuple[str, ...] = ()
    """What this does *not* stop, in words."""
    cautions: tuple[str, ...] = ()
    binding: Mapping[str, Any]
    """What people approve: plain JSON. Anything that isn't in here may change without a new vote."""

    def digest(self, policy: Policy) -> str:
        """SHA-256, in hex, of the binding part and the policy it was proposed under."""
        text = json.dumps([self.binding, policy.model_dump(mode="json")], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class Outcome(StrEnum):
    """How one step of an execution ended.

    UNKNOWN: sent, its end not seen. HANDED: people have to send it. NOT_BEGUN: the one before it stopped it.
    """

    DONE = "done"
    SKIPPED = "skipped"
    HANDED = "handed over"
    FAILED = "failed"
    NOT_BEGUN = "not begun"
    UNKNOWN = "outcome unknown"


class StepResult(BaseModel):
    """One line of a Receipt."""

    model_config = ConfigDict(frozen=True)

    name: str
    outcome: Outcome
    text: str
    """What happened, for people."""
    evidence: Mapping[str, Any] = {}
    """Transaction hash, block, what was read back."""


class Receipt(BaseModel):
    """What executing an Approval did, step by step."""

    model_config = ConfigDict(frozen=True)

    steps: tuple[StepResult, ...]
    finished_at: datetime
    notes: tuple[str, ...] = ()
    """What went differently than it should, though the steps ended as they did; and what is still awaited."""

    @property
    def complete(self) -> bool:
        """Whether everything is as the plan wanted it."""
        return all(step.outcome in {Outcome.DONE, Outcome.SKIPPED} for step in self.steps)


@dataclass(frozen=True)
class Offer:
    """An Action a message offers as a button. The button carries the offer's id and nothing else."""

    id: str
    action: Action
    incident_id: str | None

    @classmethod
    def of(cls, action: Action, incident_id: str | None) -> "Offer":
        """The offer of this action on this incident: the same two make the same id, so making it twice is once."""
        text = json.dumps([incident_id, action.dump()], sort_keys=True)
        return cls(hashlib.sha256(text.encode()).hexdigest()[:24], action, incident_id)
