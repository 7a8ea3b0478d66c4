"""Requests keep how their start was proven; the dashboard counts visits and price lines, and values are totals.

What is long or concurrent is outside of the migration's transaction, and can be repeated after an interruption. A
dashboard read between the triggers and the recount shows too few visits and lines.
"""

from alembic import op
from sqlalchemy import text

from backend.core.config import current_settings

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
phase = "expand"
allowed = {"renaming-object": "an index is made beside the one that it replaces"}

BATCH = 5_000
# The last start counts: earlier ones were undone, or belong to an acceptance that ended.
BACKFILL = text("""
    WITH batch AS (
        SELECT id FROM task_requests WHERE id > :after ORDER BY id LIMIT :limit
    ), proven AS (
        UPDATE task_requests r
           SET start_proof = CASE e.actor_role WHEN 'customer' THEN 'customer' ELSE 'code' END
          FROM batch b
         CROSS JOIN LATERAL (
            SELECT actor_role FROM request_events
             WHERE request_id = b.id AND action = 'start' ORDER BY id DESC LIMIT 1
         ) e
         WHERE r.id = b.id AND r.started_at IS NOT NULL AND r.start_proof IS NULL
           AND (e.actor_role = 'customer' OR r.start_code_policy IN ('offered', 'required'))
    )
    SELECT max(id) FROM batch
""")

BEFORE = """
    SELECT 'task', r.created_at, r.task_id::text, r.status, 1::bigint, 0::numeric
     UNION ALL
    SELECT 'pincode', r.created_at, r.pincode,
           CASE WHEN r.status IN ('cancelled', 'expired') THEN r.status ELSE '' END, 1, 0
     UNION ALL
    SELECT 'waiting', 'epoch'::timestamptz, '', '', 1, 0 WHERE r.status = 'requested'
     UNION ALL
"""
# Ten minutes late are usual in a city; fifteen are what most customers complain about. `counts.py` has the same rule.
COUNTED_AS = f"""{BEFORE}
    SELECT 'closed', r.closed_at, r.task_id::text, r.currency, 1, r.price + coalesce(r.lines_amount, 0)
     WHERE r.status = 'closed'
     UNION ALL
    SELECT 'lines', r.closed_at, r.task_id::text, r.currency, 1, r.lines_amount
     WHERE r.status = 'closed' AND r.lines_amount IS NOT NULL
     UNION ALL
    SELECT 'visit', r.completed_at,
           CASE WHEN r.started_at IS NULL THEN '' ELSE coalesce(r.start_proof, 'none') END,
           CASE WHEN r.arrived_at IS NULL THEN ''
                WHEN r.arrived_at - r.date_of_request > interval '15 minutes' THEN 'late' ELSE 'in_time' END, 1, 0
     WHERE r.completed_at IS NOT NULL
"""
COUNTED_BEFORE = f"""{BEFORE}
    SELECT 'closed', r.closed_at, r.task_id::text, r.currency, 1, r.price WHERE r.status = 'closed'
"""
COLUMNS_BEFORE = ("status", "task_id", "pincode", "created_at", "closed_at", "price", "currency")
COLUMNS = (
    *COLUMNS_BEFORE,
    *("completed_at", "started_at", "start_proof", "arrived_at", "date_of_request", "lines_amount"),
)
COUNT = """
CREATE OR REPLACE FUNCTION dashboard_measures(r task_requests)
RETURNS TABLE (measure text, at timestamptz, subject text, kind text, total bigint, value numeric)
LANGUAGE sql IMMUTABLE AS $$ {counted_as} $$;
CREATE OR REPLACE TRIGGER recount_for_dashboard AFTER UPDATE ON task_requests
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION count_task_requests_for_dashboard();
"""

CLOSED = "task_requests (closed_at, id) INCLUDE (task_id, price, currency{more}) WHERE status = 'closed'"
COMPLETED = """task_requests (completed_at) INCLUDE (started_at, start_proof, arrived_at, date_of_request)
    WHERE completed_at IS NOT NULL"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "ALTER TABLE task_requests ADD COLUMN IF NOT EXISTS start_proof text,"
            " DROP CONSTRAINT IF EXISTS ck_task_requests_start_proof,"
            " ADD CONSTRAINT ck_task_requests_start_proof CHECK (start_proof IN ('code', 'customer')) NOT VALID"
        )
        op.execute("ALTER TABLE task_requests VALIDATE CONSTRAINT ck_task_requests_start_proof")
        after: int | None = 0
        while after is not None:
            after = op.get_bind().execute(BACKFILL, {"after": after, "limit": BATCH}).scalar_one()
    _count_as(COUNTED_AS, COLUMNS)
    _rebuild()
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for older transactions, and nobody waits for it meanwhile
        _index("ix_task_requests_completed", COMPLETED)
        _index("ix_task_requests_closed", CLOSED.format(more=", lines_amount"))
        op.execute("SET lock_timeout = '3s'")


def downgrade() -> None:
    _count_as(COUNTED_BEFORE, COLUMNS_BEFORE)
    _rebuild()
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_task_requests_completed")
        _index("ix_task_requests_closed", CLOSED.format(more=""))
        op.execute("SET lock_timeout = '3s'")
    op.execute("ALTER TABLE task_requests DROP COLUMN IF EXISTS start_proof")


def _count_as(counted_as: str, columns: tuple[str, ...]) -> None:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    op.execute(COUNT.format(counted_as=counted_as, old=old, new=new))


def _rebuild() -> None:
    """Count all again, once the triggers are committed."""
    with op.get_context().autocommit_block():
        op.execute(text("SELECT rebuild_dashboard_counts(:zone)").bindparams(zone=current_settings().market_timezone))
        op.execute("VACUUM (ANALYZE) dashboard_counts")


def _index(name: str, definition: str) -> None:
    """Make an index, or replace one by another of its name, without a time in which there is none."""
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}_new")
    op.execute(f"CREATE INDEX CONCURRENTLY {name}_new ON {definition}")
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")
