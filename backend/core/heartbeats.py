"""When each part last showed that it works."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base


class Heartbeat(Base):
    """The last sign of life of one part."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
