"""Real servers from wheels, for `make run` and for tests: `EmbeddedPostgres` and `EmbeddedValkey`."""

from backend.launch.postgres import EmbeddedPostgres
from backend.launch.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
