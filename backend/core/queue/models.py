"""The tables of jobs and runs."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created


class Job(Base):
    """A job that follows from a committed change. Open until ``done_at`` or ``dead_at`` (dead-lettered) is set."""

    __tablename__ = "jobs"

    id: Mapped[BigId]
    topic: Mapped[str]
    lane: Mapped[str] = mapped_column(server_default=text("'urgent'"))
    key: Mapped[str | None]
    payload: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[Created]
    run_at: Mapped[Created]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]
    trace_id: Mapped[str | None]  # the request id of the call
    traceparent: Mapped[str | None]
    dispatched_at: Mapped[datetime | None]  # when it was last dispatched; the sweep dispatches it again after a while

    __table_args__ = (
        UniqueConstraint("topic", "key"),
        CheckConstraint("lane IN ('urgent', 'bulk', 'exports')", name="lane"),
        Index("ix_jobs_open", "lane", "run_at", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),
        Index("ix_jobs_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        Index("ix_jobs_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )


class JobRun(Base):
    """One run of a scheduled job. The unique (name, period) makes any number of beats safe."""

    __tablename__ = "job_runs"

    id: Mapped[BigId]
    name: Mapped[str]
    period: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    sent: Mapped[int] = mapped_column(server_default=text("0"))
    failed: Mapped[int] = mapped_column(server_default=text("0"))
    skipped: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None]
    parts_left: Mapped[int] = mapped_column(server_default=text("0"))
    requested_by: Mapped[int | None]
    params: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        UniqueConstraint("name", "period"),
        Index("ix_job_runs_name", "name", "id"),
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
    )
