"""A sign of life that went the whole way: beat, broker, worker, database. /readyz shows its age."""

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from backend.core.database import db, transaction
from backend.core.heartbeats import Heartbeat


def beat() -> None:
    """Write down that a worker took a job from the broker just now."""
    with transaction():
        row = insert(Heartbeat).values(name="worker", at=func.now())
        db.session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"at": func.now()}))
