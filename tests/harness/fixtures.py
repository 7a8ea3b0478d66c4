"""Fixtures for tests of the whole product, to be imported in the conftest.py of a folder that needs them."""

from collections.abc import Iterator

import pytest

from tests.harness.market import RunningMarket


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMarket]:
    """Start the whole product once for all tests of the run."""
    running = RunningMarket(tmp_path_factory.mktemp("market"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
