"""Counts for the dashboard are kept by triggers; indexes for it and for the list of cancellations.

The triggers are committed before the rows that exist are counted, so that nobody waits for the counting. An attempt
that was interrupted is repeated from its start.
"""

from alembic import op
from sqlalchemy import text

from backend.core.config import current_settings

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS dashboard_counts (
    measure text NOT NULL, day date NOT NULL, subject text NOT NULL, kind text NOT NULL,
    total bigint NOT NULL, value numeric(14, 2) NOT NULL,
    CONSTRAINT pk_dashboard_counts PRIMARY KEY (measure, day, subject, kind) INCLUDE (total, value)
);
CREATE TABLE IF NOT EXISTS dashboard_changes (
    measure text NOT NULL, at timestamptz NOT NULL, subject text NOT NULL, kind text NOT NULL,
    total bigint NOT NULL, value numeric(14, 2) NOT NULL
);
CREATE TABLE IF NOT EXISTS dashboard_zones (zone text NOT NULL, CONSTRAINT pk_dashboard_zones PRIMARY KEY (zone));
"""

# What one row of each table is counted as. `epoch`: a count that has no day.
COUNTED_AS = {
    "task_requests": """
        SELECT 'task', r.created_at, r.task_id::text, r.status, 1::bigint, 0::numeric
         UNION ALL
        SELECT 'pincode', r.created_at, r.pincode,
               CASE WHEN r.status IN ('cancelled', 'expired') THEN r.status ELSE '' END, 1, 0
         UNION ALL
        SELECT 'closed', r.closed_at, r.task_id::text, r.currency, 1, r.price WHERE r.status = 'closed'
         UNION ALL
        SELECT 'waiting', 'epoch'::timestamptz, '', '', 1, 0 WHERE r.status = 'requested'
    """,
    "accounts": """
        SELECT 'account', r.created_at, r.role, '', 1::bigint, 0::numeric
         UNION ALL
        SELECT 'blocked', 'epoch'::timestamptz, r.role, '', 1, 0 WHERE r.blocked_at IS NOT NULL
    """,
    "professionals": """
        SELECT 'approval', 'epoch'::timestamptz, r.approval, '', 1::bigint, 0::numeric
         UNION ALL
        SELECT 'stars', 'epoch'::timestamptz,
               (CASE WHEN r.rating_count > 0 THEN r.rating_sum / r.rating_count ELSE 0 END)::text, '', 1, 0
         UNION ALL
        SELECT 'expiring', r.approval_expires_at, '', '', 1, 0
         WHERE r.approval = 'approved' AND r.approval_expires_at IS NOT NULL
    """,
}
# An update is counted only if one of these differs.
COLUMNS = {
    "task_requests": ("status", "task_id", "pincode", "created_at", "closed_at", "price", "currency"),
    "accounts": ("role", "created_at", "blocked_at"),
    "professionals": ("approval", "approval_expires_at", "rating_count", "rating_sum"),
}

FUNCTIONS = """
CREATE OR REPLACE FUNCTION dashboard_measures(r {table})
RETURNS TABLE (measure text, at timestamptz, subject text, kind text, total bigint, value numeric)
LANGUAGE sql IMMUTABLE AS $$ {counted_as} $$;

CREATE OR REPLACE FUNCTION count_{table}_for_dashboard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboard_changes (measure, at, subject, kind, total, value)
    SELECT measure, at, subject, kind, sum(total), sum(value)
      FROM (SELECT * FROM dashboard_measures(NEW) WHERE TG_OP <> 'DELETE'
             UNION ALL
            SELECT measure, at, subject, kind, -total, -value FROM dashboard_measures(OLD) WHERE TG_OP <> 'INSERT') c
     GROUP BY measure, at, subject, kind
    HAVING sum(total) <> 0 OR sum(value) <> 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER count_for_dashboard AFTER INSERT OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION count_{table}_for_dashboard();
CREATE OR REPLACE TRIGGER recount_for_dashboard AFTER UPDATE ON {table}
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION count_{table}_for_dashboard();
"""

# Each statement has a snapshot of its own. That of the second contains a change either in its table and among the
# changes, which are deleted, or in neither of them.
REBUILD = """
CREATE OR REPLACE FUNCTION rebuild_dashboard_counts(new_zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('dashboard_counts', 0));
    DELETE FROM dashboard_counts;
    WITH gone AS (DELETE FROM dashboard_changes), counted AS (
        SELECT m.* FROM task_requests r, dashboard_measures(r) m
         UNION ALL
        SELECT m.* FROM accounts r, dashboard_measures(r) m
         UNION ALL
        SELECT m.* FROM professionals r, dashboard_measures(r) m
    )
    INSERT INTO dashboard_counts (measure, day, subject, kind, total, value)
    SELECT measure, (at AT TIME ZONE new_zone)::date, subject, kind, sum(total), sum(value)
      FROM counted GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
    DELETE FROM dashboard_zones;
    INSERT INTO dashboard_zones (zone) VALUES (new_zone);
END $$;
"""


INDEXES = {
    "ix_task_requests_since": "task_requests (created_at) WHERE status = 'requested'",
    "ix_request_events_let_down": """
        request_events (at, actor_id) INCLUDE (actor_role) WHERE action IN ('cancel', 'release')""",
    "ix_request_events_let_down_by": "request_events (actor_id, at) WHERE action IN ('cancel', 'release')",
}


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(REBUILD)
    for table, counted_as in COUNTED_AS.items():
        old, new = (", ".join(f"{row}.{column}" for column in COLUMNS[table]) for row in ("OLD", "NEW"))
        op.execute(FUNCTIONS.format(table=table, counted_as=counted_as, old=old, new=new))
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for older transactions, and nobody waits for it meanwhile
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
        op.execute(text("SELECT rebuild_dashboard_counts(:zone)").bindparams(zone=current_settings().market_timezone))
        op.execute("VACUUM (ANALYZE) dashboard_counts")
        op.execute("SET lock_timeout = '10s'")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute(
        "CREATE INDEX ix_request_events_let_down ON request_events (at, actor_id) WHERE action IN ('cancel', 'release')"
    )
    for table in COUNTED_AS:
        op.execute(f"DROP FUNCTION count_{table}_for_dashboard() CASCADE")  # with its triggers
        op.execute(f"DROP FUNCTION dashboard_measures({table})")
    op.execute("DROP FUNCTION rebuild_dashboard_counts(text)")
    for name in ("dashboard_counts", "dashboard_changes", "dashboard_zones"):
        op.drop_table(name)
