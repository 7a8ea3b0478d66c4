"""A professional's inbox: all open requests visible to them, best matches first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from backend.core.clock import now
from backend.core.db import pagination, read_pool
from backend.core.db.pagination import Page, Window
from backend.core.db.session import db
from backend.core.security.authz import Actor
from backend.domain.places.distance import metres
from backend.domain.professionals.service_area import home_columns, places_served, serves
from backend.domain.task_requests.access import sees_waiting
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import InboxVisit
from backend.domain.task_requests.queries import RequestFilters
from backend.domain.task_requests.rows import COLUMN_NAMES, WIDTH, Request

SCOPE: Final = "requests:open"
COUNTED: Final = 1000
COLUMNS_OF_R: Final = ", ".join(f"r.{name}" for name in COLUMN_NAMES)
ME: Final = f"""
WITH me AS MATERIALIZED (
    SELECT a.id, {home_columns("p", "home")},
           ARRAY(SELECT task_id FROM professional_tasks t WHERE t.account_id = a.id) AS tasks,
           ARRAY(SELECT s.pincode FROM professional_pincodes s WHERE s.account_id = a.id) AS pincodes,
           (SELECT range_agg(busy) FROM task_requests t
             WHERE t.professional_id = a.id AND t.status = 'accepted') AS busy
      FROM accounts a JOIN professionals p ON p.account_id = a.id JOIN places home ON home.pincode = a.pincode
     WHERE a.id = :me
)"""  # noqa: S608  # all parts are constants
SEEN: Final = sees_waiting(":me")  # not the id of `me`: the planner would not know that it is one professional's
SERVES: Final = serves(
    metres="metres", radius="me.radius", home="me.pincode", place="r.pincode", is_listed="r.pincode = ANY (me.pincodes)"
)
# How well a request matches; the smaller the rank, the better: whether the professional serves its place, then the
# distance (in bands, so that a few hundred metres do not outweigh the rest), then whether they are free at its time.
# Requests of the same rank are in the order of their creation.
FIT: Final = f"""
  JOIN places there ON there.pincode = r.pincode
  CROSS JOIN LATERAL (SELECT {metres("me", "there")} AS metres OFFSET 0) measured
  CROSS JOIN LATERAL (
    SELECT metres / 1000 AS distance_km, {SERVES} AS serves,
           NOT coalesce(me.busy && tstzrange(r.date_of_request,
             r.date_of_request + make_interval(mins => CAST(r.time_required AS integer))), false) AS is_free
    OFFSET 0
  ) fit
"""
TIER: Final = """
    SELECT * FROM (
        SELECT {columns}, {does} AS does_task, false AS rejected, false AS excluded,
               distance_km, fit.serves, fit.is_free,
               {base} + CASE WHEN fit.serves THEN 0 ELSE 16 END
               + 2 * CASE WHEN distance_km <= 2 THEN 0 WHEN distance_km <= 5 THEN 1 WHEN distance_km <= 10 THEN 2
                          WHEN distance_km <= 25 THEN 3 WHEN distance_km <= 50 THEN 4 WHEN distance_km <= 100 THEN 5
                          ELSE 6 END
               + CASE WHEN fit.is_free THEN 0 ELSE 1 END AS rank
          FROM me JOIN task_requests r ON {seen} AND {which} {fit}
         WHERE (CAST(:task_id AS bigint) IS NULL OR r.task_id = :task_id)
           AND (CAST(:customer_id AS bigint) IS NULL OR r.customer_id = :customer_id)
           AND (CAST(:starts AS timestamptz) IS NULL OR r.date_of_request >= :starts)
           AND (CAST(:ends AS timestamptz) IS NULL OR r.date_of_request < :ends)
           AND (NOT CAST(:matching AS boolean) OR ({does} AND fit.serves))
           AND (NOT CAST(:free AS boolean) OR fit.is_free)
           AND (CAST(:max_km AS bigint) IS NULL OR distance_km <= :max_km)
    ) ranked
     WHERE (CAST(:rank AS bigint) IS NULL OR (rank, created_at, id) > (:rank, CAST(:created_at AS timestamptz), :id))
     ORDER BY rank, created_at, id
     LIMIT :limit
