"""Professionals who match a request: they offer the task and serve the place; the nearest come first."""

from typing import Any, Final

from sqlalchemy import text

from backend.core.db.session import db

# Homes are looked for by an index, no farther away than the farthest who comes there for this task (kept ready with
# the counts of who is offered where); who lives there or lists the pincode comes from anywhere. The rule stands below.
NEAREST: Final = text("""
    WITH centre AS MATERIALIZED (
        SELECT CASE WHEN latitude IS NOT NULL THEN ll_to_earth(latitude, longitude) END AS point
          FROM places WHERE pincode = :pincode
    ), reach AS MATERIALIZED (
        SELECT distances[cardinality(distances)] + 1 AS far
          FROM task_places WHERE place = :pincode AND task_id = :task_id
    ), candidates AS (
        SELECT a.account_id
          FROM places p JOIN professional_areas a ON a.pincode = p.pincode
         WHERE p.latitude IS NOT NULL AND a.task_ids @> ARRAY[CAST(:task_id AS bigint)]
           AND earth_box((SELECT point FROM centre), (SELECT far FROM reach)) @> ll_to_earth(p.latitude, p.longitude)
        UNION
        SELECT account_id FROM professional_areas WHERE pincode = :pincode
        UNION
        SELECT account_id FROM professional_pincodes WHERE pincode = :pincode
    )
    SELECT p.account_id
      FROM candidates c
      JOIN professional_tasks t ON t.account_id = c.account_id AND t.task_id = :task_id
      JOIN professionals p ON p.account_id = t.account_id AND p.approval = 'approved'
      JOIN accounts a ON a.id = p.account_id AND a.blocked_at IS NULL
      JOIN places home ON home.pincode = a.pincode
      JOIN places there ON there.pincode = :pincode
      CROSS JOIN LATERAL (
        SELECT earth_distance(ll_to_earth(home.latitude, home.longitude),
                              ll_to_earth(there.latitude, there.longitude)) / 1000.0 AS km
      ) distance
     WHERE (CAST(:professional_id AS bigint) IS NULL OR p.account_id = :professional_id)
       AND (distance.km <= p.radius_km OR a.pincode = :pincode OR EXISTS (
             SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode))
     ORDER BY distance.km ASC NULLS LAST, p.account_id
     LIMIT :limit
""")


def nearest(*, task_id: int, pincode: str, limit: int, professional_id: int | None = None) -> list[int]:
    """Return active professionals who do the task and serve the place, the nearest first; or the one named, if so."""
    values: dict[str, Any] = {
        "task_id": task_id,
        "pincode": pincode,
        "limit": limit,
        "professional_id": professional_id,
    }
    return list(db.session.execute(NEAREST, values).scalars())
