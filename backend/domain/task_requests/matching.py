"""Which professionals suit a request: they do the task, serve the place, and the nearest come first."""

from typing import Any, Final

from sqlalchemy import text

from backend.core.database import db

NEAREST: Final = text("""
    SELECT p.account_id
      FROM professional_tasks t
      JOIN professionals p ON p.account_id = t.account_id AND p.approval = 'approved'
      JOIN accounts a ON a.id = p.account_id AND a.blocked_at IS NULL
      JOIN places home ON home.pincode = a.pincode
      JOIN places there ON there.pincode = :pincode
      CROSS JOIN LATERAL (
        SELECT earth_distance(ll_to_earth(home.latitude, home.longitude),
                              ll_to_earth(there.latitude, there.longitude)) / 1000.0 AS km
      ) distance
     WHERE t.task_id = :task_id
       AND (distance.km <= p.radius_km OR a.pincode = :pincode OR EXISTS (
              SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode))
     ORDER BY distance.km ASC NULLS LAST, p.account_id
     LIMIT :limit
""")


def nearest(*, task_id: int, pincode: str, limit: int) -> list[int]:
    """Active professionals who do the task and serve the place, the nearest first."""
    values: dict[str, Any] = {"task_id": task_id, "pincode": pincode, "limit": limit}
    return list(db.session.execute(NEAREST, values).scalars())
