"""The queries behind the dashboard. Each looks once at what it needs, whatever the number of figures."""

from typing import Final

from sqlalchemy import text

PEOPLE: Final = text("""
    SELECT role, count(*) AS total,
           count(*) FILTER (WHERE blocked_at IS NOT NULL) AS blocked,
           count(*) FILTER (WHERE created_at >= :starts AND created_at < :ends) AS joined
      FROM accounts GROUP BY role
""")

PROFESSIONALS: Final = text("""
    SELECT p.approval, p.stars, count(*) AS total, min(p.since) AS oldest,
           count(*) FILTER (WHERE p.approval_expires_at < :soon) AS expiring
      FROM (SELECT approval, approval_expires_at, coalesce(approval_changed_at, a.created_at) AS since,
                   CASE WHEN rating_count > 0 THEN rating_sum / rating_count ELSE 0 END AS stars
              FROM professionals JOIN accounts a ON a.id = account_id) p
     GROUP BY GROUPING SETS ((p.approval), (p.stars))
""")

WAITING: Final = text("""
    SELECT count(*) AS total, min(created_at) AS oldest,
           count(*) FILTER (WHERE created_at < :impatient) AS unanswered,
           count(*) FILTER (WHERE date_of_request < :tomorrow) AS due_soon,
           (SELECT count(*) FROM task_requests
             WHERE status = 'accepted' AND busy << tstzrange(:now, NULL)) AS overdue
      FROM task_requests WHERE status = 'requested'
""")

# Each part is counted from an index alone and by hashing; GROUPING SETS would sort all rows, many of them on disk.
# A moment finds its step among the steps' first moments: a tenth of what asking the zone for each row's day costs.
CREATED: Final = text("""
    WITH days AS (
        SELECT width_bucket(created_at, CAST(:steps AS timestamptz[])) AS step, status, count(*) AS total
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends GROUP BY 1, 2
    ), by_task AS (
        SELECT task_id, count(*) AS total, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE status = 'expired') AS expired
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         GROUP BY task_id ORDER BY total DESC, task_id LIMIT :shown
    ), by_pincode AS (
        SELECT pincode, count(*) AS total, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE status = 'expired') AS expired
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         GROUP BY pincode ORDER BY total DESC, pincode LIMIT :shown
    )
    SELECT step, status, NULL AS task_id, NULL AS task_name, NULL AS pincode, NULL AS locality, NULL AS district,
           total, NULL AS cancelled, NULL AS expired
      FROM days
     UNION ALL
    SELECT NULL, NULL, b.task_id, t.name, NULL, NULL, NULL, b.total, b.cancelled, b.expired
      FROM by_task b JOIN tasks t ON t.id = b.task_id
     UNION ALL
    SELECT NULL, NULL, NULL, NULL, b.pincode, p.locality, p.district, b.total, b.cancelled, b.expired
      FROM by_pincode b LEFT JOIN places p ON p.pincode = b.pincode
     ORDER BY total DESC, task_id, pincode
""")

CLOSED: Final = text("""
    WITH days AS (
        SELECT width_bucket(closed_at, CAST(:steps AS timestamptz[])) AS step, count(*) AS total,
               coalesce(sum(price) FILTER (WHERE currency = :currency), 0) AS value
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends GROUP BY 1
    ), by_task AS (
        SELECT task_id, count(*) AS total, coalesce(sum(price) FILTER (WHERE currency = :currency), 0) AS value
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends
         GROUP BY task_id ORDER BY value DESC, task_id LIMIT :shown
    )
    SELECT step, NULL AS task_id, NULL AS task_name, total, value FROM days
     UNION ALL
    SELECT NULL, b.task_id, t.name, b.total, b.value FROM by_task b JOIN tasks t ON t.id = b.task_id
     ORDER BY value DESC, task_id
""")

JOBS: Final = text("""
    SELECT count(*) AS waiting,
           (SELECT count(*) FROM jobs WHERE parked_at IS NOT NULL) AS parked,
           min(run_at) FILTER (WHERE run_at <= :now) AS oldest,
           (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS deliveries_waiting,
           (SELECT count(*) FROM deliveries WHERE state = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS deliveries_failed,
           (SELECT count(*) FROM job_runs WHERE status = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS runs_failed
      FROM jobs WHERE done_at IS NULL AND parked_at IS NULL
""")
