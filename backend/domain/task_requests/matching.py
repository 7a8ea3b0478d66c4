"""The professionals who match a request: they do the task and serve the place, the nearest first."""

from typing import Final

from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.professionals.service_area import serves

SERVES: Final = serves(
    metres="distance.metres",
    radius="p.radius_km * 1000",
    home="a.pincode",
    place=":pincode",
    is_listed="""EXISTS (
             SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode)""",
)
# Homes are found by an index, no farther away than the farthest professional who serves the place for this task (kept
# with the counts of availability); those who live there or list the pincode, wherever their home is. The rule follows.
NEAREST: Final = text(f"""
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
        SELECT metres_from(ll_to_earth(there.latitude, there.longitude), home.latitude, home.longitude) AS metres
      ) distance
     WHERE (CAST(:professional_id AS bigint) IS NULL OR p.account_id = :professional_id) AND {SERVES}
     ORDER BY distance.metres ASC NULLS LAST, p.account_id
     LIMIT :limit
""")  # noqa: S608  # all parts are constants


def nearest(*, task_id: int, pincode: str, limit: int, professional_id: int | None = None) -> list[int]:
    """Return active professionals who do the task and serve the place, the nearest first.

    With ``professional_id``, only that one, if they do.
    """
    values: dict[str, object] = {
        "task_id": task_id,
        "pincode": pincode,
        "limit": limit,
        "professional_id": professional_id,
    }
    return list(db.session.execute(NEAREST, values).scalars())
