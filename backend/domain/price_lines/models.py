"""The table of price lines."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created, Money


class PriceLine(Base):
    """One line that a professional proposed. ``amount`` is what it adds to the total; a discount's is negative.

    A trigger refuses every change but a decision about an undecided line, and the withdrawal of an approved one when
    the acceptance ends. ``by_code``: the professional approved it with the code that the customer read out.
    """

    __tablename__ = "price_lines"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    title: Mapped[str]
    reason: Mapped[str | None]
    quantity: Mapped[Decimal] = mapped_column(Numeric(8, 3))
    unit_amount: Mapped[Money]
    amount: Mapped[Money]
    state: Mapped[str] = mapped_column(server_default=text("'proposed'"))
    proposed_at: Mapped[Created]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    by_code: Mapped[bool] = mapped_column(server_default=text("false"))
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('extra', 'material', 'discount')", name="kind"),
        CheckConstraint("state IN ('proposed', 'approved', 'declined', 'withdrawn')", name="state"),
        CheckConstraint(
            "quantity > 0 AND unit_amount > 0 AND amount <> 0"
            " AND amount = round(quantity * unit_amount, 2) * CASE kind WHEN 'discount' THEN -1 ELSE 1 END",
            name="amount",
        ),
        CheckConstraint(
            "CASE state WHEN 'proposed' THEN decided_at IS NULL AND withdrawn_at IS NULL"
            " WHEN 'withdrawn' THEN withdrawn_at IS NOT NULL"
            " ELSE decided_at IS NOT NULL AND withdrawn_at IS NULL END",
            name="decided",
        ),
        Index("ix_price_lines_request", "request_id", "id"),
    )
