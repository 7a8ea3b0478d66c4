"""When each part last showed that it works."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.clock import now
from backend.core.database import Base, db


class Heartbeat(Base):
    """The last sign of life of one part."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


def age_seconds(name: str) -> float | None:
    """Seconds since the part's last sign of life; None when there was none yet."""
    at = db.session.execute(select(Heartbeat.at).where(Heartbeat.name == name)).scalar_one_or_none()
    return (now() - at).total_seconds() if at else None
