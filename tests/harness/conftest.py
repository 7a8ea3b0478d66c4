"""The running product for tests over HTTP."""

from tests.harness.fixtures import market

__all__ = ["market"]
