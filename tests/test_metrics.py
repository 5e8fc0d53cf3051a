"""The dashboard and the alert rules ask for metrics that the bot has, and ask Prometheus something it understands."""

import json
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from prometheus_client import REGISTRY

import bot.adapters
import bot.engine
from tests.world.alertmanager import binary

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = DEPLOY / "prometheus" / "musd-bot.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "musd-bot.json"
_NAME = re.compile(r"\bmusd_[a-z0-9_]+")


def exported() -> set[str]:
    """The name of every series that the bot's metrics make, as Prometheus sees it."""
    for package in (bot.adapters, bot.engine):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in module.name:
                import_module(module.name)
    names = set()
    for metric in REGISTRY.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
        names |= {f"{metric.name}{suffix}" for suffix in suffixes}
    return names


def asked(path: Path) -> set[str]:
    """The names of our metrics that a file asks for."""
    text = path.read_text()
    queries = _queries(json.loads(text)) if path.suffix == ".json" else re.findall(r"expr: (.*)", text)
    return {name for query in queries for name in _NAME.findall(query)}


def _queries(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("expr"), str):
            yield node["expr"]
        for value in node.values():
            yield from _queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _queries(value)


@pytest.mark.parametrize("path", [RULES, DASHBOARD], ids=lambda path: path.name)
def test_everything_asked_for_is_exported(path: Path) -> None:
    assert asked(path) - exported() == set()


def test_the_dashboard_shows_everything_the_bot_measures() -> None:
    ours = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in exported() if name.startswith("musd_")}
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked(DASHBOARD) | asked(RULES)}
    assert ours - shown == set()


@pytest.mark.real
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run([promtool(), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.real
def test_the_dead_mans_switch_always_fires(tmp_path: Path) -> None:
    """And nothing else does while all is well."""
    case = tmp_path / "case.yml"
    case.write_text(_CASE.format(rules=RULES))
    done = subprocess.run([promtool(), "test", "rules", str(case)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def promtool() -> str:
    """It comes with Prometheus."""
    return str(Path(binary("prometheus")).resolve().with_name("promtool"))


_CASE = """
rule_files: ["{rules}"]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="musd-bot"}}', values: "1+0x10"}}
      - {{series: musd_leads, values: "1+0x10"}}
      - {{series: musd_pause_ready, values: "1+0x10"}}
      - {{series: musd_workflows_stranded, values: "0+0x10"}}
      - {{series: musd_deadlines_overdue, values: "0+0x10"}}
    promql_expr_test:
      - expr: count by (alertname) (ALERTS)
        eval_time: 8m
        exp_samples: [{{labels: '{{alertname="MusdDeadMansSwitch"}}', value: 1}}]
  - interval: 1m
    input_series:
      - {{series: musd_leads, values: "0+0x10"}}
      - {{series: musd_pause_ready, values: "0+0x10"}}
    promql_expr_test:
      - expr: count by (alertname) (ALERTS{{alertstate="firing"}})
        eval_time: 8m
        exp_samples:
          - {{labels: '{{alertname="MusdDeadMansSwitch"}}', value: 1}}
          - {{labels: '{{alertname="MusdBotDown"}}', value: 1}}
          - {{labels: '{{alertname="MusdBotNobodyLeads"}}', value: 1}}
          - {{labels: '{{alertname="MusdPauseNotReady"}}', value: 1}}
"""
