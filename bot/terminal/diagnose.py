"""`musd-bot diagnose`: a runbook's diagnosis with its verdict, where Slack is not."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence

from bot import logs, settings
from bot.domain.cards import Line
from bot.domain.runbook import Verdict
from bot.errors import RefusedError
from bot.runbooks import discover
from bot.terminal import printing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runbook, and how to print."""
    parser.add_argument("runbook", help=f"one of {', '.join(discover().by_key)}, or an alert's name")
    parser.add_argument("--json", action="store_true", help="findings and verdict as one object, for pipelines")


def main(arguments: argparse.Namespace) -> int:
    """Ask what the runbook asks, print; 0 where the verdict says recovered, 1 where not.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        RefusedError: there is no such runbook.
    """
    from bot.wiring import asking  # noqa: PLC0415 - web3 and friends take a second to import

    logs.configure()
    runbooks = discover()
    runbook = runbooks.by_key.get(arguments.runbook.lower()) or runbooks.by_alert.get(arguments.runbook)
    if runbook is None:
        known = f"There are: {', '.join(runbooks.by_key)}."
        raise RefusedError(f"There is no runbook {arguments.runbook!r}.", next_step=known)
    found = settings.read()
    lines, verdict = asyncio.run(asking.diagnosis(found, runbook))
    said = {"runbook": runbook.key, "findings": printing.objects(lines), "verdict": _object(verdict)}
    printing.say(found, printing.as_json(said) if arguments.json else _text(lines, verdict))
    return 0 if verdict.state.value == "OK" else printing.WRONG


def _text(lines: Sequence[Line], verdict: Verdict) -> Iterator[str]:
    yield from printing.table(lines)
    yield ""
    yield f"{verdict.state}  {f'Resolution step {verdict.step}: ' if verdict.step else ''}{verdict.title}"
    yield f"Why: {verdict.why}"
    yield f"Do now: {verdict.do}"
    if verdict.offer:
        yield f"In Slack it offers: {', '.join(action.title for action in verdict.offer)}."


def _object(verdict: Verdict) -> dict[str, object]:
    return {
        "state": verdict.state,
        "step": verdict.step,
        "title": verdict.title,
        "why": verdict.why,
        "do": verdict.do,
        "offers": [action.title for action in verdict.offer],
    }
