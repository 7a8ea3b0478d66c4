"""What a market keeps besides requests: messages, jobs, sessions, reports and other records, by statements over sets."""

from typing import Final

# Each takes the numbers of the scale as parameters; `pg_temp.dice` is made before, see requests.
NOTIFICATIONS: Final = """
    INSERT INTO notifications (account_id, kind, title, body, request_id, read_at, created_at)
    SELECT %(first_customer)s + floor(power(pg_temp.dice(n, 11), 2) * %(accounts)s)::bigint, 'request_accepted', 'Accepted',
           'Your request was accepted.', 1 + floor(pg_temp.dice(n, 12) * %(requests)s)::bigint,
           CASE WHEN pg_temp.dice(n, 13) < 0.8 THEN %(today)s END,
           %(today)s - interval '390 days' * (1 - n / %(notifications)s::double precision)
      FROM generate_series(1, %(notifications)s) AS n
"""
DELIVERIES: Final = """
    INSERT INTO deliveries (account_id, kind, subject, channel, notification_id, request_id, params, state, attempts,
                            message_id, created_at, sent_at)
    SELECT account_id, kind, 'n' || id, 'mail', id, request_id, '{"task": "Tap repair"}',
           CASE WHEN luck < 0.002 THEN 'failed' WHEN luck < 0.003 THEN 'skipped' ELSE 'sent' END, 1,
           '<' || md5(id::text) || '@example.org>', created_at, created_at
      FROM (SELECT *, pg_temp.dice(id, 14) AS luck FROM notifications) AS n ORDER BY id
"""
REMINDED: Final = """
    INSERT INTO deliveries (account_id, kind, subject, channel, params, state, attempts, message_id, created_at,
                            sent_at, run_id)
    SELECT account_id, 'reminder', (CAST(%(today)s AS date) - day)::text, 'mail', '{"waiting": 3}', 'sent', 1,
           '<' || md5(account_id || 'r' || day) || '@example.org>', at, at, 1000 - day
      FROM professionals, generate_series(1, 3) AS day, LATERAL (SELECT %(today)s - make_interval(days => day)) AS t (at)
"""
ATTEMPTS: Final = """
    INSERT INTO delivery_attempts (delivery_id, number, at, outcome)
    SELECT id, 1, created_at, CASE state WHEN 'sent' THEN 'sent' ELSE 'refused' END FROM deliveries
"""
# The jobs of three days, as long as they are kept, and a few that failed.
JOBS: Final = """
    INSERT INTO jobs (topic, lane, key, payload, created_at, run_at, dispatched_at, attempts, done_at, dead_at)
    SELECT 'notification.deliver', 'bulk', 'd' || n, jsonb_build_object('delivery_id', n), at, at, at, 1,
           CASE WHEN n %% 1000 > 0 THEN at END, CASE WHEN n %% 1000 = 0 THEN at END
      FROM generate_series(1, %(notifications)s) AS n,
           LATERAL (SELECT %(today)s - interval '3 days' * (1 - n / %(notifications)s::double precision)) AS t (at)
"""
RUNS: Final = """
    INSERT INTO job_runs (name, period, status, created_at, started_at, finished_at)
    SELECT name, name || n, 'done', %(today)s - n * every, %(today)s - n * every, %(today)s - n * every
      FROM (VALUES ('housekeeping', interval '1 minute', 2880), ('daily-reminders', interval '1 day', 400),
                   ('availability-recount', interval '1 day', 400), ('document-sweep', interval '1 day', 400),
                   ('monthly-reports', interval '1 month', 13)) AS job (name, every, runs),
           LATERAL generate_series(runs, 1, -1) AS n
     ORDER BY n * every DESC
"""
SESSIONS: Final = """
    INSERT INTO sessions (account_id, client, current_jti, created_at, last_used_at, expires_at, ended_at, end_reason)
    SELECT a.id, 'browser', md5(a.id || 's' || n), at, at, at + interval '30 days',
           CASE WHEN n > 1 THEN at + interval '1 hour' END, CASE WHEN n > 1 THEN 'signed_out' END
      FROM accounts a, generate_series(1, 3) AS n,
           LATERAL (SELECT %(today)s - interval '28 days' * pg_temp.dice(a.id * 4 + n, 15)) AS t (at)
"""
KEYS: Final = """
    INSERT INTO idempotency_keys (account_id, key, fingerprint, created_at, status, body)
    SELECT customer_id, md5(id::text), md5(id::text), %(today)s - interval '1 day' * pg_temp.dice(id, 16), 201,
           decode(repeat('ab', 600), 'hex')
      FROM task_requests WHERE id <= %(requests)s / 100
"""
LINKS: Final = """
    INSERT INTO mailed_links (token_hash, account_id, purpose, email_key, created_at, expires_at, used_at)
    SELECT md5('l' || id), id, 'email_confirmation', email_key, at, at + interval '7 days', at + interval '1 hour'
      FROM accounts, LATERAL (SELECT %(today)s - interval '6 days' * pg_temp.dice(id, 17)) AS t (at)
     WHERE pg_temp.dice(id, 18) < 0.1
"""
FAILURES: Final = """
    INSERT INTO sign_in_failures (account_key, address, at)
    SELECT id::text, '10.' || id %% 250 || '.' || id / 250 %% 250 || '.1', %(today)s - interval '10 minutes' * pg_temp.dice(id, 19)
      FROM accounts WHERE pg_temp.dice(id, 20) < 0.1
"""
CODES: Final = """
    INSERT INTO phone_codes (account_id, phone, code_hash, address, created_at, expires_at, used_at)
    SELECT id, '+91' || 7000000000 + id, '\\x00', '10.0.0.1', at, at, at
      FROM accounts, LATERAL (SELECT %(today)s - interval '1 day' * pg_temp.dice(id, 21)) AS t (at)
     WHERE pg_temp.dice(id, 22) < 0.1
"""
DOCUMENTS: Final = """
    INSERT INTO documents (account_id, filename, content_type, size, sha256, pages, store_key, created_at)
    SELECT account_id, 'certificate.pdf', 'application/pdf', 200000, md5(account_id::text), 1, 'd/' || account_id,
           approval_changed_at
      FROM professionals WHERE approval <> 'document_missing'
"""
REJECTIONS: Final = """
    INSERT INTO request_rejections (professional_id, request_id, reason, at)
    SELECT %(first_professional)s + floor(pg_temp.dice(n, 23) * %(professionals)s)::bigint,
           1 + floor(pg_temp.dice(n, 24) * %(requests)s)::bigint, 'Too far', %(today)s
      FROM generate_series(1, %(requests)s / 20) AS n ON CONFLICT DO NOTHING
"""
VISITS: Final = """
    INSERT INTO inbox_visits (account_id, seen_at)
    SELECT account_id, %(today)s - interval '3 days' * pg_temp.dice(account_id, 25) FROM professionals
"""
REPORTS: Final = """
    INSERT INTO monthly_reports (customer_id, month, figures, created_at)
    SELECT id, month, jsonb_build_object('requested', 1, 'accepted', 1, 'completed', 1, 'closed', 1, 'cancelled', 0,
               'spent', '100.00', 'currency', 'INR', 'professionals_met', 1, 'reviews_given', 0, 'upcoming_count', 0,
               'upcoming', '[]'::jsonb, 'generated_at', month), month
      FROM accounts, LATERAL (SELECT CAST(date_trunc('month', %(today)s) - make_interval(months => n) AS date)
                                FROM generate_series(2, 5) AS n) AS m (month)
     WHERE role = 'customer'
"""
EXPORTS: Final = """
    INSERT INTO exports (requested_by, status, rows, created_at, finished_at, expires_at, dropped_at, store_key, size,
                         sha256)
    SELECT 1, 'done', 10, at, at, at + interval '7 days', at + interval '7 days', 'e' || n, 2000, md5(n::text)
      FROM generate_series(1, %(requests)s / 2000) AS n,
           LATERAL (SELECT %(today)s - interval '3 years' * pg_temp.dice(n, 26)) AS t (at)
"""
AUDIT: Final = """
    INSERT INTO audit_entries (at, actor_id, actor_role, action, subject_id, subject_kind)
    SELECT %(today)s - interval '3 years' * (1 - n / %(audit_entries)s::double precision), 1, 'admin',
           CASE WHEN n %% 10 = 0 THEN 'professional_blocked' ELSE 'professional_approved' END,
           %(first_professional)s + n %% %(professionals)s, 'account'
      FROM generate_series(1, %(audit_entries)s) AS n
"""
# Four messages about six of ten requests that were accepted; of one in fifty, the last is unread by either side.
MESSAGES: Final = """
    INSERT INTO messages (request_id, professional_id, author_id, author_role, body, masked, created_at)
    SELECT r.id, r.professional_id, CASE WHEN n %% 2 = 1 THEN r.customer_id ELSE r.professional_id END,
           CASE WHEN n %% 2 = 1 THEN 'customer' ELSE 'professional' END,
           'The gate is green, please ring twice. Message ' || n, false, r.accepted_at + n * interval '10 minutes'
      FROM task_requests r, generate_series(1, 4) AS n
     WHERE r.professional_id IS NOT NULL AND r.accepted_at IS NOT NULL AND pg_temp.dice(r.id, 27) < 0.6
     ORDER BY r.accepted_at, r.id, n
"""
CONVERSATIONS: Final = """
    INSERT INTO conversations (request_id, professional_id, customer_id, customer_read_to, professional_read_to,
                               customer_unread, professional_unread, created_at, last_message_at)
    SELECT m.request_id, m.professional_id, min(r.customer_id), max(m.id) - unread, max(m.id) - unanswered, unread,
           unanswered, min(m.created_at), max(m.created_at)
      FROM messages m JOIN task_requests r ON r.id = m.request_id,
           LATERAL (SELECT CAST(pg_temp.dice(m.request_id, 28) < 0.02 AS integer) AS unread,
                           CAST(pg_temp.dice(m.request_id, 28) > 0.98 AS integer) AS unanswered) AS luck
     GROUP BY m.request_id, m.professional_id, unread, unanswered
"""
# One of fifty conversations was reported, most of them long ago and settled.
CONVERSATION_REPORTS: Final = """
    INSERT INTO conversation_reports (request_id, professional_id, reporter_id, reporter_role, reason, created_at,
                                      settled_at, settled_by, note)
    SELECT request_id, professional_id, customer_id, 'customer', 'Asked for cash', last_message_at,
           CASE WHEN settled THEN last_message_at + interval '1 day' END, CASE WHEN settled THEN 1 END,
           CASE WHEN settled THEN 'Talked to both' END
      FROM conversations, LATERAL (SELECT pg_temp.dice(request_id, 32) < 0.019 AS settled) AS luck
     WHERE pg_temp.dice(request_id, 32) < 0.02
     ORDER BY last_message_at, request_id
"""
# Two photos of the problem of three in ten requests, and of one in ten before and after the work; the files are not
# there. Those of requests that ended 180 days ago have been removed, as housekeeping does.
PHOTOS: Final = """
    INSERT INTO request_photos (request_id, author_id, author_role, phase, slot, width, height, size, sha256, store_key,
                                thumb_size, thumb_sha256, thumb_store_key, created_at, removed_at,
                                ended_after)
    SELECT r.id, CASE phase WHEN 'problem' THEN r.customer_id ELSE r.professional_id END,
           CASE phase WHEN 'problem' THEN 'customer' ELSE 'professional' END, phase, slot, 1500, 2000, 250000,
           md5(key), 'request-photos/' || key, 12000, md5(key), 'request-photos/' || key || '-thumb', at,
           CASE WHEN ended < %(today)s - interval '180 days' THEN ended + interval '180 days' END,
           CASE WHEN at < %(today)s - interval '180 days' THEN ended END
      FROM task_requests r, unnest(ARRAY['problem', 'before', 'after']) AS phase, generate_series(1, 2) AS slot,
           LATERAL (SELECT r.id || '-' || phase || '-' || slot, coalesce(closed_at, cancelled_at, expired_at, completed_at),
                           CASE phase WHEN 'problem' THEN r.created_at WHEN 'before' THEN r.started_at
                                      ELSE r.completed_at END) AS made (key, ended, at)
     WHERE at IS NOT NULL AND pg_temp.dice(r.id, 29) < CASE phase WHEN 'problem' THEN 0.3 ELSE 0.1 END
     ORDER BY at, r.id, phase, slot
"""
# One of ten requests that were done cost more; the sum is in its ``lines_amount``. One more line was declined. Of one in
# ten whose work has not ended, a line is undecided, as its ``undecided_lines`` say.
PRICE_LINES: Final = """
    INSERT INTO price_lines (request_id, professional_id, kind, title, quantity, unit_amount, amount, state, proposed_at,
                             decided_at, decided_by)
    SELECT r.id, r.professional_id, 'material', 'Two new taps', 2, 125, 250, state, r.completed_at - interval '20 minutes',
           r.completed_at - interval '10 minutes', r.customer_id
      FROM task_requests r, unnest(ARRAY['approved', 'declined']) AS state
     WHERE r.lines_amount IS NOT NULL
     ORDER BY r.id, state
"""
UNDECIDED: Final = """
    INSERT INTO price_lines (request_id, professional_id, kind, title, quantity, unit_amount, amount, state, proposed_at)
    SELECT id, professional_id, 'extra', 'Second tap', 1, 200, 200, 'proposed', accepted_at + interval '1 hour'
      FROM task_requests WHERE undecided_lines > 0
     ORDER BY id
"""
# Three offers for each request whose price is by offer; one task of twenty is priced so.
OFFERS: Final = """
    INSERT INTO offers (request_id, professional_id, amount, note, valid_until, state, slot, made_at, ended_at)
    SELECT r.id, CASE state WHEN 'accepted' THEN r.professional_id
                            ELSE %(first_professional)s + (r.id * 3 + n) %% %(professionals)s END,
           r.price + n * 50, 'Includes material', CASE state WHEN 'live' THEN %(today)s + n * interval '1 day'
                                                             ELSE r.created_at + interval '2 days' END,
           state, CASE state WHEN 'live' THEN n END, r.created_at + n * interval '10 minutes',
           CASE state WHEN 'ended' THEN r.created_at + interval '1 day' END
      FROM task_requests r, generate_series(1, 3) AS n,
           LATERAL (SELECT CASE WHEN r.status = 'requested' THEN 'live'
                                WHEN n = 1 AND r.professional_id IS NOT NULL THEN 'accepted' ELSE 'ended' END) AS s (state)
     WHERE r.from_price IS NOT NULL
     ORDER BY r.created_at, r.id, n
"""
# A checklist of three points for one task of five, ticked where the work was done.
CHECKLISTS: Final = """
    INSERT INTO task_checklists (task_id, points)
    SELECT id, '[{"text": "Power off", "photo": false}, {"text": "Floor dry", "photo": false}, {"text": "Tested", "photo": false}]'
      FROM tasks WHERE id %% 5 = 1
"""
POINTS: Final = """
    INSERT INTO request_checklist_points (request_id, number, text, needs_photo, is_required, done_at, done_by, received_at)
    SELECT r.id, n, 'Point ' || n, false, false, r.completed_at,
           CASE WHEN r.completed_at IS NOT NULL THEN r.professional_id END, r.completed_at
      FROM task_requests r, generate_series(1, 3) AS n
     WHERE r.task_id %% 5 = 1 AND r.professional_id IS NOT NULL
     ORDER BY r.id, n
"""
# Customers keep whose work they rated with five stars; one of two hundred pairs is never matched again.
FAVOURITES: Final = """
    INSERT INTO favourites (customer_id, professional_id, created_at)
    SELECT customer_id, professional_id, min(created_at) FROM reviews
     WHERE rating = 5 AND pg_temp.dice(request_id, 34) < 0.3 GROUP BY customer_id, professional_id
"""
EXCLUSIONS: Final = """
    INSERT INTO exclusions (customer_id, professional_id, set_by, request_id, created_at)
    SELECT customer_id, professional_id, CASE WHEN pg_temp.dice(min(id), 36) < 0.8 THEN 'customer' ELSE 'professional' END,
           min(id), min(accepted_at) + interval '1 day'
      FROM task_requests WHERE professional_id IS NOT NULL AND pg_temp.dice(id, 35) < 0.005
     GROUP BY customer_id, professional_id
"""
# One of ten upcoming visits is shared, by the token "v" and the request's id.
LINKS_OF_VISITS: Final = """
    INSERT INTO visit_links (request_id, token_hash, created_at, check_at)
    SELECT id, encode(sha256(convert_to('v' || id, 'UTF8')), 'hex'), accepted_at,
           date_of_request + make_interval(mins => time_required::integer + 120)
      FROM task_requests
     WHERE status = 'accepted' AND pg_temp.dice(id, 37) < 0.1
"""
STATEMENTS: Final = {
    "notifications": (NOTIFICATIONS,),
    "deliveries": (DELIVERIES, REMINDED),
    "delivery_attempts": (ATTEMPTS,),
    "jobs": (JOBS,),
    "job_runs": (RUNS,),
    "sessions": (SESSIONS,),
    "idempotency_keys": (KEYS,),
    "mailed_links": (LINKS,),
    "sign_in_failures": (FAILURES,),
    "phone_codes": (CODES,),
    "documents": (DOCUMENTS,),
    "request_rejections": (REJECTIONS,),
    "inbox_visits": (VISITS,),
    "monthly_reports": (REPORTS,),
    "exports": (EXPORTS,),
    "audit_entries": (AUDIT,),
    "messages": (MESSAGES,),
    "conversations": (CONVERSATIONS,),
    "conversation_reports": (CONVERSATION_REPORTS,),
    "request_photos": (PHOTOS,),
    "price_lines": (PRICE_LINES, UNDECIDED),
    "offers": (OFFERS,),
    "task_checklists": (CHECKLISTS,),
    "request_checklist_points": (POINTS,),
    "favourites": (FAVOURITES,),
    "exclusions": (EXCLUSIONS,),
    "visit_links": (LINKS_OF_VISITS,),
}
