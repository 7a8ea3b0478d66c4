"""Heartbeats of workers."""

from typing import Final

from sqlalchemy import text

from backend.core.db.session import db, transaction

# clock_timestamp(), because now() is the start of the transaction.
LIFE_SIGN: Final = text("""
    INSERT INTO heartbeats (name, at) VALUES ('worker', clock_timestamp())
        ON CONFLICT (name) DO UPDATE SET at = greatest(heartbeats.at, excluded.at)
""")


def beat() -> None:
    """Record a heartbeat. Beat's message passes through broker, worker and database."""
    with transaction():
        db.session.execute(LIFE_SIGN)
