"""One step on the ledger: look, send, look again. Only what the ledger shows afterwards counts as done.

The command's id comes from the step and is the same after a crash, so the ledger itself carries it out once. A lost
answer, a `DUPLICATE_COMMAND` and a refusal are all settled by looking; a contract that somebody else used up first is
queried anew, since its id has changed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.action import Outcome, StepResult
from bot.domain.canton import Answer, Command, Party
from bot.errors import RefusedError, UnavailableError
from bot.ports import LedgerWrites

_ROUNDS = 12
"""Looks at the ledger before the outcome is called unknown."""
_AGAIN = 0.4
"""Seconds between them, growing."""


@dataclass(frozen=True)
class Seen:
    """What the ledger says about a step right now. Exactly one of the three says something."""

    done: str = ""
    """What shows that it has happened."""
    command: Command | None = None
    """What to send for it."""
    blocked: str = ""
    """Why it can't be done."""


@dataclass(frozen=True)
class Step:
    """Something to be done on the ledger."""

    name: str
    """For people."""
    id: str
    """Derived from the action, the same after a crash: the command's id, together with the party that sends it."""
    look: Callable[[], Awaitable[Seen]]
    """A fresh query."""
    stubborn: str = ""
    """What it means if the command was taken and the ledger still says otherwise; empty where looking again helps."""


async def send(ledger: LedgerWrites, step: Step) -> StepResult:
    """Do it, or say why not. Never raises but for a bug."""
    sent, said = False, "it was not seen to happen"
    for number in range(_ROUNDS):
        if number:
            await asyncio.sleep(_AGAIN * number)
        try:
            seen = await step.look()
            if seen.command is None:
                return _settled(step, seen, sent=sent)
            if sent and step.stubborn:
                return StepResult(name=step.name, outcome=Outcome.FAILED, text=step.stubborn)
            if seen.command.by is Party.OPERATOR and not ledger.acts_as_operator:
                return handed(step.name, seen.command)
            answer = await ledger.submit(seen.command, f"{step.id}:{seen.command.by}")
        except RefusedError as refusal:
            return await _refused(step, refusal, sent=sent)
        except UnavailableError as error:
            said = error.sentences()
            continue
        said = _words(answer)
        sent = sent or answer is not Answer.CONTENDED
    outcome = Outcome.UNKNOWN if sent else Outcome.FAILED
    return StepResult(name=step.name, outcome=outcome, text=f"{'sent, but ' if sent else 'NOT DONE: '}{said}")


def handed(name: str, command: Command) -> StepResult:
    """A command that people have to send in the operator's name."""
    argument = json.dumps(dict(command.argument), sort_keys=True)
    evidence = {
        "template": command.template,
        "contract": command.contract_id,
        "choice": command.spelt,
        "argument": argument,
    }
    text = f"handed over: the bot may not act as Canton's operator (MUSD_LEDGER_OPERATOR_TOKEN). Submit {command.spelt}"
    return StepResult(name=name, outcome=Outcome.HANDED, text=text, evidence=evidence)


def _settled(step: Step, seen: Seen, *, sent: bool) -> StepResult:
    if seen.blocked:
        return StepResult(name=step.name, outcome=Outcome.FAILED, text=seen.blocked)
    if sent:
        return StepResult(name=step.name, outcome=Outcome.DONE, text=seen.done)
    return StepResult(name=step.name, outcome=Outcome.SKIPPED, text=f"{seen.done}: was so already; nothing sent")


async def _refused(step: Step, refusal: RefusedError, *, sent: bool) -> StepResult:
    """Perhaps because it has happened already: the ledger itself is asked, not its refusal."""
    try:
        seen = await step.look()
    except (RefusedError, UnavailableError):
        seen = Seen(blocked=refusal.sentences())
    if seen.done:
        return _settled(step, seen, sent=sent)
    return StepResult(name=step.name, outcome=Outcome.FAILED, text=seen.blocked or f"NOT DONE: {refusal.sentences()}")


def _words(answer: Answer) -> str:
    return {
        Answer.DONE: "the ledger took it, and does not show it yet",
        Answer.CONTENDED: "others were faster every time, and the contract changed under it",
        Answer.DUPLICATE: "the ledger says it was carried out before, and does not show it",
        Answer.LOST: "its answer was lost, and the ledger does not show it",
    }[answer]
