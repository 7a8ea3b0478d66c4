"""The running product for the journey over HTTP."""

from tests.harness.fixtures import market

__all__ = ["market"]