"""
NEAR: Final = TIER.format(
    columns=COLUMNS_OF_R,
    seen=SEEN,
    fit=FIT,
    does="true",
    base="0",
    which="r.task_id = ANY (me.tasks) AND r.pincode = ANY (ARRAY(SELECT pincode FROM served))",
)
FAR: Final = TIER.format(
    columns=COLUMNS_OF_R,
    seen=SEEN,
    fit=FIT,
    does="true",
    base="0",
    which="""r.task_id = ANY (me.tasks) AND NOT CAST(:matching AS boolean)
           AND r.pincode NOT IN (SELECT pincode FROM served) AND (SELECT count(*) FROM near) < :limit""",
)
OTHER: Final = TIER.format(
    columns=COLUMNS_OF_R,
    seen=SEEN,
    fit=FIT,
    does="false",
    base="32",
    which="""r.task_id <> ALL (me.tasks) AND NOT CAST(:matching AS boolean)
           AND (SELECT count(*) FROM near) + (SELECT count(*) FROM far) < :limit""",
)
# Requests of the professional's own tasks in the places that they serve come first, by an index; those elsewhere, and
# the many of other tasks, are read only where these do not fill the page.
PAGE: Final = text(
    f"""{ME}, served AS MATERIALIZED (
    {places_served("me")}
), near AS MATERIALIZED ({NEAR}), far AS MATERIALIZED ({FAR}), other AS MATERIALIZED ({OTHER})
SELECT *, coalesce((SELECT professional_unread FROM conversations c
                     WHERE c.request_id = tiers.id AND c.professional_id = :me), 0) AS unread_messages
  FROM (SELECT * FROM near UNION ALL SELECT * FROM far UNION ALL SELECT * FROM other) tiers
 ORDER BY rank, created_at, id LIMIT :limit
"""  # noqa: S608  # all parts are constants
)
# The pincodes that a professional serves are found first, by an index, and the requests by them and by the tasks, so
# that requests elsewhere are not read.
COUNTS: Final = text(
    f"""{ME}, served AS MATERIALIZED (
    {places_served("me")}
), visit AS MATERIALIZED (
    SELECT (SELECT seen_at FROM inbox_visits v WHERE v.account_id = :me) AS seen_at
), matching AS MATERIALIZED (
    SELECT r.updated_at > coalesce(visit.seen_at, '-infinity') AS is_new
      FROM me CROSS JOIN visit JOIN task_requests r ON {SEEN}
       AND r.task_id = ANY (me.tasks) AND r.pincode = ANY (ARRAY(SELECT pincode FROM served))
)
SELECT (SELECT count(*) FROM (SELECT FROM me JOIN task_requests r ON {SEEN} LIMIT :most) seen) AS waiting,
       least((SELECT count(*) FROM matching), :most) AS matching,
       least((SELECT count(*) FROM matching WHERE is_new), :most) AS new,
       visit.seen_at
  FROM visit
"""  # noqa: S608  # all parts are constants
)


@dataclass(frozen=True, slots=True)
class InboxFilters:
    """Filters of the inbox, besides those of every list."""

    matching: bool = False
    free: bool = False
    max_km: int | None = None


class InboxItem(NamedTuple):
    """A waiting request, and how well it matches the professional; a smaller ``rank`` is the better match."""

    request: Request
    distance_km: float | None
    serves: bool
    is_free: bool
    rank: int
    unread_messages: int


def page(actor: Actor, *, filters: RequestFilters, inbox_filters: InboxFilters, window: Window) -> Page[InboxItem]:
    """Return requests that wait and that the professional sees, best match first."""
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
        "starts": filters.dates.starts,
        "ends": filters.dates.ends,
        "matching": inbox_filters.matching,
        "free": inbox_filters.free,
        "max_km": inbox_filters.max_km,
        "rank": rank,
        "created_at": created_at,
        "id": last_id,
        "limit": window.limit + 1,
    }
    rows = read_pool.rows(PAGE, values, behind=True)
    items = [InboxItem(Request._make(row[:WIDTH]), *row[WIDTH:]) for row in rows]
    return pagination.cut(items, window=window, scope=SCOPE, values=_position)


def _position(item: InboxItem) -> tuple[int, datetime, int]:
    return item.rank, item.request.created_at, item.request.id


class InboxCounts(NamedTuple):
    """Requests that wait, those that match, and those of them that arrived or changed since the last visit."""

    waiting: int
    matching: int
    new: int
    seen_at: datetime | None


def counts(actor: Actor) -> InboxCounts:
    """Return how many requests are in the inbox, each number counted up to 1,000."""
    return InboxCounts._make(read_pool.one(COUNTS, {"me": actor.id, "now": now(), "most": COUNTED}, behind=True))


def mark_seen(actor: Actor) -> None:
    """Record that the professional has visited the inbox."""
    statement = insert(InboxVisit).values(account_id=actor.id, seen_at=now())
    db.session.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_={"seen_at": now()}))
