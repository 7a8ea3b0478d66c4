"""Tables of requests, their history, declined requests, policies and working hours."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, func, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from backend.core.db.session import Base, BigId, Created, Money


class TaskRequest(Base):
    """A customer's order of one task, with the task's name, price and duration as of its creation.

    ``busy`` is the span that the professional cannot give to another request: the work and the way to the next.
    ``moved_late``: its date was changed away from an acceptance when it was too late to cancel freely.

    The visit: ``on_the_way_at``, ``arrived_at`` and ``started_at`` are the times of its steps as reported by who took
    them, ``eta_at`` is when the professional expects to arrive. ``reminded_at`` is when they were first reminded of it,
    ``on_time_at`` when they confirmed that they come as planned. ``step_at`` and ``step_by`` are when the last step was
    received and who took it, until it can no longer be undone. ``start_code_policy`` is the one that applied on
    acceptance; ``code_tries`` and ``code_locked_until`` count the codes that the professional tried, start codes and
    approval codes alike. ``start_proof`` is what shows that the customer was there at the start: the "code", or that
    the "customer" confirmed it; None if the professional started without a code.

    ``price`` is the agreed one. ``lines_amount`` is the sum of the approved price lines, None where there are none;
    ``from_price`` is the task's price where the price is agreed by offer, and ``price`` too until an offer is accepted.
    ``undecided_lines`` is how many wait for the customer. Every change of a line changes them, and the version.
    """

    __tablename__ = "task_requests"

    id: Mapped[BigId]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    task_name: Mapped[str]
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    professional_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    asked_professional_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    asked_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(server_default=text("'requested'"))
    date_of_request: Mapped[datetime]
    price: Mapped[Money]
    currency: Mapped[str]
    time_required: Mapped[int]
    address: Mapped[str]
    pincode: Mapped[str] = mapped_column(ForeignKey("places.pincode"))
    remarks: Mapped[str] = mapped_column(server_default=text("''"))
    closing_remarks: Mapped[str] = mapped_column(server_default=text("''"))
    busy: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    accepted_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    expired_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    moved_late: Mapped[bool] = mapped_column(server_default=text("false"))
    cancelled_late: Mapped[bool] = mapped_column(server_default=text("false"))
    on_the_way_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    eta_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    on_time_at: Mapped[datetime | None]
    step_at: Mapped[datetime | None]
    step_by: Mapped[int | None]
    start_code_policy: Mapped[str | None]
    start_proof: Mapped[str | None]
    code_tries: Mapped[int] = mapped_column(server_default=text("0"))
    code_locked_until: Mapped[datetime | None]
    lines_amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    undecided_lines: Mapped[int] = mapped_column(server_default=text("0"))
    from_price: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        CheckConstraint(
            "status IN ('requested', 'accepted', 'completed', 'closed', 'cancelled', 'expired')", name="status"
        ),
        CheckConstraint(
            "status NOT IN ('accepted', 'completed', 'closed')"
            " OR (professional_id IS NOT NULL AND accepted_at IS NOT NULL)",
            name="taken_has_professional",
        ),
        CheckConstraint("status <> 'requested' OR professional_id IS NULL", name="waiting_has_none"),
        CheckConstraint(
            "status <> 'requested' OR (accepted_at IS NULL AND completed_at IS NULL AND busy IS NULL)",
            name="waiting_is_untouched",
        ),
        CheckConstraint(
            "asked_until IS NULL OR (asked_professional_id IS NOT NULL AND status = 'requested')",
            name="asked_of_someone",
        ),
        CheckConstraint(
            "status <> 'requested' OR asked_professional_id IS NULL OR asked_until IS NOT NULL", name="asked_for_a_time"
        ),
        CheckConstraint("reviewed_at IS NULL OR status IN ('completed', 'closed')", name="reviewed_when_done"),
        CheckConstraint("closed_at >= completed_at AND completed_at >= accepted_at", name="times_in_order"),
        CheckConstraint("status NOT IN ('completed', 'closed') OR completed_at IS NOT NULL", name="completed_has_time"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_time"),
        CheckConstraint("(status = 'expired') = (expired_at IS NOT NULL)", name="expired_has_time"),
        CheckConstraint("status <> 'accepted' OR busy IS NOT NULL", name="accepted_is_busy"),
        CheckConstraint(
            "arrived_at >= on_the_way_at AND started_at >= arrived_at AND started_at >= on_the_way_at",
            name="visit_in_order",
        ),
        CheckConstraint("start_code_policy IN ('off', 'offered', 'required')", name="start_code_policy"),
        CheckConstraint("start_proof IN ('code', 'customer')", name="start_proof"),
        CheckConstraint("undecided_lines = 0 OR undecided_lines > 0 AND status = 'accepted'", name="undecided_lines"),
        CheckConstraint("price + lines_amount >= 0", name="total"),
        ExcludeConstraint(
            ("professional_id", "="),
            ("busy", "&&"),
            where=text("status = 'accepted'"),
            using="gist",
            name="ex_task_requests_overlap",
        ),
        Index("ix_task_requests_customer", "customer_id", text("date_of_request DESC"), text("id DESC")),
        Index("ix_task_requests_professional", "professional_id", text("date_of_request DESC"), text("id DESC")),
        Index("ix_task_requests_date", text("date_of_request DESC"), text("id DESC")),
        Index(
            "ix_task_requests_waiting_at",
            "task_id",
            "pincode",
            "date_of_request",
            postgresql_where=text("status = 'requested'"),
        ),
        Index(
            "ix_task_requests_asked",
            "asked_professional_id",
            postgresql_where=text("status = 'requested' AND asked_professional_id IS NOT NULL"),
        ),
        Index("ix_task_requests_unanswered", "asked_until", postgresql_where=text("asked_until IS NOT NULL")),
        Index("ix_task_requests_status", "status", text("date_of_request DESC"), text("id DESC")),
        # These contain the columns of dashboard and reminders, which then use index-only scans.
        Index(
            "ix_task_requests_open",
            "date_of_request",
            "id",
            postgresql_where=text("status = 'requested'"),
            postgresql_include=["created_at", "task_id", "pincode", "asked_professional_id", "asked_until"],
        ),
        Index("ix_task_requests_since", "created_at", postgresql_where=text("status = 'requested'")),
        Index("ix_task_requests_created", "created_at", postgresql_include=["status", "task_id", "pincode"]),
        Index(
            "ix_task_requests_closed",
            "closed_at",
            "id",
            postgresql_where=text("status = 'closed'"),
            postgresql_include=["task_id", "price", "currency", "lines_amount"],
        ),
        Index(
            "ix_task_requests_completed",
            "completed_at",
            postgresql_where=text("completed_at IS NOT NULL"),
            postgresql_include=["started_at", "start_proof", "arrived_at", "date_of_request"],
        ),
        Index("ix_task_requests_task", "task_id", text("date_of_request DESC")),
    )


class RequestEvent(Base):
    """One change of a request: who, what, when, from, to, why."""

    __tablename__ = "request_events"

    id: Mapped[BigId]
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"))
    at: Mapped[Created]
    action: Mapped[str]
    actor_id: Mapped[int | None]
    actor_role: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    note: Mapped[str | None]
    changes: Mapped[dict[str, object] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_request_events_request", "request_id", "id"),
        Index(
            "ix_request_events_let_down",
            "at",
            "actor_id",
            postgresql_where=text("action IN ('cancel', 'release')"),
            postgresql_include=["actor_role"],
        ),
        Index(
            "ix_request_events_let_down_by",
            "actor_id",
            "at",
            postgresql_where=text("action IN ('cancel', 'release')"),
        ),
    )


class RequestRejection(Base):
    """A request that a professional declined; it stays hidden from them."""

    __tablename__ = "request_rejections"

    professional_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class TaskPolicy(Base):
    """Settings of one task; empty values fall back to the marketplace's settings."""

    __tablename__ = "task_policies"

    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    answer_within_minutes: Mapped[int | None]
    min_notice_minutes: Mapped[int | None]
    free_cancel_minutes: Mapped[int | None]
    travel_buffer_minutes: Mapped[int | None]
    start_code: Mapped[str | None]

    __table_args__ = (CheckConstraint("start_code IN ('off', 'offered', 'required')", name="start_code"),)


class TaskChecklist(Base):
    """The points that the professional ticks during a visit for this task, in their order: text, and photo or not.

    ``required``: work is completed only once all are ticked.
    """

    __tablename__ = "task_checklists"

    task_id: Mapped[int] = mapped_column(
        ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    points: Mapped[list[dict[str, object]]] = mapped_column(JSONB)
    required: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (CheckConstraint("jsonb_array_length(points) BETWEEN 1 AND 20", name="points"),)


class RequestChecklistPoint(Base):
    """A point of a request, as it was when the request was accepted. ``done_at`` is the time that was reported."""

    __tablename__ = "request_checklist_points"

    request_id: Mapped[int] = mapped_column(ForeignKey("task_requests.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str]
    needs_photo: Mapped[bool]
    is_required: Mapped[bool]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    received_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("number BETWEEN 1 AND 20", name="number"),
        CheckConstraint(
            "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (received_at IS NULL)", name="done"
        ),
    )


class InboxVisit(Base):
    """When a professional last saw the inbox; later requests are new."""

    __tablename__ = "inbox_visits"

    account_id: Mapped[int] = mapped_column(ForeignKey("professionals.account_id"), primary_key=True)
    seen_at: Mapped[Created]
