"""A professional's inbox: all requests that wait and that they may see, best match first."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert

from backend.core import pagination
from backend.core.authz import Actor
from backend.core.clock import now
from backend.core.database import db
from backend.core.pagination import Page, Window
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import InboxVisit
from backend.domain.task_requests.queries import Filters

SCOPE: Final = "requests:open"
# The smaller the rank the better: does the task, serves the place, distance (in bands, so that a few hundred metres do
# not outweigh the rest), is free then; equals in the order in which they came. Who sees what is visibility.waits_for.
RANKED: Final = """
WITH me AS MATERIALIZED (
    SELECT a.id, a.pincode, p.radius_km, ll_to_earth(home.latitude, home.longitude) AS point,
           ARRAY(SELECT task_id FROM professional_tasks t WHERE t.account_id = a.id) AS tasks,
           ARRAY(SELECT s.pincode FROM professional_pincodes s WHERE s.account_id = a.id) AS pincodes,
           (SELECT range_agg(busy) FROM task_requests t
             WHERE t.professional_id = a.id AND t.status = 'accepted') AS busy
      FROM accounts a JOIN professionals p ON p.account_id = a.id JOIN places home ON home.pincode = a.pincode
     WHERE a.id = :me
), waiting AS (
    SELECT r.*, fit.*, false AS rejected,
           CASE WHEN fit.does_task THEN 0 ELSE 32 END + CASE WHEN fit.serves THEN 0 ELSE 16 END
           + 2 * CASE WHEN fit.distance_km <= 2 THEN 0 WHEN fit.distance_km <= 5 THEN 1
                      WHEN fit.distance_km <= 10 THEN 2 WHEN fit.distance_km <= 25 THEN 3
                      WHEN fit.distance_km <= 50 THEN 4 WHEN fit.distance_km <= 100 THEN 5 ELSE 6 END
           + CASE WHEN fit.is_free THEN 0 ELSE 1 END AS rank
      FROM me
      JOIN task_requests r
        ON r.status = 'requested' AND r.date_of_request > :now
       AND (r.asked_professional_id IS NULL OR r.asked_professional_id = me.id OR r.asked_until <= :now)
       AND NOT EXISTS (SELECT FROM request_rejections n WHERE n.professional_id = me.id AND n.request_id = r.id)
      JOIN places there ON there.pincode = r.pincode
      CROSS JOIN LATERAL (
        SELECT earth_distance(me.point, ll_to_earth(there.latitude, there.longitude)) / 1000.0 AS km OFFSET 0
      ) distance
      CROSS JOIN LATERAL (
        SELECT distance.km AS distance_km,
               r.task_id = ANY (me.tasks) AS does_task,
               coalesce(distance.km <= me.radius_km, false) OR r.pincode = me.pincode
                 OR r.pincode = ANY (me.pincodes) AS serves,
               NOT coalesce(me.busy && tstzrange(r.date_of_request,
                 r.date_of_request + make_interval(mins => CAST(r.time_required AS integer))), false) AS is_free
        OFFSET 0
      ) fit
)
"""
PAGE: Final = text(
    RANKED
    + """
SELECT * FROM waiting
 WHERE (CAST(:task_id AS bigint) IS NULL OR task_id = :task_id)
   AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
   AND (CAST(:starts AS timestamptz) IS NULL OR date_of_request >= :starts)
   AND (CAST(:ends AS timestamptz) IS NULL OR date_of_request < :ends)
   AND (NOT CAST(:matching AS boolean) OR (does_task AND serves))
   AND (NOT CAST(:free AS boolean) OR is_free)
   AND (CAST(:max_km AS bigint) IS NULL OR distance_km <= :max_km)
   AND (CAST(:rank AS bigint) IS NULL OR (rank, created_at, id) > (:rank, CAST(:created_at AS timestamptz), :id))
 ORDER BY rank, created_at, id
 LIMIT :limit
"""
)
COUNTS: Final = text(
    RANKED  # noqa: S608  # both parts are constants
    + """
SELECT count(id) AS waiting,
       count(id) FILTER (WHERE does_task AND serves) AS matching,
       count(id) FILTER (WHERE does_task AND serves AND (seen_at IS NULL OR updated_at > seen_at)) AS new,
       max(seen_at) AS seen_at
  FROM (SELECT (SELECT seen_at FROM inbox_visits v WHERE v.account_id = :me) AS seen_at) visit
  LEFT JOIN waiting ON true
"""
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a professional may narrow the inbox by, beside the filters of every list."""

    matching: bool = False
    free: bool = False
    max_km: int | None = None


def page(actor: Actor, *, filters: Filters, wishes: Wishes, window: Window) -> Page[Row[Any]]:
    """Waiting requests, best match first. A row says ``does_task``, ``serves``, ``is_free``, ``distance_km``."""
    if (filters.status and Status.REQUESTED not in filters.status) or filters.professional_id is not None:
        return Page([], None)
    rank, created_at, last_id = None, None, None
    if window.cursor is not None:
        rank, created_at, last_id = pagination.decode_cursor(SCOPE, window.cursor, length=3)
    values = {
        "me": actor.id,
        "now": now(),
        "task_id": filters.task_id,
        "customer_id": filters.customer_id,
        "starts": filters.span.starts,
        "ends": filters.span.ends,
        "matching": wishes.matching,
        "free": wishes.free,
        "max_km": wishes.max_km,
        "rank": rank,
        "created_at": created_at,
        "id": last_id,
        "limit": window.limit + 1,
    }
    found = db.session.execute(PAGE, values).all()
    return pagination.cut(found, window=window, scope=SCOPE, values=lambda row: (row.rank, row.created_at, row.id))


def counts(actor: Actor) -> dict[str, Any]:
    """How many wait, how many of them match, and how many of those came or changed since the last look."""
    row = db.session.execute(COUNTS, {"me": actor.id, "now": now()}).one()
    return row._asdict()


def look(actor: Actor) -> None:
    """Remember that the professional has seen what waits."""
    statement = insert(InboxVisit).values(account_id=actor.id, seen_at=now())
    db.session.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_={"seen_at": now()}))
