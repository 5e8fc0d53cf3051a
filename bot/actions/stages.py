"""Guided procedures: named steps one after another. The first that is not done ends it, and says what is left."""

from collections.abc import Awaitable, Callable, Sequence

from bot.domain.action import Outcome, StepResult
from bot.errors import BotError, OutcomeUnknownError
from bot.ports import Journal

Stage = tuple[str, Callable[[], Awaitable[StepResult]]]
ENDED_WELL = frozenset({Outcome.DONE, Outcome.SKIPPED})


async def through(stages: Sequence[Stage]) -> list[StepResult]:
    """Each stage's result under its name; those behind one that is not done are not begun."""
    results: list[StepResult] = []
    for place, (name, work) in enumerate(stages):
        try:
            result = await work()
        except BotError as error:
            result = failed(error)
        results.append(result.model_copy(update={"name": name}))
        if result.outcome not in ENDED_WELL:
            return results + [_not_begun(later, result) for later, _ in stages[place + 1 :]]
    return results


async def told(journal: Journal, step: str, work: Callable[[], Awaitable[str]]) -> StepResult:
    """One durable step that ends in a sentence."""
    try:
        text = await journal.step(step, work, str)
    except BotError as error:
        return failed(error)
    return StepResult(name=step, outcome=Outcome.DONE, text=text)


def failed(error: BotError) -> StepResult:
    """A step that did not happen, or of which nobody knows."""
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.FAILED
    return StepResult(name="", outcome=outcome, text=error.sentences())


def _not_begun(name: str, why: StepResult) -> StepResult:
    if why.outcome is Outcome.HANDED:
        return StepResult(name=name, outcome=Outcome.HANDED, text="left until what was handed over is done")
    return StepResult(name=name, outcome=Outcome.NOT_BEGUN, text="the step before it is not done")
