"""Initial schema: people, places, tasks, requests, reviews, notifications, audit, jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EXTENSIONS = ("pg_trgm", "btree_gist", "unaccent", "cube", "earthdistance")
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON audit_entries EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON request_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON request_events EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "at", "id"], unique=False)
    op.create_index("ix_audit_entries_actor", "audit_entries", ["actor_id", "at", "id"], unique=False)
    op.create_index("ix_audit_entries_at", "audit_entries", ["at", "id"], unique=False)
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject_id", "at", "id"], unique=False)
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "params", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_job_runs_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("name", "period", name=op.f("uq_job_runs_name_period")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("topic", "key", name=op.f("uq_jobs_topic_key")),
    )
    op.create_index("ix_jobs_done", "jobs", ["done_at"], unique=False, postgresql_where=sa.text("done_at IS NOT NULL"))
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["run_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_parked", "jobs", ["parked_at"], unique=False, postgresql_where=sa.text("parked_at IS NOT NULL")
    )
    op.create_table(
        "localities",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_localities")),
    )
    op.create_index("ix_localities_pincode", "localities", ["pincode"], unique=False)
    op.create_table(
        "market_settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_market_settings")),
    )
    op.create_table(
        "places",
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.Column("locality", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("pincode", name=op.f("pk_places")),
    )
    op.create_index(
        "ix_places_earth",
        "places",
        [sa.literal_column("ll_to_earth(latitude, longitude)")],
        unique=False,
        postgresql_using="gist",
        postgresql_where=sa.text("latitude IS NOT NULL"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("base_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("time_required", sa.BigInteger(), nullable=False),
        sa.Column("isactive", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("base_price > 0 AND base_price <= 10000000", name=op.f("ck_tasks_base_price")),
        sa.CheckConstraint("time_required BETWEEN 5 AND 1440", name=op.f("ck_tasks_time_required")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index("ix_tasks_category", "tasks", ["category"], unique=False)
    op.create_index(
        "uq_tasks_name_key", "tasks", ["name_key"], unique=True, postgresql_where=sa.text("archived_at IS NULL")
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("username_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("firstname", sa.Text(), nullable=False),
        sa.Column("lastname", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_reason", sa.Text(), nullable=True),
        sa.Column("blocked_note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("role IN ('customer', 'professional', 'admin')", name=op.f("ck_accounts_role")),
        sa.CheckConstraint(
            "(blocked_at IS NULL) = (blocked_reason IS NULL)", name=op.f("ck_accounts_blocked_with_reason")
        ),
        sa.ForeignKeyConstraint(["pincode"], ["places.pincode"], name=op.f("fk_accounts_pincode")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email_key", name=op.f("uq_accounts_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_accounts_username_key")),
    )
    op.create_index("ix_accounts_role", "accounts", ["role", "created_at", "id"], unique=False)
    op.create_table(
        "documents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.Column("store_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_documents_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("store_key", name=op.f("uq_documents_store_key")),
    )
    op.create_index(
        "uq_documents_current",
        "documents",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "params", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notifications_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index("ix_notifications_account", "notifications", ["account_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "preferences",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), server_default=sa.text("ARRAY['mail']"), nullable=False),
        sa.Column("gchat_webhook", sa.Text(), nullable=True),
        sa.Column("quiet_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("muted", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_preferences_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_preferences")),
    )
    op.create_table(
        "professionals",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("exp", sa.BigInteger(), nullable=False),
        sa.Column("compname", sa.Text(), nullable=False),
        sa.Column("approval", sa.Text(), server_default=sa.text("'document_missing'"), nullable=False),
        sa.Column("approval_reason", sa.Text(), nullable=True),
        sa.Column("approval_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("radius_km", sa.BigInteger(), server_default=sa.text("10"), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tasks_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "approval IN ('document_missing', 'pending', 'approved', 'rejected', 'expired')",
            name=op.f("ck_professionals_approval"),
        ),
        sa.CheckConstraint("exp BETWEEN 0 AND 60", name=op.f("ck_professionals_exp")),
        sa.CheckConstraint("radius_km BETWEEN 1 AND 200", name=op.f("ck_professionals_radius_km")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_professionals_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_professionals")),
    )
    op.create_index(
        "ix_professionals_approval", "professionals", ["approval", "approval_changed_at", "account_id"], unique=False
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("current_jti", sa.Text(), nullable=False),
        sa.Column("previous_jti", sa.Text(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.CheckConstraint("client IN ('browser', 'api')", name=op.f("ck_sessions_client")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(
        "ix_sessions_account", "sessions", ["account_id"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires_at"], unique=False)
    op.create_table(
        "task_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("task_name", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_professional_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'requested'"), nullable=False),
        sa.Column("date_of_request", sa.DateTime(timezone=True), nullable=False),
        sa.Column("price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("time_required", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.Column("remarks", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("closing_remarks", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("busy", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("professional_id"), "="),
            (sa.column("busy"), "&&"),
            where=sa.text("status = 'accepted'"),
            using="gist",
            name="ex_task_requests_overlap",
        ),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_task_requests_cancelled_has_time")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_task_requests_closed_has_time")
        ),
        sa.CheckConstraint(
            "(status = 'expired') = (expired_at IS NOT NULL)", name=op.f("ck_task_requests_expired_has_time")
        ),
        sa.CheckConstraint("status <> 'accepted' OR busy IS NOT NULL", name=op.f("ck_task_requests_accepted_is_busy")),
        sa.CheckConstraint(
            "status <> 'requested' OR professional_id IS NULL", name=op.f("ck_task_requests_waiting_has_none")
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'accepted', 'completed', 'closed', 'cancelled', 'expired')",
            name=op.f("ck_task_requests_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('accepted', 'completed', 'closed')"
            " OR (professional_id IS NOT NULL AND accepted_at IS NOT NULL)",
            name=op.f("ck_task_requests_taken_has_professional"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('completed', 'closed') OR completed_at IS NOT NULL",
            name=op.f("ck_task_requests_completed_has_time"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_professional_id"], ["accounts.id"], name=op.f("fk_task_requests_asked_professional_id")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["accounts.id"], name=op.f("fk_task_requests_customer_id")),
        sa.ForeignKeyConstraint(["pincode"], ["places.pincode"], name=op.f("fk_task_requests_pincode")),
        sa.ForeignKeyConstraint(["professional_id"], ["accounts.id"], name=op.f("fk_task_requests_professional_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_requests_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_requests")),
    )
    op.create_index(
        "ix_task_requests_closed",
        "task_requests",
        ["closed_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'closed'"),
    )
    op.create_index(
        "ix_task_requests_customer",
        "task_requests",
        ["customer_id", sa.literal_column("date_of_request DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_task_requests_date",
        "task_requests",
        [sa.literal_column("date_of_request DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_task_requests_open",
        "task_requests",
        ["date_of_request", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "ix_task_requests_professional",
        "task_requests",
        ["professional_id", sa.literal_column("date_of_request DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_task_requests_task", "task_requests", ["task_id", sa.literal_column("date_of_request DESC")], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column(
            "params", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'skipped')", name=op.f("ck_deliveries_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_deliveries_account_id")),
        sa.ForeignKeyConstraint(["notification_id"], ["notifications.id"], name=op.f("fk_deliveries_notification_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    op.create_index("ix_deliveries_account", "deliveries", ["account_id", "created_at"], unique=False)
    op.create_index("ix_deliveries_created", "deliveries", ["created_at", "id"], unique=False)
    op.create_table(
        "professional_pincodes",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("pincode", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["professionals.account_id"], name=op.f("fk_professional_pincodes_account_id")
        ),
        sa.ForeignKeyConstraint(["pincode"], ["places.pincode"], name=op.f("fk_professional_pincodes_pincode")),
        sa.PrimaryKeyConstraint("account_id", "pincode", name=op.f("pk_professional_pincodes")),
    )
    op.create_index(
        "ix_professional_pincodes_pincode", "professional_pincodes", ["pincode", "account_id"], unique=False
    )
    op.create_table(
        "professional_tasks",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["professionals.account_id"], name=op.f("fk_professional_tasks_account_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_professional_tasks_task_id")),
        sa.PrimaryKeyConstraint("account_id", "task_id", name=op.f("pk_professional_tasks")),
    )
    op.create_index("ix_professional_tasks_task", "professional_tasks", ["task_id", "account_id"], unique=False)
    op.create_table(
        "request_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_request_events_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_events")),
    )
    op.create_index("ix_request_events_request", "request_events", ["request_id", "id"], unique=False)
    op.create_table(
        "request_rejections",
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["professional_id"], ["accounts.id"], name=op.f("fk_request_rejections_professional_id")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_request_rejections_request_id")),
        sa.PrimaryKeyConstraint("professional_id", "request_id", name=op.f("pk_request_rejections")),
    )
    op.create_table(
        "reviews",
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("professional_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report_reason", sa.Text(), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating")),
        sa.ForeignKeyConstraint(["customer_id"], ["accounts.id"], name=op.f("fk_reviews_customer_id")),
        sa.ForeignKeyConstraint(["professional_id"], ["accounts.id"], name=op.f("fk_reviews_professional_id")),
        sa.ForeignKeyConstraint(["request_id"], ["task_requests.id"], name=op.f("fk_reviews_request_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_reviews_task_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_professional", "reviews", ["professional_id", "created_at"], unique=False)
    op.create_index("ix_reviews_task", "reviews", ["task_id"], unique=False)
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_index("ix_reviews_task", table_name="reviews")
    op.drop_index("ix_reviews_professional", table_name="reviews")
    op.drop_table("reviews")
    op.drop_table("request_rejections")
    op.drop_index("ix_request_events_request", table_name="request_events")
    op.drop_table("request_events")
    op.drop_index("ix_professional_tasks_task", table_name="professional_tasks")
    op.drop_table("professional_tasks")
    op.drop_index("ix_professional_pincodes_pincode", table_name="professional_pincodes")
    op.drop_table("professional_pincodes")
    op.drop_index("ix_deliveries_created", table_name="deliveries")
    op.drop_index("ix_deliveries_account", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("ix_task_requests_task", table_name="task_requests")
    op.drop_index("ix_task_requests_professional", table_name="task_requests")
    op.drop_index("ix_task_requests_open", table_name="task_requests", postgresql_where=sa.text("status = 'requested'"))
    op.drop_index("ix_task_requests_date", table_name="task_requests")
    op.drop_index("ix_task_requests_customer", table_name="task_requests")
    op.drop_index("ix_task_requests_closed", table_name="task_requests", postgresql_where=sa.text("status = 'closed'"))
    op.drop_table("task_requests")
    op.drop_index("ix_sessions_expires", table_name="sessions")
    op.drop_index("ix_sessions_account", table_name="sessions", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("sessions")
    op.drop_index("ix_professionals_approval", table_name="professionals")
    op.drop_table("professionals")
    op.drop_table("preferences")
    op.drop_index("ix_notifications_unread", table_name="notifications", postgresql_where=sa.text("read_at IS NULL"))
    op.drop_index("ix_notifications_account", table_name="notifications")
    op.drop_table("notifications")
    op.drop_index("uq_documents_current", table_name="documents", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("documents")
    op.drop_index("ix_accounts_role", table_name="accounts")
    op.drop_table("accounts")
    op.drop_index("uq_tasks_name_key", table_name="tasks", postgresql_where=sa.text("archived_at IS NULL"))
    op.drop_index("ix_tasks_category", table_name="tasks")
    op.drop_table("tasks")
    op.drop_index(
        "ix_places_earth",
        table_name="places",
        postgresql_using="gist",
        postgresql_where=sa.text("latitude IS NOT NULL"),
    )
    op.drop_table("places")
    op.drop_table("market_settings")
    op.drop_index("ix_localities_pincode", table_name="localities")
    op.drop_table("localities")
    op.drop_index("ix_jobs_parked", table_name="jobs", postgresql_where=sa.text("parked_at IS NOT NULL"))
    op.drop_index("ix_jobs_open", table_name="jobs", postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"))
    op.drop_index("ix_jobs_done", table_name="jobs", postgresql_where=sa.text("done_at IS NOT NULL"))
    op.drop_table("jobs")
    op.drop_table("job_runs")
    op.drop_table("idempotency_keys")
    op.drop_table("heartbeats")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")
    op.drop_index("ix_audit_entries_at", table_name="audit_entries")
    op.drop_index("ix_audit_entries_actor", table_name="audit_entries")
    op.drop_index("ix_audit_entries_action", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_change()")
