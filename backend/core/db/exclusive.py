"""Work that one process at a time may do on a database, for example migrations. The others wait, up to a limit."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import sql

POLL_SECONDS: Final = 0.2


class StillRunning(RuntimeError):
    """Another process did not finish in time; the message says what to do."""


@contextmanager
def exclusive(url: str, lock: int, *, wait_seconds: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """Run the block while no other process holds the advisory lock; call ``on_wait`` once if another one does.

    The lock belongs to an open transaction of a separate connection, so that it ends with this process, and so that it
    is held behind a pooler too. That transaction has no snapshot, and making an index concurrently does not wait for
    it. It would wait for a statement, which has one: hence a lock that is tried repeatedly, never waited for.

    Raises:
        StillRunning: another process held the lock all the time.
    """
    limit = time.monotonic() + wait_seconds
    has_waited = False
    with psycopg.connect(url, connect_timeout=5, application_name="doorstep-prepare") as connection:
        while not _try(connection, lock):
            if not has_waited:
                on_wait()
                has_waited = True
            if time.monotonic() >= limit:
                raise StillRunning(
                    f"Another process is still preparing this database after {wait_seconds:.0f} seconds. Start again "
                    "when it has finished, or raise PREPARE_WAIT_SECONDS."
                )
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            connection.rollback()


def _try(connection: psycopg.Connection, lock: int) -> bool:
    """Start a transaction that holds the lock, or end it if another process does."""
    # Without parameters, because these would leave the statement's snapshot in use until the next statement.
    query = sql.SQL("SELECT pg_try_advisory_xact_lock({})").format(sql.Literal(lock))
    (is_ours,) = connection.execute(query).fetchone() or (False,)
    if is_ours:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    else:
        connection.rollback()
    return bool(is_ours)
