"""Fixtures that tests of several packages share, and the order of the long ones."""

import pytest

pytest_plugins = ["tests.world.postgres", "tests.world.anvil", "tests.world.ledger_database"]
LONGEST = (
    *("test_kills.py", "test_rotation.py", "test_canton.py", "test_deploy.py"),
    *("test_doctor.py", "test_deadlines.py", "test_unpause.py", "test_database.py", "test_modals.py", "test_pause.py"),
    *("test_runbook_commands.py", "test_books.py", "test_verdicts.py", "test_scenarios.py"),
)
"""Files that take more than half a minute: begun first, so that no worker is left alone with one of them at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--again`, which `make test` uses."""
    parser.addoption("--again", action="store_true", help="only the files in which a test failed the last time")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first; any other keeps its place."""
    if config.getoption("again"):
        assert config.cache
        failed = {test.partition("::")[0] for test in config.cache.get("cache/lastfailed", {})}
        others = [item for item in items if item.nodeid.partition("::")[0] not in failed]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
