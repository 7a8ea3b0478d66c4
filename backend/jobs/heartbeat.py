"""The workers' signs of life. /readyz shows the age of the last one."""

from typing import Final

from sqlalchemy import text

from backend.core.database import db, transaction

# The clock, not now(): a transaction may have begun long before.
LIFE_SIGN: Final = text("""
    INSERT INTO heartbeats (name, at) VALUES ('worker', clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET at = greatest(heartbeats.at, excluded.at)
""")


def beat() -> None:
    """Write down that a worker took a job just now. Beat's own message goes the whole way: broker, worker, database."""
    with transaction():
        db.session.execute(LIFE_SIGN)
