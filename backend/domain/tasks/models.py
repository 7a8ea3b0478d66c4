"""Tables of tasks and of search synonyms."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import CheckConstraint, Computed, Index, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created, Money

# Each task starts as if it had three reviews of four stars, so one five-star review does not outrank two hundred.
WEIGHTED_RATING: Final = "CASE WHEN rating_count > 0 THEN round((12 + rating_sum)::numeric / (3 + rating_count), 2) END"


class Task(Base):
    """A task that customers can request. ``time_required`` is in minutes; archived tasks are kept for old requests.

    ``pricing``: whether the base price applies ("fixed"), or professionals make offers ("quote") and it is where they
    usually begin. ``professionals`` (how many active ones do it anywhere) is kept ready by
    ``professionals.availability``.
    """

    __tablename__ = "tasks"

    id: Mapped[BigId]
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str]
    category: Mapped[str]
    base_price: Mapped[Money]
    pricing: Mapped[str] = mapped_column(server_default=text("'fixed'"))
    currency: Mapped[str]
    time_required: Mapped[int]
    isactive: Mapped[bool] = mapped_column(server_default=text("true"))
    archived_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))
    weighted_rating: Mapped[Decimal | None] = mapped_column(Numeric(3, 2), Computed(WEIGHTED_RATING, persisted=True))
    professionals: Mapped[int] = mapped_column(server_default=text("0"))
    picture: Mapped[str | None]
    search_words: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'::text[]"))
    search_text: Mapped[str] = mapped_column(
        Computed("plain_text(name || ' ' || category || ' ' || join_words(search_words))", persisted=True)
    )

    __table_args__ = (
        CheckConstraint("base_price > 0 AND base_price <= 10000000", name="base_price"),
        CheckConstraint("pricing IN ('fixed', 'quote')", name="pricing"),
        CheckConstraint("time_required BETWEEN 5 AND 1440", name="time_required"),
        Index("uq_tasks_name_key", "name_key", unique=True, postgresql_where=text("archived_at IS NULL")),
        Index("ix_tasks_search_text", text("search_text gin_trgm_ops"), postgresql_using="gin"),
    )


class Synonym(Base):
    """Phrases with the same meaning in a search: "ac repair", "air conditioner check-up"."""

    __tablename__ = "task_synonyms"

    id: Mapped[BigId]
    phrases: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (CheckConstraint("cardinality(phrases) BETWEEN 2 AND 20", name="phrases"),)
