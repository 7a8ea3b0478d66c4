"""Professionals who offer a task, as customers choose among them: favourites, then the nearest or the best rated."""

from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from backend.core.db import read_pool
from backend.core.db.pagination import Page, Window, cut, decode_cursor
from backend.domain.favourites.exclusions import are_excluded
from backend.domain.places import queries as places
from backend.domain.professionals.models import MERIT
from backend.domain.professionals.service_area import serves

SCOPE: Final = "offered"
METRES: Final = 1000
SERVES: Final = serves(
    metres="metres",
    radius="coalesce(CAST(:metres AS integer), radius_km * 1000)",
    home="pincode",
    place=":pincode",
    is_listed="listed",
)
ME: Final = "CAST(:me AS bigint)"
IS_FAVOURITE: Final = f"EXISTS (SELECT FROM favourites WHERE customer_id = {ME} AND professional_id = p.account_id)"
# Favourites come first, on pages of their own order. They are few, and read apart from the others; so that a page is
# full, these are read without them, and without those who are not matched with the customer.
FAVOURITES: Final = f"""
    WITH favourite AS MATERIALIZED (SELECT professional_id AS account_id FROM favourites WHERE customer_id = {ME})
"""  # noqa: S608  # all parts are constants
IS_OTHER: Final = f"NOT EXISTS (SELECT FROM favourite f WHERE f.account_id = {{0}}) AND NOT {are_excluded(ME, '{0}')}"
# The nearest are read first, by an index on places, until the page is full.
NEAREST: Final = f"""
    {FAVOURITES}, centre AS MATERIALIZED (
        SELECT CASE WHEN latitude IS NOT NULL THEN ll_to_earth(latitude, longitude) END AS point
          FROM places WHERE pincode = :pincode
    ),
    reach AS MATERIALIZED (
        SELECT least(200000, coalesce(CAST(:metres AS integer),
                                      (SELECT distances[cardinality(distances)] FROM task_places
                                        WHERE place = :pincode AND task_id = :task_id))) AS far
    ),
    nearby AS (
        SELECT a.account_id, measured.metres
          FROM places p
          JOIN task_homes h ON h.pincode = p.pincode AND h.task_id = :task_id
          CROSS JOIN LATERAL (
            SELECT metres_from((SELECT point FROM centre), p.latitude, p.longitude) AS metres OFFSET 0
          ) measured
          CROSS JOIN LATERAL (
            SELECT account_id
              FROM (SELECT account_id, pincode, radius_km, false AS listed, measured.metres FROM professional_areas
                     WHERE pincode = p.pincode AND task_ids @> ARRAY[CAST(:task_id AS bigint)]) home
             WHERE {SERVES}
            OFFSET 0
          ) a
          JOIN professionals r ON r.account_id = a.account_id
         WHERE p.latitude IS NOT NULL
           AND earth_box((SELECT point FROM centre), (SELECT far + 1 FROM reach))
               @> ll_to_earth(p.latitude, p.longitude)
           AND (:first OR :k0 = 0 OR (measured.metres, {MERIT}, r.account_id) > (:k1, :k2, :k3))
           AND {IS_OTHER.format("a.account_id")}
         ORDER BY ll_to_earth(p.latitude, p.longitude) <-> (SELECT point FROM centre)
         FETCH FIRST :limit ROWS WITH TIES
    ),
    elsewhere AS (
        SELECT a.account_id, a.pincode, a.radius_km, l.account_id IS NOT NULL AS listed,
               metres_from((SELECT point FROM centre), p.latitude, p.longitude) AS metres
          FROM (SELECT account_id FROM professional_pincodes WHERE pincode = :pincode
                UNION
                SELECT account_id FROM favourite
                UNION
                SELECT account_id FROM professional_areas
                 WHERE pincode = :pincode AND NOT EXISTS (SELECT FROM centre WHERE point IS NOT NULL)) AS candidate
          JOIN professional_areas a
            ON a.account_id = candidate.account_id AND a.task_ids @> ARRAY[CAST(:task_id AS bigint)]
          JOIN places p ON p.pincode = a.pincode
          LEFT JOIN professional_pincodes l ON l.account_id = a.account_id AND l.pincode = :pincode
         WHERE NOT {are_excluded(ME, "a.account_id")}
    ),
    serving AS (
        SELECT account_id, metres FROM nearby UNION SELECT account_id, metres FROM elsewhere WHERE {SERVES}
    )
"""  # noqa: S608  # all parts are constants
# The page is cut before names are looked up: thousands may do a popular task.
PAGE: Final = """
    page AS (
        SELECT * FROM (
            SELECT p.account_id AS id, p.compname, p.exp, p.rating_count, p.rating_sum, s.metres,
                   CASE WHEN {is_favourite} THEN 0 ELSE 1 END AS k0, coalesce(s.metres, 0) AS k1, {merit} AS k2
              FROM serving s JOIN professionals p ON p.account_id = s.account_id
        ) AS keyed
         WHERE :first OR (k0, k1, k2, id) > (:k0, :k1, :k2, :k3)
         ORDER BY k0, k1, k2, id LIMIT :limit
    )
"""
# Professionals are read by an index, the best rated first, until the page is full; or those of a rare task, sorted.
BEST_OF: Final = """
        SELECT p.account_id AS id, p.compname, p.exp, p.rating_count, p.rating_sum, CAST(NULL AS integer) AS metres,
               {k0} AS k0, 0 AS k1, {merit} AS k2
          FROM professionals p
          JOIN professional_tasks t ON t.account_id = p.account_id AND t.task_id = :task_id
         WHERE EXISTS (SELECT FROM professional_areas a WHERE a.account_id = p.account_id) AND {which} AND {after}
         ORDER BY {merit}, p.account_id LIMIT :limit
"""
BEST: Final = """
    {favourites}, page AS (
        SELECT * FROM (({first}) UNION ALL ({others})) AS keyed ORDER BY k0, k1, k2, id LIMIT :limit
    )
"""
PROFILES: Final = """
    SELECT page.id, a.firstname, compname, exp, rating_count AS reviews, k0, k1, k2,
           CASE WHEN rating_count > 0 THEN round(rating_sum / rating_count::numeric, 2)::float END AS rating,
           round(metres / 1000.0, 1)::float AS distance_km, photo.sha256 AS photo
      FROM page JOIN accounts a ON a.id = page.id
      LEFT JOIN profile_photos photo
        ON photo.account_id = page.id AND photo.replaced_at IS NULL AND photo.state = 'approved'
     ORDER BY k0, k1, k2, page.id
"""
NEAREST_FIRST: Final = text(f"{NEAREST}, {PAGE.format(merit=MERIT, is_favourite=IS_FAVOURITE)} {PROFILES}")
AFTER: Final = f"(:k0 < {{0}} OR (:k0 = {{0}} AND ({MERIT}, p.account_id) > (:k2, :k3)))"


