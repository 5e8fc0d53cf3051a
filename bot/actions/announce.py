"""One announcement in one place: a draft that people approve word for word (Emergency Pause, step 3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.action import Action, Outcome, Plan, PlanStep, Receipt, StepResult
from bot.domain.announcement import Announcement, Occasion, Target
from bot.domain.approval import Approval
from bot.domain.policy import ANNOUNCE, Policy
from bot.domain.probe import State
from bot.errors import OutcomeUnknownError, RefusedError, UnavailableError
from bot.ports import How, Journal, Publishing, Writes

_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, *(30.0,) * 28)
"""Seconds between two tries where a place takes nothing now: a quarter of an hour in all."""


class Announce(Action):
    """Publish a text in one place."""

    kind: ClassVar[str] = "announce"
    policy: ClassVar[Policy] = ANNOUNCE

    target: Target
    occasion: Occasion
    text: str = Field(min_length=1, max_length=2500)
    subject: str = ""
    """The id of the Proposal whose execution it tells of."""

    @property
    def title(self) -> str:
        """``Announce the pause on Discord``."""
        return f"Announce the {self.occasion} on {self.target.label}"

    @property
    def announcement(self) -> Announcement:
        """What is published."""
        return Announcement(target=self.target, occasion=self.occasion, text=self.text)


class Attempt(BaseModel):
    """What came of one try. Without an outcome it was not published, and another try can help."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome | None
    text: str
    evidence: Mapping[str, str] = {}


async def _binding(action: Action, writes: Writes) -> Mapping[str, Any]:
    announce, public = _announce(action), _public(action, writes)
    return {**announce.announcement.model_dump(mode="json"), "where": public.where(announce.target)}


async def _plan(action: Action, writes: Writes) -> Plan:
    announce, public = _announce(action), _public(action, writes)
    step = PlanStep(
        name=announce.target.label,
        target=public.where(announce.target),
        call="publish",
        stops=announce.announcement.whole,
        simulation=State.OK,
        simulated="it is configured",
    )
    return Plan(steps=(step,), binding=await _binding(action, writes))


async def _run(approval: Approval, writes: Writes, journal: Journal) -> Receipt:
    announce = _announce(approval.proposal.action)
    attempt = await _try(0, announce, writes, journal)
    for number, wait in enumerate(_WAITS, 1):
        if attempt.outcome is not None:
            break
        await writes.progress(f"Not published yet: {attempt.text} Trying again.")
        await journal.sleep(wait)
        attempt = await _try(number, announce, writes, journal)
    step = StepResult(
        name=announce.target.label,
        outcome=attempt.outcome or Outcome.FAILED,
        text=attempt.text,
        evidence=attempt.evidence,
    )
    return Receipt(steps=(step,), finished_at=await journal.step("finish", _now, datetime))


async def _try(number: int, announce: Announce, writes: Writes, journal: Journal) -> Attempt:
    return await journal.step(f"publish {number}", lambda: _publish(announce, writes, journal.id), Attempt)


async def _publish(announce: Announce, writes: Writes, key: str) -> Attempt:
    if announce.target is Target.X:
        return Attempt(outcome=Outcome.HANDED, text="A person sends it: the filled-in post is linked below.")
    try:
        evidence = await _public(announce, writes).publish(announce.announcement, key)
    except OutcomeUnknownError as error:
        return Attempt(outcome=Outcome.UNKNOWN, text=error.sentences())
    except UnavailableError as error:
        return Attempt(outcome=Outcome.FAILED if error.lasting else None, text=error.sentences())
    return Attempt(outcome=Outcome.DONE, text="published", evidence=evidence)


async def _now() -> datetime:
    return datetime.now(UTC)


def _announce(action: Action) -> Announce:
    if not isinstance(action, Announce):
        raise TypeError(f"{type(action).__name__} is no announcement")
    return action


def _public(action: Action, writes: Writes) -> Publishing:
    target = _announce(action).target
    if writes.public is None or not writes.public.where(target):
        raise RefusedError(
            f"{target.label} is not configured here.", means="Nothing is published there.", next_step="Do it by hand."
        )
    return writes.public


HOW = How(kind=Announce, binding=_binding, plan=_plan, run=_run)
