"""Counts kept for the dashboard: triggers append each change, a job adds the changes to the counts.

A change is a row of its own, so that transactions never wait for each other to count. Both tables together are exact at
any time, because a change commits with what it counts, and moves from one table to the other in one statement.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from backend.core.config import current_settings
from backend.core.db.replica import Source
from backend.core.db.session import advisory_lock, db

LATE_AFTER: Final = timedelta(minutes=15)  # an arrival, after the requested time; as in migration 0036
LOCK: Final = "dashboard_counts"  # as in rebuild_dashboard_counts()
ZONE: Final = text("SELECT zone FROM dashboard_zones")
REBUILD: Final = text("SELECT rebuild_dashboard_counts(:zone)")
ADD: Final = text("""
    WITH changes AS (
        DELETE FROM dashboard_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM dashboard_changes LIMIT :limit))
        RETURNING *
    ), summed AS MATERIALIZED (
        SELECT measure, CAST(at AT TIME ZONE :zone AS date) AS day, subject, kind, sum(total) AS total,
               sum(value) AS value
          FROM changes GROUP BY 1, 2, 3, 4
    ), removed AS (
        DELETE FROM dashboard_counts c USING summed s
         WHERE (c.measure, c.day, c.subject, c.kind) = (s.measure, s.day, s.subject, s.kind)
           AND c.total + s.total = 0 AND c.value + s.value = 0
        RETURNING c.measure, c.day, c.subject, c.kind
    ), added AS (
        INSERT INTO dashboard_counts (measure, day, subject, kind, total, value)
        SELECT measure, day, subject, kind, total, value FROM summed
         WHERE (total <> 0 OR value <> 0)
           AND (measure, day, subject, kind) NOT IN (SELECT measure, day, subject, kind FROM removed)
         ORDER BY measure, day, subject, kind
            ON CONFLICT (measure, day, subject, kind)
            DO UPDATE SET total = dashboard_counts.total + excluded.total,
                          value = dashboard_counts.value + excluded.value
    )
    SELECT count(*) FROM changes
""")

# The same rows from two sources: `counts`, with a day, for the statement's range, and `current`, of all days.
CURRENT: Final = """
    changes AS NOT MATERIALIZED (
        SELECT measure, at, CAST(at AT TIME ZONE :zone AS date) AS day, subject, kind, total, value
          FROM dashboard_changes
    ), current AS NOT MATERIALIZED (
        SELECT measure, day, subject, kind, total, value FROM dashboard_counts
         UNION ALL
        SELECT measure, day, subject, kind, total, value FROM changes
    )
"""
KEPT: Final = """
    counts AS NOT MATERIALIZED (
        SELECT measure, day, subject, kind, total, value FROM dashboard_counts WHERE day BETWEEN :first AND :last
         UNION ALL
        SELECT measure, day, subject, kind, total, value FROM changes WHERE at >= :starts AND at < :ends
    )
"""
# For a range that starts or ends within a day, and until the days of another time zone are counted.
COUNTED: Final = """
    counts AS NOT MATERIALIZED (
        SELECT 'task' AS measure, CAST(created_at AT TIME ZONE :zone AS date) AS day, CAST(task_id AS text) AS subject,
               status AS kind, 1 AS total, 0 AS value
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         UNION ALL
        SELECT 'pincode', NULL, pincode, status, 1, 0
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         UNION ALL
        SELECT 'closed', CAST(closed_at AT TIME ZONE :zone AS date), CAST(task_id AS text), currency, 1,
               price + coalesce(lines_amount, 0)
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends
         UNION ALL
        SELECT 'lines', NULL, CAST(task_id AS text), currency, 1, lines_amount
          FROM task_requests
         WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends AND lines_amount IS NOT NULL
         UNION ALL
        SELECT 'visit', NULL, CASE WHEN started_at IS NULL THEN '' ELSE coalesce(start_proof, 'none') END,
               CASE WHEN arrived_at IS NULL THEN ''
                    WHEN arrived_at - date_of_request > :late_after THEN 'late' ELSE 'in_time' END, 1, 0
          FROM task_requests WHERE completed_at >= :starts AND completed_at < :ends
         UNION ALL
        SELECT 'account', NULL, role, '', 1, 0 FROM accounts WHERE created_at >= :starts AND created_at < :ends
    )
"""


def are_kept(source: Source) -> bool:
    """Return whether the counts are of days in the marketplace's time zone: not just after it was changed."""
    return source.execute(ZONE).scalar_one_or_none() == current_settings().market_timezone


def add_changes(*, limit: int) -> int:
    """Add changes to the counts; return how many. All is counted again if the marketplace's time zone was changed."""
    advisory_lock(LOCK)
    if not are_kept(db.session):
        rebuild()
        return 0
    added: int = db.session.execute(ADD, {"zone": current_settings().market_timezone, "limit": limit}).scalar_one()
    return added


def rebuild() -> None:
    """Count everything again. Writes go on meanwhile."""
    db.session.execute(text("SET LOCAL statement_timeout = '1h'"))
    db.session.execute(REBUILD, {"zone": current_settings().market_timezone})
