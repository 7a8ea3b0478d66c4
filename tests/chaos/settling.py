"""Wait until everything that was begun has ended."""

from typing import Final

import psycopg

from tests.chaos.checker import Breach
from tests.chaos.fleet import Fleet
from tests.waiting import HANG_SECONDS, wait_until

WAITING: Final = """
    SELECT (SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= now())
         + (SELECT count(*) FROM deliveries WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= now()))
         + (SELECT count(*) FROM exports WHERE status IN ('queued', 'running'))
"""


def settle(fleet: Fleet) -> list[Breach]:
    """Wait until no job, delivery or export waits, and stop the workers, so that the state rests."""
    settled = wait_until(lambda: _waiting(fleet) == 0, pause=1.0)
    for machine in fleet.machines:
        machine.stop("worker")
    return [] if settled else [Breach("jobs", f"work still waits after {HANG_SECONDS} seconds")]


def _waiting(fleet: Fleet) -> int:
    with psycopg.connect(fleet.postgres.url) as connection:
        found = connection.execute(WAITING).fetchone()
    return int(found[0]) if found else 0
