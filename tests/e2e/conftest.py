"""One drill for all tests that leave it usable; a test that kills, restarts or needs slow blocks starts its own."""

from collections.abc import Iterator

import pytest

from tests.world.practice import Practice


@pytest.fixture(scope="session")
def practice() -> Iterator[Practice]:
    """The shared drill. Its vault has 18 decimals, that of test_verdicts.py 21: deployments have either."""
    settings = ("--set", "recheck=1", "--set", "most_incidents=500", "--set", "storm_size=100000")
    running = Practice(*settings, "--share-decimals", "18")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test broke is mended behind it."""
    yield
    if "practice" in request.fixturenames:
        request.getfixturevalue("practice").mend()
