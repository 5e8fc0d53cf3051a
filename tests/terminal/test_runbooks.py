"""Nothing of the runbooks is left out: each section, alert and step has what implements it, and the pages say so."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from bot.actions import how
from bot.domain.action import Action
from bot.runbooks import discover
from bot.terminal.runbook_steps import SECTIONS, Step
from bot.terminal.runbooks import pages

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = discover()
STEPS = {
    "Relay Service Down": ["1", "2", "3", "4", "5", "escalation"],
    "Validator Down / Quorum Loss": ["1", "2", "3", "verification"],
    "Emergency Pause": ["1", "2", "3", "4", "unpause 1", "unpause 2", "unpause 3", "unpause 4"],
    "Oracle Price Feed Stale": ["1", "2", "3", "4"],
    "Supply Cap Breach": ["1", "2", "3", "4"],
    "Reserve Ratio Below Threshold": ["1", "2", "3"],
    "Liquidation Surge": ["diagnosis 1", "diagnosis 2", "diagnosis 3", "1", "2", "3"],
    "smUSD Share Price Anomaly": ["1", "2", "3"],
    "Canton Participant Down": ["restart", "log", "persistent"],
    "Database Recovery": ["usage", "backup", "restore"],
    "Key Rotation": [
        f"{key} {n}" for key, most in (("relay", 4), ("validator", 4), ("token", 3)) for n in range(1, most + 1)
    ],
    "Incident Response Checklist": [str(number) for number in range(1, 12)],
    "On-Call Contacts": ["table"],
    "Alerting Channels": ["critical", "warning", "info"],
}
"""The runbooks' own contents: what must not be missing."""
ALERTS = {
    "RelayServiceDown",
    "ValidatorServiceDown",
    "OraclePriceStale",
    "SupplyCapBreached",
    "ReserveRatioBelowThreshold",
    "LiquidationSurge",
    "SharePriceDecreaseAnomaly",
    "CantonParticipantDown",
}
EVERY = [(name, step) for name, steps in SECTIONS.items() for step in steps]


def kinds() -> set[str]:
    return {one.kind for one in _subclasses(Action) if _runs(one)}


def _subclasses(kind: type[Action]) -> set[type[Action]]:
    return {one for each in kind.__subclasses__() for one in ({each} | _subclasses(each))}


def _runs(kind: type[Action]) -> bool:
    return how(kind.model_construct()).kind is kind if kind.__module__.startswith("bot.") else False


def commands() -> set[str]:
    """The subcommands of `/musd`, as the handler's table has them."""
    tree = ast.parse((ROOT / "handlers" / "commands.py").read_text())
    tables = (
        node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    )
    return {key.value for table in tables for key in table.keys if isinstance(key, ast.Constant)}


@pytest.mark.parametrize("section", STEPS)
def test_every_numbered_step_of_a_section_is_there(section: str) -> None:
    assert [number for number in STEPS[section] if number not in {one.number for one in SECTIONS[section]}] == []


def test_every_alert_of_the_runbooks_has_its_runbook() -> None:
    assert set(RUNBOOKS.by_alert) >= ALERTS


@pytest.mark.parametrize(("section", "step"), EVERY, ids=[f"{name} {step.number}" for name, step in EVERY])
def test_what_implements_a_step_exists(section: str, step: Step) -> None:
    probes = {probe.key for runbook in RUNBOOKS.by_key.values() for probe in runbook.probes}
    titles = [one.title for book in RUNBOOKS.by_key.values() if book.section == section for one in book.resolutions]
    nowhere = [
        *(one for one in step.probes if one not in probes),
        *(one for one in step.resolutions if not any(title.startswith(one) for title in titles)),
        *(one for one in step.actions if one not in kinds()),
        *(one for one in step.commands if one not in commands()),
        *(one for one in step.engine if find_spec(f"bot.engine.{one}") is None),
    ]

    assert nowhere == []
    assert step.probes or step.resolutions or step.actions or step.commands or step.engine


@pytest.mark.parametrize("name", pages())
def test_the_pages_are_as_the_runbooks_are(name: str) -> None:
    assert (ROOT / "docs" / "runbooks" / name).read_text() == pages()[name], "run `make docs`"
