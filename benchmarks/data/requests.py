"""Requests of three years in every state, their reviews and last changes: statements over sets of rows.

A row's values are drawn from a hash of its number, so that a market is the same each time, in whatever order and by
however many statements its rows are written.
"""

from typing import Final

YEARS: Final = "interval '1095 days'"
AHEAD: Final = "interval '21 days'"
# dice(n, die): a number from 0 up to 1 for row n, for each die another.
DICE: Final = """
    CREATE FUNCTION pg_temp.dice(n bigint, die bigint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT (hashint8extended(n, die) & 4503599627370495) / 4503599627370496.0::double precision'
"""
PREPARED: Final = (
    DICE,
    """
    CREATE TEMP TABLE doers AS
    SELECT t.task_id, row_number() OVER (PARTITION BY t.task_id ORDER BY t.account_id) AS n, t.account_id
      FROM professional_tasks t JOIN professionals p ON p.account_id = t.account_id AND p.approval = 'approved'
    """,
    """
    CREATE TEMP TABLE offered AS
    SELECT row_number() OVER (ORDER BY id) AS n, id AS task_id, name, base_price AS price, time_required AS minutes,
           (SELECT count(*) FROM doers d WHERE d.task_id = t.id) AS doers
      FROM tasks t
    """,
    "ANALYZE doers, offered",
)
DRAWN: Final = f"""
    WITH drawn AS (
        SELECT id, %(first_customer)s + floor(pg_temp.dice(id, 1) * %(customers)s)::bigint AS customer_id,
               1 + floor(power(pg_temp.dice(id, 2), 1.5) * %(tasks)s)::bigint AS task, pg_temp.dice(id, 4) AS fate
          FROM generate_series(1, %(requests)s) AS id
    ), fated AS (
        SELECT d.id, d.customer_id, o.task_id, o.name, o.price, o.minutes,
               1 + floor(pg_temp.dice(d.id, 3) * o.doers)::bigint AS doer,
               CASE WHEN fate < 0.03 OR o.doers = 0 THEN 'requested' WHEN fate < 0.05 THEN 'accepted'
                    WHEN fate < 0.79 THEN 'closed' WHEN fate < 0.82 THEN 'completed'
                    WHEN fate < 0.93 THEN 'cancelled' ELSE 'expired' END AS status
          FROM drawn d JOIN offered o ON o.n = d.task
    ), dated AS (
        SELECT f.*, CASE WHEN status IN ('requested', 'accepted') THEN %(today)s + {AHEAD} * pg_temp.dice(id, 5)
                         ELSE %(today)s - {YEARS} * power(pg_temp.dice(id, 5), 2) END AS date
          FROM fated f
    ), made AS (
        SELECT d.*, w.account_id AS professional_id, date + make_interval(mins => minutes::integer) AS done,
               (CASE status WHEN 'requested' THEN %(today)s WHEN 'accepted' THEN %(today)s - interval '2 hours'
                            ELSE date - interval '1 hour' END) - interval '96 hours' * pg_temp.dice(id, 6) AS created
          FROM dated d LEFT JOIN doers w
            ON w.task_id = d.task_id AND w.n = d.doer AND status IN ('accepted', 'completed', 'closed')
    )
"""
INSERTED: Final = """
    INSERT INTO task_requests (
        id, task_id, task_name, customer_id, professional_id, status, date_of_request, price, currency, time_required,
        address, pincode, remarks, closing_remarks, busy, created_at, updated_at, accepted_at, completed_at, closed_at,
        cancelled_at, expired_at, reviewed_at, on_the_way_at, arrived_at, started_at, lines_amount,
        start_proof, from_price, undecided_lines)
"""
SHOWN: Final = """
    SELECT m.id, task_id, name, customer_id, professional_id, status, date, price, 'INR', minutes, '12 MG Road',
           a.pincode, 'Please call first', CASE status WHEN 'closed' THEN 'Done' ELSE '' END,
           CASE status WHEN 'accepted' THEN tstzrange(date, done) END, created, created,
           CASE WHEN status IN ('accepted', 'completed', 'closed') THEN created + (date - created) / 3 END,
           CASE WHEN status IN ('completed', 'closed') THEN done END,
           CASE status WHEN 'closed' THEN done + (done - date) END,
           CASE status WHEN 'cancelled' THEN created + (date - created) / 2 END,
           CASE status WHEN 'expired' THEN date END,
           CASE WHEN status IN ('completed', 'closed') AND pg_temp.dice(m.id, 7) < 0.3 THEN done END,
           CASE WHEN visited THEN date - interval '25 minutes' END, CASE WHEN visited THEN date END,
           CASE WHEN visited THEN date + interval '2 minutes' END,
           CASE WHEN status IN ('completed', 'closed') AND pg_temp.dice(m.id, 30) < 0.1 THEN 250 END,
           CASE WHEN NOT visited THEN NULL WHEN pg_temp.dice(m.id, 31) < 0.5 THEN 'code'
                WHEN pg_temp.dice(m.id, 31) < 0.7 THEN 'customer' END,
           CASE WHEN task_id %% 20 = 0 THEN price END,
           CASE WHEN status = 'accepted' AND pg_temp.dice(m.id, 33) < 0.1 THEN 1 ELSE 0 END
"""
# Most visits were reported.
VISITED: Final = """
      FROM made m JOIN accounts a ON a.id = m.customer_id
      CROSS JOIN LATERAL (
          SELECT status IN ('completed', 'closed') AND pg_temp.dice(m.id, 9) < 0.7 AS visited
      ) visit
"""
REQUESTS: Final = (
    f"{DRAWN} {INSERTED} {SHOWN} {VISITED} WHERE status <> 'accepted'",
    # One accepted request for each professional at most: two could overlap.
    f"""{DRAWN}, earliest AS (
        SELECT DISTINCT ON (professional_id) * FROM made WHERE status = 'accepted' ORDER BY professional_id, id
    ) {INSERTED} {SHOWN} {VISITED.replace("made", "earliest")}""",
)
REVIEWS: Final = """
    INSERT INTO reviews (request_id, customer_id, professional_id, task_id, rating, comment, created_at)
    SELECT id, customer_id, professional_id, task_id,
           CASE WHEN luck < 0.03 THEN 1 WHEN luck < 0.07 THEN 2 WHEN luck < 0.17 THEN 3 WHEN luck < 0.5 THEN 4 ELSE 5 END,
           'Good work', reviewed_at
      FROM task_requests, LATERAL (SELECT pg_temp.dice(id, 8)) AS drawn (luck)
     WHERE reviewed_at IS NOT NULL
"""
EVENTS: Final = """
    INSERT INTO request_events (request_id, at, action, actor_id, actor_role, from_status, to_status)
    SELECT r.id, e.at, e.action, e.actor_id, e.actor_role, e.from_status, e.to_status
      FROM task_requests r, LATERAL (VALUES
          (1, created_at, 'create', customer_id, 'customer', NULL, 'requested'),
          (2, accepted_at, 'accept', professional_id, 'professional', 'requested', 'accepted'),
          (3, completed_at, 'complete', professional_id, 'professional', 'accepted', 'completed'),
          (4, closed_at, 'close', professional_id, 'professional', 'completed', 'closed'),
          (5, cancelled_at, 'cancel', customer_id, 'customer', 'requested', 'cancelled'),
          (6, expired_at, 'expire', NULL, 'market', 'requested', 'expired')
      ) AS e (step, at, action, actor_id, actor_role, from_status, to_status)
     WHERE r.id > %(requests)s * 9 / 10 AND e.at IS NOT NULL
     ORDER BY r.id, e.step
"""
