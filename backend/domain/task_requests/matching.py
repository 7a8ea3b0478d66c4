"""The professionals who match a request: they do the task and serve the place, the nearest first."""

from typing import Final

from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.favourites.exclusions import are_excluded
from backend.domain.professionals.service_area import serves

SERVES: Final = serves(
    metres="distance.metres",
    radius="p.radius_km * 1000",
    home="a.pincode",
    place=":pincode",
    is_listed="""EXISTS (
             SELECT FROM professional_pincodes s WHERE s.account_id = p.account_id AND s.pincode = :pincode)""",
)
INCLUDED: Final = f"NOT {are_excluded('CAST(:customer_id AS bigint)', 'a.account_id')}"
# Homes are read by an index, the nearest first, until there are enough, and no farther away than the farthest
# professional who serves the place for this task (kept with the counts of availability). All of the last distance are
# read, so that the id decides among them. Those who list the pincode may live anywhere, and so may those at a place
# without coordinates. The rule follows.
NEARBY: Final = f"""
    centre AS MATERIALIZED (
        SELECT CASE WHEN latitude IS NOT NULL THEN ll_to_earth(latitude, longitude) END AS point
          FROM places WHERE pincode = :pincode
    ), reach AS MATERIALIZED (
        SELECT distances[cardinality(distances)] + 1 AS far
          FROM task_places WHERE place = :pincode AND task_id = :task_id
    ), nearby AS (
        SELECT a.account_id
          FROM places p
          JOIN task_homes h ON h.pincode = p.pincode AND h.task_id = :task_id
          CROSS JOIN LATERAL (
            SELECT metres_from((SELECT point FROM centre), p.latitude, p.longitude) AS metres OFFSET 0
          ) distance
          CROSS JOIN LATERAL (
            SELECT account_id FROM professional_areas
             WHERE pincode = p.pincode AND task_ids @> ARRAY[CAST(:task_id AS bigint)]
               AND (distance.metres <= radius_km * 1000 OR pincode = :pincode)
            OFFSET 0
          ) a
         WHERE p.latitude IS NOT NULL AND {INCLUDED}
           AND earth_box((SELECT point FROM centre), (SELECT far FROM reach)) @> ll_to_earth(p.latitude, p.longitude)
         ORDER BY ll_to_earth(p.latitude, p.longitude) <-> (SELECT point FROM centre)
         FETCH FIRST :limit ROWS WITH TIES
    ), candidates AS (
        SELECT account_id FROM nearby
        UNION
        SELECT account_id FROM professional_areas
         WHERE pincode = :pincode AND NOT EXISTS (SELECT FROM centre WHERE point IS NOT NULL)
        UNION
        SELECT account_id FROM professional_pincodes WHERE pincode = :pincode
    )
"""  # noqa: S608  # all parts are constants
ONLY: Final = "candidates AS (SELECT CAST(:professional_id AS bigint) AS account_id)"
MATCHES: Final = f"""
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
     WHERE {SERVES} AND NOT {are_excluded("CAST(:customer_id AS bigint)", "p.account_id")}
     ORDER BY distance.metres ASC NULLS LAST, p.account_id
     LIMIT :limit
"""  # noqa: S608  # all parts are constants
NEAREST: Final = text(f"WITH {NEARBY} {MATCHES}")  # all parts are constants
ONE: Final = text(f"WITH {ONLY} {MATCHES}")  # all parts are constants


def nearest(
    *, task_id: int, pincode: str, limit: int, customer_id: int | None = None, professional_id: int | None = None
) -> list[int]:
    """Return active professionals who do the task and serve the place, the nearest first.

    With ``professional_id``, only that one, if they do; with ``customer_id``, without those who are not matched with
    this customer.
    """
    values: dict[str, object] = {"task_id": task_id, "pincode": pincode, "limit": limit, "customer_id": customer_id}
    if professional_id is not None:
        return list(db.session.execute(ONE, {**values, "professional_id": professional_id}).scalars())
    return list(db.session.execute(NEAREST, values).scalars())
