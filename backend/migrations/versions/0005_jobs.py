"""Jobs, notifications, reports and exports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _upgrade_queue()
    _upgrade_deliveries()
    _upgrade_preferences()
    create_exports_and_reports()


def downgrade() -> None:
    drop_exports_and_reports()
    _downgrade_preferences()
    _downgrade_deliveries()
    _downgrade_queue()


def _upgrade_queue() -> None:
    op.add_column("jobs", sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_job_runs_name", "job_runs", ["name", "id"])
    op.create_index("ix_job_runs_open", "job_runs", ["id"], postgresql_where=sa.text("finished_at IS NULL"))


def _downgrade_queue() -> None:
    op.drop_index("ix_job_runs_open", table_name="job_runs")
    op.drop_index("ix_job_runs_name", table_name="job_runs")
    op.drop_column("jobs", "rung_at")


def _upgrade_deliveries() -> None:
    op.add_column("deliveries", sa.Column("subject", sa.Text(), nullable=True))
    op.execute("UPDATE deliveries SET subject = key, message_id = coalesce(message_id, '<' || key || '@localhost>')")
    op.alter_column("deliveries", "subject", nullable=False)
    op.alter_column("deliveries", "message_id", nullable=False)
    op.drop_constraint("uq_deliveries_key", "deliveries")
    op.drop_column("deliveries", "key")
    op.add_column("deliveries", sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    empty = sa.text("'{}'::text[]")
    op.add_column(
        "deliveries", sa.Column("next_channels", postgresql.ARRAY(sa.Text()), server_default=empty, nullable=False)
    )
    op.add_column("deliveries", sa.Column("request_id", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("run_id", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    for column in ("position", "channel"):
        op.create_unique_constraint(
            f"uq_deliveries_account_id_kind_subject_{column}", "deliveries", ["account_id", "kind", "subject", column]
        )
    unsent, of_run = sa.text("state <> 'sent'"), sa.text("run_id IS NOT NULL")
    op.create_index("ix_deliveries_state", "deliveries", ["state", "created_at", "id"], postgresql_where=unsent)
    op.create_index("ix_deliveries_run", "deliveries", ["run_id", "state"], postgresql_where=of_run)
    op.create_index("ix_deliveries_notification", "deliveries", ["notification_id"])
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('sent', 'put_off', 'refused', 'interrupted')", name=op.f("ck_delivery_attempts_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_attempts_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempts")),
    )
    op.create_index("ix_delivery_attempts_delivery", "delivery_attempts", ["delivery_id", "id"])


def _downgrade_deliveries() -> None:
    op.drop_table("delivery_attempts")
    op.add_column("deliveries", sa.Column("key", sa.Text(), nullable=True))
    op.execute("UPDATE deliveries SET key = kind || ':' || account_id || ':' || subject || ':' || channel")
    op.alter_column("deliveries", "key", nullable=False)
    op.create_unique_constraint("uq_deliveries_key", "deliveries", ["key"])
    op.drop_index("ix_deliveries_notification", table_name="deliveries")
    op.drop_index("ix_deliveries_run", table_name="deliveries")
    op.drop_index("ix_deliveries_state", table_name="deliveries")
    for column in ("position", "channel"):
        op.drop_constraint(f"uq_deliveries_account_id_kind_subject_{column}", "deliveries")
    for column in ("not_before", "run_id", "request_id", "next_channels", "position", "subject"):
        op.drop_column("deliveries", column)
    op.alter_column("deliveries", "message_id", nullable=True)


def _upgrade_preferences() -> None:
    nothing = sa.text("'{}'::jsonb")
    op.add_column("preferences", sa.Column("kinds", postgresql.JSONB(), server_default=nothing, nullable=False))
    op.drop_column("preferences", "muted")


def _downgrade_preferences() -> None:
    empty = sa.text("'{}'::text[]")
    op.add_column("preferences", sa.Column("muted", postgresql.ARRAY(sa.Text()), server_default=empty, nullable=False))
    op.drop_column("preferences", "kinds")


def create_exports_and_reports() -> None:
    op.execute("""
        CREATE TABLE exports (
            id bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT pk_exports PRIMARY KEY,
            requested_by bigint NOT NULL CONSTRAINT fk_exports_requested_by REFERENCES accounts (id),
            professional_id bigint CONSTRAINT fk_exports_professional_id REFERENCES accounts (id),
            span_from text,
            span_to text,
            starts timestamptz,
            ends timestamptz,
            status text NOT NULL DEFAULT 'queued',
            rows_expected bigint,
            rows bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            finished_at timestamptz,
            expires_at timestamptz,
            dropped_at timestamptz,
            store_key text,
            size bigint,
            sha256 text,
            failure text,
            CONSTRAINT ck_exports_status CHECK (status IN ('queued', 'running', 'done', 'failed')),
            CONSTRAINT ck_exports_done_is_whole CHECK (
                status <> 'done' OR (store_key IS NOT NULL AND size IS NOT NULL AND sha256 IS NOT NULL
                                     AND finished_at IS NOT NULL AND expires_at IS NOT NULL)),
            CONSTRAINT ck_exports_failed_with_reason CHECK ((status = 'failed') = (failure IS NOT NULL))
        )""")
    op.execute("CREATE INDEX ix_exports_created ON exports (created_at DESC, id DESC)")
    op.execute("CREATE INDEX ix_exports_expires ON exports (expires_at) WHERE status = 'done' AND dropped_at IS NULL")
    op.execute("""
        CREATE TABLE monthly_reports (
            id bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT pk_monthly_reports PRIMARY KEY,
            customer_id bigint NOT NULL CONSTRAINT fk_monthly_reports_customer_id REFERENCES accounts (id),
            month date NOT NULL,
            figures jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            sent_again_at timestamptz,
            CONSTRAINT uq_monthly_reports_customer_id_month UNIQUE (customer_id, month),
            CONSTRAINT ck_monthly_reports_month_is_first_day CHECK (EXTRACT(day FROM month) = 1)
        )""")
    op.execute("CREATE INDEX ix_monthly_reports_month ON monthly_reports (month, customer_id)")
    op.execute("CREATE INDEX ix_task_requests_created ON task_requests (created_at)")


def drop_exports_and_reports() -> None:
    op.execute("DROP INDEX ix_task_requests_created")
    op.execute("DROP TABLE monthly_reports")
    op.execute("DROP TABLE exports")
