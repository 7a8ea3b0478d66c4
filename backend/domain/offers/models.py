"""The table of offers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created, Money


class Offer(Base):
    """One offer. What it offers is never changed, which a trigger enforces: a renewed offer is another row.

    ``slot``: live offers of a request have different ones from 1 to 5, so that there are five at most. ``state``:
    "live"; "replaced" by the professional's next one; "withdrawn" by the professional; "expired"; "accepted"; "ended",
    as another was accepted or the request ended or changed.
    """

    __tablename__ = "offers"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount: Mapped[Money]
    note: Mapped[str | None]
    valid_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default=text("'live'"))
    slot: Mapped[int | None]
    made_at: Mapped[Created]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('live', 'replaced', 'withdrawn', 'expired', 'accepted', 'ended')", name="state"),
        CheckConstraint("(state = 'live') = (slot IS NOT NULL) AND slot BETWEEN 1 AND 5", name="slot"),
        CheckConstraint("amount > 0", name="amount"),
        Index("uq_offers_slot", "request_id", "slot", unique=True, postgresql_where=text("state = 'live'")),
        Index("uq_offers_live", "request_id", "professional_id", unique=True, postgresql_where=text("state = 'live'")),
        Index("uq_offers_accepted", "request_id", unique=True, postgresql_where=text("state = 'accepted'")),
        Index("ix_offers_request", "request_id", "id"),
        Index("ix_offers_professional", "professional_id", postgresql_where=text("state = 'live'")),
        Index("ix_offers_ending", "valid_until", postgresql_where=text("state = 'live'")),
    )
