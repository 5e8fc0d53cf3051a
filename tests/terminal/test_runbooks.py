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
    "Relay Service Down": ["diagnosis", "1", "2", "3", "4", "5", "escalation"],
    "Validator Down / Quorum Loss": ["diagnosis", "1", "2", "3", "verification"],
    "Emergency Pause": ["1", "2", "3", "4", "unpause 1", "unpause 2", "unpause 3", "unpause 4"],
    "Oracle Price Feed Stale": ["severity", "diagnosis", "1", "2", "3", "4"],
    "Supply Cap Breach": ["diagnosis", "1", "2", "3", "4"],
    "Reserve Ratio Below Threshold": ["diagnosis", "1", "2", "3"],
    "Liquidation Surge": ["diagnosis 1", "diagnosis 2", "diagnosis 3", "1", "2", "3"],
    "smUSD Share Price Anomaly": ["diagnosis", "1", "2", "3"],
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
    "Relay Service Down": "RelayServiceDown",
    "Validator Down / Quorum Loss": "ValidatorServiceDown",
    "Oracle Price Feed Stale": "OraclePriceStale",
    "Supply Cap Breach": "SupplyCapBreached",
    "Reserve Ratio Below Threshold": "ReserveRatioBelowThreshold",
    "Liquidation Surge": "LiquidationSurge",
    "smUSD Share Price Anomaly": "SharePriceDecreaseAnomaly",
    "Canton Participant Down": "CantonParticipantDown",
}
QUESTIONS = {
    "Relay Service Down": [
        "kubectl -n musd get pods -l app=musd-relay",
        "kubectl -n musd logs -l app=musd-relay --tail=100",
        "curl http://localhost:8080/health",
    ],
    "Validator Down / Quorum Loss": [
        "kubectl -n musd get pods -l app=musd-validator",
        "aws kms describe-key --key-id $VALIDATOR_KMS_KEY_ID --region $AWS_REGION",
        "kubectl -n musd exec $VALIDATOR_POD -- cat /tmp/heartbeat",
    ],
    "Oracle Price Feed Stale": [
        "curl -s https://api.tradecraft.exchange/v1/ratio/CC/USDCx",
        'curl -s -H "Authorization: Bearer $TEMPLE_JWT" https://api.temple.exchange/v1/price/Amulet/USDCx',
        'cast call $PRICE_ORACLE "getLatestPrice(address)" $COLLATERAL_TOKEN',
    ],
    "Supply Cap Breach": ['cast call $MUSD "totalSupply()"', 'cast call $DIRECT_MINT "supplyCap()"'],
    "Reserve Ratio Below Threshold": ["cast call $TREASURY 'totalAssets()'", "cast call $MUSD 'totalSupply()'"],
    "smUSD Share Price Anomaly": [
        'cast call $SMUSD "convertToAssets(uint256)"',
        'cast call $TREASURY "getStrategyReport(address)" $STRATEGY_ADDRESS',
    ],
    "Canton Participant Down": ["kubectl -n musd logs -l app=canton-participant --tail=200"],
    "Database Recovery": ["kubectl -n musd exec $PG_POD -- df -h /var/lib/postgresql/data"],
}
"""The runbooks' own commands that ask something, as they stand there; those that change something are actions."""
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


@pytest.mark.parametrize("section", ALERTS)
def test_the_alert_of_a_section_brings_its_runbook(section: str) -> None:
    assert RUNBOOKS.by_alert[ALERTS[section]].section == section


@pytest.mark.parametrize("section", QUESTIONS)
def test_every_command_of_a_section_that_asks_something_is_a_probe(section: str) -> None:
    runbook = next(one for one in RUNBOOKS.by_key.values() if one.section == section)
    ours = "\n".join(probe.command for probe in runbook.probes)
    assert [command for command in QUESTIONS[section] if command not in ours] == []


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