def _best(*, goes_on: bool) -> TextClause:
    """Return the statement of the first page, or of one after a cursor."""
    is_kept = "EXISTS (SELECT FROM favourite f WHERE f.account_id = p.account_id)"
    kinds = f"{is_kept} AND NOT {are_excluded(ME, 'p.account_id')}", IS_OTHER.format("p.account_id")
    first, others = (
        BEST_OF.format(k0=k0, merit=MERIT, which=which, after=AFTER.format(k0) if goes_on else "true")
        for k0, which in enumerate(kinds)
    )
    return text(BEST.format(favourites=FAVOURITES, first=first, others=others) + PROFILES)


BEST_FIRST: Final = _best(goes_on=False)
BEST_AFTER: Final = _best(goes_on=True)


class OfferingProfessional(NamedTuple):
    """A professional who does a task, in the order of the statement's columns.

    ``k0`` (0 for a favourite), ``k1`` and ``k2`` are sort keys, ``photo`` the digest of the photo that is shown.
    """

    id: int
    firstname: str
    compname: str
    exp: int
    reviews: int
    k0: int
    k1: int
    k2: int
    rating: float | None
    distance_km: float | None
    photo: str | None

    @property
    def favourite(self) -> bool:
        """Return whether the customer who reads has kept the professional."""
        return self.k0 == 0


def page(
    *, task_id: int, pincode: str | None, radius_km: int | None, window: Window, customer_id: int | None = None
) -> Page[OfferingProfessional]:
    """Return active professionals who do the task: the nearest to a place first, or else the best rated first.

    Favourites of the customer come before all others; those who are not matched with the customer are left out.

    Raises:
        Invalid: The pincode does not exist.
    """
    keys = decode_cursor(SCOPE, window.cursor, length=4) if window.cursor else (0, 0, 0, 0)
    parameters: dict[str, object] = {"task_id": task_id, "limit": window.limit + 1, "me": customer_id}
    parameters |= dict(zip(("k0", "k1", "k2", "k3"), keys, strict=True))
    statement = BEST_AFTER if window.cursor else BEST_FIRST
    if pincode is not None:
        places.require(pincode)
        statement = NEAREST_FIRST
        metres = radius_km * METRES if radius_km else None
        parameters |= {"pincode": pincode, "metres": metres, "first": window.cursor is None}
    rows = [OfferingProfessional._make(row) for row in read_pool.rows(statement, parameters, behind=True)]
    return cut(rows, window=window, scope=SCOPE, values=lambda row: (row.k0, row.k1, row.k2, row.id))
