"""Tables that availability keeps ready: who is offered where, and how many for each task and place."""

from sqlalchemy import ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, INTEGER, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.database import Base


class ProfessionalArea(Base):
    """How an active professional is counted at this moment: home, radius, pincodes listed, tasks done."""

    __tablename__ = "professional_areas"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    pincode: Mapped[str] = mapped_column(ForeignKey("places.pincode"))
    radius_km: Mapped[int] = mapped_column(Integer)
    listed: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    task_ids: Mapped[list[int]] = mapped_column(ARRAY(BIGINT))

    __table_args__ = (Index("ix_professional_areas_pincode", "pincode"),)


class TaskPlace(Base):
    """How many active professionals do a task at a place, and how far away (metres, sorted) they live.

    A place is a pincode, or a region's key; regions have no distances.
    """

    __tablename__ = "task_places"

    place: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    professionals: Mapped[int] = mapped_column(Integer)
    nearest: Mapped[int | None] = mapped_column(Integer)
    distances: Mapped[list[int]] = mapped_column(ARRAY(INTEGER), server_default=text("'{}'::integer[]"))

    __table_args__ = (Index("ix_task_places_task", "task_id"),)


class TaskHome(Base):
    """How many active professionals who do a task live at a pincode: what a radius chosen by a visitor adds up."""

    __tablename__ = "task_homes"

    pincode: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    professionals: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("ix_task_homes_task", "task_id"),
        Index("ix_task_homes_counts", "pincode", postgresql_include=["task_id", "professionals"]),
    )
