"""The worked example of docs/adding-a-runbook.md in Slack: a drill from a checkout that has its one file more."""

from collections.abc import Iterator

import pytest

from tests.world import worked_example
from tests.world.practice import Practice, firing, until


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    running = Practice(checkout=worked_example.followed(tmp_path_factory.mktemp("followed")))
    running.break_("cluster", "relay-unhealthy")
    yield running
    running.stop()


def test_its_alert_is_diagnosed_in_the_thread(practice: Practice) -> None:
    assert practice.alert(firing("BridgeAttestationBacklog", "warning")).ok

    until(lambda: "The relay is not well: its attestations wait in its queue" in practice.said("musd-alerts"))
