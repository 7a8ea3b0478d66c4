"""Who does a task at a place, as customers may see them."""

from typing import Any, Final

from sqlalchemy import Row, text

from backend.core.database import db
from backend.core.pagination import Page, Window, cut, decode_cursor
from backend.domain.places import queries as places

SCOPE: Final = "offered"
METRES: Final = 1000
# Homes are looked for no farther away than the farthest who comes there for this task (kept ready with the counts);
# those who list the pincode itself come from anywhere.
AT_PLACE: Final = """
    WITH centre AS (SELECT ll_to_earth(latitude, longitude) AS point FROM places WHERE pincode = :pincode),
    reach AS (
        SELECT least(200000, coalesce(CAST(:metres AS integer),
                                      (SELECT distances[cardinality(distances)] FROM task_places
                                        WHERE place = :pincode AND task_id = :task_id))) AS far
    ),
    candidates AS (
        SELECT a.account_id, a.radius_km, false AS listed, p.latitude, p.longitude
          FROM places p JOIN professional_areas a ON a.pincode = p.pincode
         WHERE p.latitude IS NOT NULL AND a.task_ids @> ARRAY[CAST(:task_id AS bigint)]
           AND earth_box((SELECT point FROM centre), (SELECT far + 1 FROM reach))
               @> ll_to_earth(p.latitude, p.longitude)
        UNION ALL
        SELECT a.account_id, a.radius_km, true, p.latitude, p.longitude
          FROM professional_pincodes l
          JOIN professional_areas a ON a.account_id = l.account_id
          JOIN places p ON p.pincode = a.pincode
         WHERE l.pincode = :pincode AND a.task_ids @> ARRAY[CAST(:task_id AS bigint)]
    ),
    serving AS (
        SELECT account_id, min(metres) AS metres
          FROM (SELECT account_id, radius_km, listed,
                       metres_from((SELECT point FROM centre), latitude, longitude) AS metres
                  FROM candidates) AS measured
         WHERE listed OR metres <= coalesce(CAST(:metres AS integer), radius_km * 1000)
         GROUP BY account_id
    )
"""
ANYWHERE: Final = """
    WITH serving AS (
        SELECT a.account_id, CAST(NULL AS integer) AS metres
          FROM professional_tasks t JOIN professional_areas a ON a.account_id = t.account_id
         WHERE t.task_id = :task_id
    )
"""
# The page is cut before names are looked up: thousands may do a popular task.
PROFILES: Final = """
    , page AS (
        SELECT * FROM (
            SELECT p.account_id AS id, p.compname, p.exp, p.rating_count, p.rating_sum, s.metres,
                   coalesce(s.metres, 0) AS k1,
                   -CAST((12 + p.rating_sum) * 1000 / (3 + p.rating_count) AS integer) AS k2
              FROM serving s JOIN professionals p ON p.account_id = s.account_id
        ) AS keyed
         WHERE :first OR (k1, k2, id) > (:k1, :k2, :k3)
         ORDER BY k1, k2, id LIMIT :limit
    )
    SELECT page.id, a.firstname, compname, exp, rating_count AS reviews, k1, k2,
           CASE WHEN rating_count > 0 THEN round(rating_sum / rating_count::numeric, 2)::float END AS rating,
           round(metres / 1000.0, 1)::float AS distance_km
      FROM page JOIN accounts a ON a.id = page.id
     ORDER BY k1, k2, page.id
"""
NEAREST_FIRST: Final = text(AT_PLACE + PROFILES)
BEST_FIRST: Final = text(ANYWHERE + PROFILES)


def page(*, task_id: int, pincode: str | None, radius_km: int | None, window: Window) -> Page[Row[Any]]:
    """Active professionals who do the task: the nearest to a place first, or else the best rated first.

    Raises Invalid for a pincode that does not exist.
    """
    keys = decode_cursor(SCOPE, window.cursor, length=3) if window.cursor else (0, 0, 0)
    parameters: dict[str, Any] = {"task_id": task_id, "limit": window.limit + 1, "first": window.cursor is None}
    parameters |= dict(zip(("k1", "k2", "k3"), keys, strict=True))
    statement = BEST_FIRST
    if pincode is not None:
        places.require(pincode)
        statement = NEAREST_FIRST
        parameters |= {"pincode": pincode, "metres": radius_km * METRES if radius_km else None}
    rows = db.session.execute(statement, parameters).all()
    return cut(rows, window=window, scope=SCOPE, values=lambda row: (row.k1, row.k2, row.id))
