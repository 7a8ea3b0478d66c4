"""Changes of large tables that let reads and writes go on, for migrations.

Each of them can be repeated: it is a transaction of its own, so a migration that is interrupted is not recorded as
done, and starts again from its first statement.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from alembic import op

LOCK_TIMEOUT: Final = "3s"  # a session that waits for a table's lock blocks all that come after it


def create_index(name: str, table: str, definition: str, *, unique: bool = False) -> None:
    """Make an index, or replace one of the same name, while rows are written.

    ``definition`` is what follows the table's name: ``(customer_id, id) WHERE status = 'closed'``.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    with _waiting_for_older_transactions():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # an interrupted attempt left an invalid one
        op.execute(f"CREATE {kind} CONCURRENTLY {name} ON {table} {definition}")


def drop_index(name: str) -> None:
    """Drop an index while its table is read and written."""
    with _waiting_for_older_transactions():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def add_constraint(name: str, table: str, definition: str) -> None:
    """Add or replace a CHECK or FOREIGN KEY: it holds for new rows at once, then the others are checked without a lock.

    Raises:
        IntegrityError: a row does not meet it; new rows have to meanwhile, until the constraint is dropped.
    """
    with op.get_context().autocommit_block():
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {definition} NOT VALID"
        )
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


@contextmanager
def _waiting_for_older_transactions() -> Iterator[None]:
    """Lift the limit of lock waits: nobody waits for a statement that waits for older transactions."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
