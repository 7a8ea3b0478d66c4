"""The one statement of a search: offers there, hits, counts by category, one page, and what is near if nothing is."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import TextClause, text

from backend.domain.tasks.word_matching import SCORES

DEFAULT_MERIT: Final = 400  # of a task that nobody reviewed: four stars

OFFERS_ANYWHERE: Final = """
    offers AS (SELECT id AS task_id, professionals, CAST(NULL AS integer) AS nearest FROM tasks)
"""
OFFERS_AT_PLACE: Final = """
    offers AS (SELECT task_id, professionals, nearest FROM task_places WHERE place = :pincode)
"""
# A name may stand for several places: the count is that of the one where most serve.
OFFERS_AT_PLACES: Final = """
    offers AS (
        SELECT task_id, max(professionals) AS professionals, min(nearest) AS nearest
          FROM task_places WHERE place = ANY(CAST(:places AS text[])) GROUP BY task_id
    )
"""
OFFERS_WITHIN_RADIUS: Final = """
    near_homes AS MATERIALIZED (
        SELECT p.pincode, metres_from(c.point, p.latitude, p.longitude) AS metres
          FROM centre c JOIN places p
            ON p.latitude IS NOT NULL AND earth_box(c.point, :metres) @> ll_to_earth(p.latitude, p.longitude)
    ),
    offers AS (
        SELECT task_id, CAST(sum(professionals) AS integer) AS professionals, min(metres) AS nearest
          FROM (SELECT h.task_id, h.professionals, n.metres
                  FROM near_homes n JOIN task_homes h ON h.pincode = n.pincode
                 WHERE n.metres <= :metres
                UNION ALL
                SELECT unnest(a.task_ids), 1, f.metres
                  FROM professional_pincodes l
                  JOIN professional_areas a ON a.account_id = l.account_id
                  JOIN places p ON p.pincode = a.pincode, centre c,
                       LATERAL (SELECT metres_from(c.point, p.latitude, p.longitude)) AS f (metres)
                 WHERE l.pincode = :pincode AND f.metres > :metres) AS counted
         GROUP BY task_id
    )
"""
CENTRE_OF_PLACE: Final = """
    centre AS (
        SELECT ll_to_earth(latitude, longitude) AS point FROM places WHERE pincode = :pincode
    )
"""
CENTRE_OF_PLACES: Final = """
    centre AS (
        SELECT ll_to_earth(avg(latitude), avg(longitude)) AS point
          FROM places, unnest(CAST(:places AS text[])) AS place
         WHERE place IN (pincode, state || '/' || district, state)
    )
"""
# Hits are narrow: what is shown of a task is looked up for the page alone.
HITS: Final = """
    wanted AS NOT MATERIALIZED (
        SELECT t.id, t.name, t.category, t.base_price, t.weighted_rating, t.professionals, {relevance} AS relevance,
               coalesce(CAST(t.weighted_rating * 100 AS integer), {default}) AS merit
          FROM tasks t {matching}
         WHERE t.isactive AND t.archived_at IS NULL
           AND (CAST(:max_price AS numeric) IS NULL OR t.base_price <= :max_price)
    ),
    hits AS MATERIALIZED (
        SELECT w.id, w.category, w.relevance, w.merit, o.professionals AS here, o.nearest,
               {k1} AS k1, {k2} AS k2, {k3} AS k3, {k4} AS k4
          FROM wanted w JOIN offers o ON o.task_id = w.id
         WHERE (NOT :somewhere OR o.professionals > 0)
           AND (CAST(:min_rating AS numeric) IS NULL OR w.weighted_rating >= :min_rating)
    )
