"""Professionals at random places, inserted directly."""

from typing import Final

from sqlalchemy import text

from backend.core.db.session import db

PINCODES: Final = ["560001", "560002", "560038", "560066", "562101", "570001", "110001"]
SCATTER: Final = """
    WITH fresh AS (
        INSERT INTO accounts (role, username, username_key, email, email_key, password_hash, firstname, lastname,
                              address, pincode, blocked_at, blocked_reason)
        SELECT 'professional', :mark || n, :mark || n, :mark || n || '@x.org', :mark || n || '@x.org', 'x', 'x', 'x',
               'x', (CAST(:pincodes AS text[]))[1 + floor(random() * cardinality(CAST(:pincodes AS text[])))::int],
               CASE WHEN n % 11 = 0 THEN now() END, CASE WHEN n % 11 = 0 THEN 'x' END
          FROM generate_series(1, 150) n RETURNING id
    ), pros AS (
        INSERT INTO professionals (account_id, exp, compname, radius_km, approval)
        SELECT id, 1, 'x', 1 + floor(random() * 60)::int, CASE WHEN id % 7 = 0 THEN 'pending' ELSE 'approved' END
          FROM fresh RETURNING account_id
    ), listed AS (
        INSERT INTO professional_pincodes (account_id, pincode)
        SELECT account_id, (CAST(:pincodes AS text[]))[1 + account_id % cardinality(CAST(:pincodes AS text[]))]
          FROM pros WHERE account_id % 5 = 0
    )
    INSERT INTO professional_tasks (account_id, task_id) SELECT account_id, :task_id FROM pros WHERE account_id % 4 > 0
"""


def pincodes_nearby() -> list[str]:
    """Return pincodes of which many are close to each other, and some have no coordinates."""
    around = text("SELECT pincode FROM places WHERE pincode LIKE '560%' OR latitude IS NULL ORDER BY pincode LIMIT 60")
    return [*PINCODES, *db.session.execute(around).scalars()]


def scatter(task_id: int, pincodes: list[str], *, seed: float) -> None:
    """Add 150 professionals, most of whom do the task; some are blocked or not approved, some list a pincode."""
    db.session.execute(text("SELECT setseed(:seed)"), {"seed": seed})
    db.session.execute(text(SCATTER), {"mark": "pro", "pincodes": pincodes, "task_id": task_id})
