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

CREATED: Final = text("""
    WITH grouped AS (
        SELECT GROUPING(status) = 0 AS by_day, GROUPING(task_id) = 0 AS by_task,
               date_trunc(:step, created_at AT TIME ZONE :zone)::date AS day, status, task_id, pincode,
               count(*) AS total, count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               count(*) FILTER (WHERE status = 'expired') AS expired
          FROM task_requests WHERE created_at >= :starts AND created_at < :ends
         GROUP BY GROUPING SETS ((date_trunc(:step, created_at AT TIME ZONE :zone)::date, status), (task_id), (pincode))
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY by_day, by_task ORDER BY total DESC, task_id, pincode) AS rank
          FROM grouped
    )
    SELECT r.by_day, r.by_task, r.day, r.status, r.task_id, t.name AS task_name, r.pincode, p.locality, p.district,
           r.total, r.cancelled, r.expired
      FROM ranked r LEFT JOIN tasks t ON t.id = r.task_id LEFT JOIN places p ON p.pincode = r.pincode
     WHERE r.by_day OR r.rank <= :shown
     ORDER BY r.rank
""")

CLOSED: Final = text("""
    WITH grouped AS (
        SELECT GROUPING(task_id) = 0 AS by_task, date_trunc(:step, closed_at AT TIME ZONE :zone)::date AS day, task_id,
               count(*) AS total, sum(price) FILTER (WHERE currency = :currency) AS value
          FROM task_requests WHERE status = 'closed' AND closed_at >= :starts AND closed_at < :ends
         GROUP BY GROUPING SETS ((date_trunc(:step, closed_at AT TIME ZONE :zone)::date), (task_id))
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY by_task ORDER BY value DESC NULLS LAST, task_id) AS rank FROM grouped
    )
    SELECT r.by_task, r.day, r.task_id, t.name AS task_name, r.total, coalesce(r.value, 0) AS value
      FROM ranked r LEFT JOIN tasks t ON t.id = r.task_id
     WHERE NOT r.by_task OR r.rank <= :shown
     ORDER BY r.rank
""")

JOBS: Final = text("""
    SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting,
           count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,
           min(run_at) FILTER (WHERE parked_at IS NULL AND run_at <= :now) AS oldest,
           (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS deliveries_waiting,
           (SELECT count(*) FROM deliveries WHERE state = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS deliveries_failed,
           (SELECT count(*) FROM job_runs WHERE status = 'failed' AND created_at >= :starts AND created_at < :ends)
               AS runs_failed
      FROM jobs WHERE done_at IS NULL
""")
