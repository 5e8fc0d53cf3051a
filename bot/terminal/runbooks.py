"""`musd-bot runbooks`: the runbooks as pages, from the runbooks themselves. `docs/runbooks/` is what this writes."""

import argparse
import re
from pathlib import Path

from bot.domain.probe import Probe
from bot.domain.runbook import Resolution, Runbook
from bot.ports import Reads
from bot.runbooks import Runbooks, discover
from bot.terminal.runbook_steps import SECTIONS, Step

_NOTE = "<!-- Made by `make docs` from bot/runbooks and bot/terminal/runbook_steps.py; a test holds it to them. -->"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--write DIR`, or the pages on standard output."""
    parser.add_argument("--write", metavar="DIR", type=Path, help="write one file a section there")


def main(arguments: argparse.Namespace) -> int:
    """Write or print every page."""
    for name, text in pages().items():
        if arguments.write:
            arguments.write.mkdir(parents=True, exist_ok=True)
            (arguments.write / name).write_text(text)
        else:
            print(text)  # noqa: T201 - what was asked for
    return 0


def pages() -> dict[str, str]:
    """Each page by its file's name: one a section, and their index."""
    runbooks = discover()
    by_section = {one.section: one for one in runbooks.by_key.values()}
    every = {**SECTIONS, **{name: () for name in by_section if name not in SECTIONS}}
    written = {f"{_slug(name)}.md": _page(name, steps, by_section.get(name)) for name, steps in every.items()}
    return {"README.md": _index(runbooks, by_section), **written}


def _index(runbooks: Runbooks, by_section: dict[str, Runbook[Reads]]) -> str:
    rows = []
    for name in dict.fromkeys([*SECTIONS, *by_section]):
        one = by_section.get(name)
        alerts = ", ".join(f"`{alert}`" for alert in one.alerts) if one and one.alerts else "none"
        command = f"`/musd diagnose {one.key}`" if one else "none"
        rows.append(f"| [{name}]({_slug(name)}.md) | {alerts} | {command} |")
    near = [f"- `{alert}`: {one.title}" for one in runbooks.by_key.values() for alert in one.near]
    table = ["| section | alerts | diagnosis |", "|---|---|---|", *rows]
    told = ["", "Alerts that no runbook names are diagnosed by the nearest one:", "", *near, ""]
    return "\n".join(
        [_NOTE, "# Runbooks", "", "What the bot makes of each section of the runbooks.", "", *table, *told]
    )


def _page(name: str, steps: tuple[Step, ...], runbook: Runbook[Reads] | None) -> str:
    parts = [_NOTE, f"# {name}", ""]
    if runbook is not None:
        parts += _head(runbook)
        parts += ["## What it asks", "", "| probe | command |", "|---|---|"]
        parts += [f"| {one.title} | {_commands(one)} |" for one in runbook.probes]
        parts += ["", "## What it decides", ""]
        parts += [line for one in runbook.resolutions for line in _resolution(one)]
        parts += [f"Otherwise, where it is proven that nothing is wrong: {runbook.recovered}", ""]
    if steps:
        parts += ["## Step by step", "", "| step | what | by |", "|---|---|---|"]
    parts += [f"| {one.number} | {one.text} | {_by(one)} |" for one in steps]
    return "\n".join([*parts, ""])


def _commands(probe: Probe[Reads]) -> str:
    """For Kubernetes, and where it makes a difference, for docker-compose."""
    every = (one.replace("|", "\\|") for one in (probe.command, probe.compose) if one)
    return "<br>".join(f"`{one}`" for one in every)


def _head(runbook: Runbook[Reads]) -> list[str]:
    alerts = ", ".join(f"`{alert}`" for alert in runbook.alerts) or "none of its own"
    said = [runbook.impact, "", f"Alerts: {alerts}. Severity: {runbook.severity}. `/musd diagnose {runbook.key}`."]
    if runbook.escalation is not None:
        said += ["", f"After {int(runbook.escalation.after.total_seconds()) // 60} minutes: {runbook.escalation.text}."]
    return [*said, ""]


def _resolution(one: Resolution) -> list[str]:
    step = f"Step {one.step}: " if one.step else ""
    offers = ", ".join(action.title for action in one.offer)
    offered = f" Offers: {offers}." if offers else ""
    return [f"- **{step}{one.title}.** {one.do}{offered}", ""]


def _by(step: Step) -> str:
    parts = (
        ("probe", step.probes),
        ("verdict", step.resolutions),
        ("action", step.actions),
        ("command", tuple(f"/musd {one}" for one in step.commands)),
        ("by itself", step.engine),
    )
    return "; ".join(f"{kind} {', '.join(f'`{one}`' for one in names)}" for kind, names in parts if names)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
