"""`musd-bot pause`: the emergency pause where Slack is not. It shows the plan, asks, and sends."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from bot import logs, settings
from bot.actions.pause import EmergencyPause
from bot.domain.action import Plan, Receipt
from bot.errors import RefusedError
from bot.settings import Settings
from bot.terminal import printing

WORD = "PAUSE"
"""What a person types to send it."""
_NOT_COMPLETE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Why, what, and who says so."""
    parser.add_argument("--reason", required=True, help="why; it is on record")
    parser.add_argument(
        "--only", default="all", help="mints, staking, borrowing, bridge, or contracts such as SMUSD,BLE_BRIDGE"
    )
    parser.add_argument("--as", dest="person", default="", help="your Slack user id, one of MUSD_TERMINAL_PEOPLE")
    parser.add_argument("--alone", action="store_true", help="send from here without the store and the running bot")


def main(arguments: argparse.Namespace) -> int:
    """Plan, ask, send; 0 where everything is paused, 1 where not.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        RefusedError: you may not, or did not type what it takes.
    """
    logs.configure()
    found = settings.read()
    return asyncio.run(_pause(found, arguments))


async def _pause(found: Settings, arguments: argparse.Namespace) -> int:
    from bot.engine import braking  # noqa: PLC0415 - web3 and friends take a second to import
    from bot.wiring.braking import brake, identity  # noqa: PLC0415

    person = identity(found, arguments.person)
    action = EmergencyPause(contracts=_contracts(found, arguments.only))
    name = f"pause-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    async with brake(found, name, alone=arguments.alone) as wired:
        await braking.may(wired.roster, person)
        proposal = await braking.propose(action, person, arguments.reason, wired.writes)
        printing.say(found, _plan(proposal.plan, wired.why_alone if wired.store is None else ""))
        if found.second_factor:
            await wired.prove(person, _typed("Your one-time code: "))
        _ask_word()
        vote = braking.confirmation(proposal, second_factor=found.second_factor)
        receipt = await wired.send(proposal, vote, _progress(found))
        sent = frozenset(step.evidence.get("transaction", "") for step in receipt.steps)
        printing.say(found, _receipt(receipt), sent)
        if wired.store is None:
            printing.say(found, iter([f"On record in {wired.record.path}; the bot imports it when it starts."]))
    return 0 if receipt.complete else _NOT_COMPLETE


def _contracts(found: Settings, only: str) -> tuple[str, ...]:
    if found.sets.get(only):
        return found.sets[only]
    named = {one.strip().upper() for one in only.split(",")}
    if not named <= set(found.pausable):
        raise RefusedError(
            f"There is no set or contract {only!r} to pause.",
            means="Nothing was sent.",
            next_step=f"One of {', '.join(found.sets)}, or of {', '.join(found.pausable)} joined by commas.",
        )
    return tuple(name for name in found.pausable if name in named)


def _ask_word() -> None:
    if _typed(f"Type {WORD} to send this: ") != WORD:
        raise RefusedError(f"You did not type {WORD}.", means="Nothing was sent.")


def _typed(question: str) -> str:
    print(question, end="", flush=True)  # noqa: T201 - a command line asks
    return sys.stdin.readline().strip()


def _progress(found: Settings) -> "printing.Telling":
    async def say(text: str) -> None:
        printing.say(found, iter([text]))

    return say


def _plan(plan: Plan, alone: str) -> Iterator[str]:
    if alone:
        yield f"Without the store: {alone}. What is done is written to a file beside the databases."
        yield "Whether your one-time code was used before can't be looked up then; it is checked all the same."
    yield f"Signer {plan.signer}, chain {plan.chain_id}. In this order:"
    for place, step in enumerate(plan.steps, 1):
        yield f"  {place}. {step.name}.{step.call} on {step.target}: {step.stops}"
        yield f"     {'is paused already: skipped' if step.already else step.simulated}"
    yield from (f"  ⚠ {text}" for text in plan.cautions)
    yield from (f"  · {text}" for text in plan.stays_open)


def _receipt(receipt: Receipt) -> Iterator[str]:
    for step in receipt.steps:
        block = f", block {step.evidence['block']}" if "block" in step.evidence else ""
        yield f"{step.outcome.upper()}  {step.name}: {step.text}{block}"
        if "transaction" in step.evidence:
            yield f"      {step.evidence['transaction']}"
    yield from receipt.notes
    yield "COMPLETE." if receipt.complete else "NOT COMPLETE: see above."
