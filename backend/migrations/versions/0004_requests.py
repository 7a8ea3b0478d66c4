"""The life of a request: policies, working hours, inbox visits, and checks after the state table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CHECKS = {
    "waiting_is_untouched": (
        "status <> 'requested' OR (accepted_at IS NULL AND completed_at IS NULL AND busy IS NULL)"
    ),
    "asked_of_someone": ("asked_until IS NULL OR (asked_professional_id IS NOT NULL AND status = 'requested')"),
    "asked_for_a_time": ("status <> 'requested' OR asked_professional_id IS NULL OR asked_until IS NOT NULL"),
    "reviewed_when_done": "reviewed_at IS NULL OR status IN ('completed', 'closed')",
    "times_in_order": "closed_at >= completed_at AND completed_at >= accepted_at",
}
MEND_EARLIER = """
UPDATE task_requests SET asked_professional_id = NULL, asked_until = NULL
 WHERE (asked_until IS NOT NULL AND (asked_professional_id IS NULL OR status <> 'requested'))
    OR (status = 'requested' AND asked_professional_id IS NOT NULL AND asked_until IS NULL);
UPDATE task_requests r SET reviewed_at = v.created_at FROM reviews v
 WHERE v.request_id = r.id AND r.status IN ('completed', 'closed');
"""


def upgrade() -> None:
    op.add_column("task_requests", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("moved_late", "cancelled_late"):
        op.add_column("task_requests", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(MEND_EARLIER)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_task_requests_{name}"), "task_requests", condition)
    op.create_index(
        "ix_task_requests_waiting",
        "task_requests",
        ["task_id", "date_of_request"],
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "ix_task_requests_unanswered",
        "task_requests",
        ["asked_until"],
        postgresql_where=sa.text("asked_until IS NOT NULL"),
    )
    op.create_index(
        "ix_task_requests_status",
        "task_requests",
        ["status", sa.literal_column("date_of_request DESC"), sa.literal_column("id DESC")],
    )
    op.create_index(
        "ix_request_events_let_down",
        "request_events",
        ["at", "actor_id"],
        postgresql_where=sa.text("action IN ('cancel', 'release')"),
    )
    _reviews()
    _policies()
    _hours()


def _reviews() -> None:
    op.create_index("ix_reviews_created", "reviews", ["created_at", "request_id"])
    op.create_index(
        "ix_reviews_reported", "reviews", ["reported_at"], postgresql_where=sa.text("reported_at IS NOT NULL")
    )


def _policies() -> None:
    op.create_table(
        "task_policies",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("answer_within_minutes", sa.BigInteger(), nullable=True),
        sa.Column("min_notice_minutes", sa.BigInteger(), nullable=True),
        sa.Column("free_cancel_minutes", sa.BigInteger(), nullable=True),
        sa.Column("travel_buffer_minutes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_policies_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_policies")),
    )


def _hours() -> None:
    op.create_table(
        "working_hours",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_working_hours_weekday")),
        sa.CheckConstraint("0 <= begins AND begins < ends AND ends <= 1440", name=op.f("ck_working_hours_span")),
        sa.ForeignKeyConstraint(["account_id"], ["professionals.account_id"], name=op.f("fk_working_hours_account_id")),
        sa.PrimaryKeyConstraint("account_id", "weekday", "begins", name=op.f("pk_working_hours")),
    )
    op.create_table(
        "working_days",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "spans", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.ForeignKeyConstraint(["account_id"], ["professionals.account_id"], name=op.f("fk_working_days_account_id")),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_working_days")),
    )
    op.create_table(
        "inbox_visits",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["professionals.account_id"], name=op.f("fk_inbox_visits_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_inbox_visits")),
    )


def downgrade() -> None:
    for table in ("inbox_visits", "working_days", "working_hours", "task_policies"):
        op.drop_table(table)
    op.drop_index("ix_reviews_reported", table_name="reviews")
    op.drop_index("ix_reviews_created", table_name="reviews")
    op.drop_index("ix_request_events_let_down", table_name="request_events")
    op.drop_index("ix_task_requests_status", table_name="task_requests")
    op.drop_index("ix_task_requests_waiting", table_name="task_requests")
    op.drop_index("ix_task_requests_unanswered", table_name="task_requests")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_task_requests_{name}"), "task_requests", type_="check")
    for name in ("cancelled_late", "moved_late", "reviewed_at"):
        op.drop_column("task_requests", name)