"""
SORTS: Final = {
    "relevance": ("-w.relevance", "-w.merit", "-o.professionals", "w.id"),
    "price": ("CAST(w.base_price * 100 AS bigint)", "w.id", "0", "0"),
    "rating": ("-coalesce(w.weighted_rating * 100, 0)::integer", "w.id", "0", "0"),
    "distance": ("coalesce(o.nearest, 2147483647)", "-w.relevance", "-w.merit", "w.id"),
}
PAGE: Final = """
    page AS MATERIALIZED (
        SELECT id, here, nearest, k1, k2, k3, k4, row_number() OVER (ORDER BY k1, k2, k3, k4) AS row
          FROM hits
         WHERE (CAST(:category AS text) IS NULL OR plain_text(category) = plain_text(:category)) {after}
         ORDER BY k1, k2, k3, k4 LIMIT :limit + 1
    )
    SELECT (SELECT coalesce(json_agg(json_build_object(
                       'id', t.id, 'name', t.name, 'description', t.description, 'category', t.category,
                       'base_price', t.base_price::text, 'pricing', t.pricing,
                       'currency', t.currency, 'time_required', t.time_required,
                       'isactive', 1, 'rating', t.weighted_rating, 'reviews', t.rating_count, 'professionals', here,
                       'nearest_km', round(nearest / 1000.0, 1), 'picture', t.picture) ORDER BY row), '[]')::text
              FROM page JOIN tasks t ON t.id = page.id WHERE row <= :limit) AS items,
           (SELECT coalesce(json_agg(json_build_object('category', category, 'tasks', tasks) ORDER BY category),
                            '[]')::text
              FROM (SELECT category, count(*) AS tasks FROM hits GROUP BY category) AS counted) AS categories,
           (SELECT ARRAY[k1, k2, k3, k4] FROM page WHERE row = :limit AND (SELECT count(*) FROM page) > :limit) AS last,
           {near} AS near,
           {known} AS is_known
"""
# The nearest places where someone offers any of what was wanted, by the index on points: it stops at the third.
NEAR: Final = """
    CASE WHEN NOT EXISTS (SELECT 1 FROM hits) AND EXISTS (SELECT 1 FROM wanted WHERE professionals > 0) THEN
        (SELECT coalesce(json_agg(json_build_object(
                    'pincode', pincode, 'locality', locality, 'district', district, 'state', state,
                    'distance_km', round(metres / 1000.0, 1), 'task_id', task_id, 'task_name', task_name,
                    'professionals', professionals) ORDER BY metres), '[]')::text
           FROM (SELECT p.pincode, p.locality, p.district, p.state, o.task_id, o.task_name, o.professionals,
                        metres_from((SELECT point FROM centre), p.latitude, p.longitude) AS metres
                   FROM places p
                   JOIN LATERAL (SELECT w.id AS task_id, w.name AS task_name, h.professionals
                                   FROM task_homes h JOIN wanted w ON w.id = h.task_id
                                  WHERE h.pincode = p.pincode
                                  ORDER BY w.relevance DESC, h.professionals DESC, w.id LIMIT 1) AS o ON true
                  WHERE p.latitude IS NOT NULL
                  ORDER BY ll_to_earth(p.latitude, p.longitude) <-> (SELECT point FROM centre) LIMIT 3) AS nearest)
    END
"""
KNOWN: Final = "EXISTS (SELECT 1 FROM places WHERE pincode = :pincode)"


@dataclass(frozen=True, slots=True)
class Where:
    """How one kind of place is asked for: what is offered there, where its middle lies, whether it exists."""

    offers: str
    centre: str = ""
    known: str = "true"


ANYWHERE: Final = Where(OFFERS_ANYWHERE)
AT_PLACE: Final = Where(OFFERS_AT_PLACE, CENTRE_OF_PLACE, KNOWN)
WITHIN_RADIUS: Final = Where(OFFERS_WITHIN_RADIUS, CENTRE_OF_PLACE, KNOWN)
AT_PLACES: Final = Where(OFFERS_AT_PLACES, CENTRE_OF_PLACES)


@cache
def compose(where: Where, *, sort: str, matched: bool, paging: bool) -> TextClause:
    """The statement for one kind of search; what people typed comes in as parameters only."""
    k1, k2, k3, k4 = SORTS[sort]
    hits = HITS.format(
        relevance="CAST(m.score * 1000 AS integer)" if matched else "0",
        matching="JOIN matches m ON m.task_id = t.id" if matched else "",
        default=DEFAULT_MERIT,
        k1=k1,
        k2=k2,
        k3=k3,
        k4=k4,
    )
    page = PAGE.format(
        after="AND (k1, k2, k3, k4) > (:k1, :k2, :k3, :k4)" if paging else "",
        near=NEAR if where.centre else "CAST(NULL AS text)",
        known=where.known,
    )
    parts = [SCORES if matched else "", where.centre, where.offers, hits, page]
    return text("WITH " + ", ".join(part.strip() for part in parts if part))
