"""Read public profiles: one statement for a profile, one for a page of its reviews, whatever their number."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from psycopg.rows import TupleRow
from sqlalchemy import text

from backend.core.clock import now
from backend.core.db import pagination, read_pool
from backend.core.db.pagination import Page, Window
from backend.core.errors import NotFound

SCOPE: Final = "profile_reviews"
ANSWERS: Final = 50  # the latest of each kind that the response time is made of
LEAST_ANSWERS: Final = 3
DISTRICTS: Final = 5
HOUR: Final = 3600
# Bands rather than minutes: a median of a few answers is not more exact than that.
BANDS: Final = (
    (HOUR, "within_1_hour"),
    (4 * HOUR, "within_4_hours"),
    (12 * HOUR, "within_12_hours"),
    (24 * HOUR, "within_1_day"),
    (72 * HOUR, "within_3_days"),
)
SLOWEST: Final = "over_3_days"
RESPONSE_TIMES: Final = (*(band for _, band in BANDS), SLOWEST)
IS_ACTIVE: Final = """
    a.blocked_at IS NULL AND p.approval = 'approved'
    AND (p.approval_expires_at IS NULL OR p.approval_expires_at > :now)
"""
# The response time is the time from a request's creation to its acceptance or rejection, of the latest by index.
PROFILE: Final = """
    SELECT a.id, a.firstname, p.compname, p.exp, p.about, photo.sha256 AS photo,
           CASE WHEN p.rating_count > 0 THEN p.rating::float END AS rating,
           p.rating_counts, p.rating_count AS reviews, p.tasks_done,
           p.approval_expires_at AS verified_until, a.created_at AS member_since,
           ARRAY(SELECT t.id FROM professional_tasks o JOIN tasks t ON t.id = o.task_id
                  WHERE o.account_id = a.id AND t.isactive AND t.archived_at IS NULL ORDER BY t.name, t.id) AS task_ids,
           ARRAY(SELECT t.name FROM professional_tasks o JOIN tasks t ON t.id = o.task_id
                  WHERE o.account_id = a.id AND t.isactive AND t.archived_at IS NULL ORDER BY t.name, t.id) AS names,
           ARRAY(SELECT t.base_price FROM professional_tasks o JOIN tasks t ON t.id = o.task_id
                  WHERE o.account_id = a.id AND t.isactive AND t.archived_at IS NULL ORDER BY t.name, t.id) AS prices,
           ARRAY(SELECT t.pricing FROM professional_tasks o JOIN tasks t ON t.id = o.task_id
                  WHERE o.account_id = a.id AND t.isactive AND t.archived_at IS NULL ORDER BY t.name, t.id) AS pricings,
           ARRAY(SELECT served.district || ', ' || served.state
                   FROM (SELECT l.district, l.state, bool_or(l.pincode = a.pincode) AS is_home, count(*) AS pincodes
                           FROM places l
                          WHERE l.pincode = a.pincode
                             OR l.pincode IN (SELECT n.pincode FROM professional_pincodes n WHERE n.account_id = a.id)
                          GROUP BY l.district, l.state
                          ORDER BY is_home DESC, pincodes DESC, l.district LIMIT :districts) AS served) AS area,
           (SELECT CASE WHEN count(*) >= :least
                        THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM waited))::float END
              FROM ((SELECT r.accepted_at - r.created_at AS waited FROM task_requests r
                      WHERE r.professional_id = a.id AND r.accepted_at IS NOT NULL
                      ORDER BY r.date_of_request DESC, r.id DESC LIMIT :answers)
                    UNION ALL
                    (SELECT j.at - r.created_at FROM request_rejections j JOIN task_requests r ON r.id = j.request_id
                      WHERE j.professional_id = a.id ORDER BY j.request_id DESC LIMIT :answers)) AS answers) AS median
      FROM accounts a
      JOIN professionals p ON p.account_id = a.id
      LEFT JOIN profile_photos photo
        ON photo.account_id = a.id AND photo.replaced_at IS NULL AND photo.state = 'approved'
     WHERE a.id = :id
"""
OWN: Final = text(PROFILE)
PUBLIC: Final = text(f"{PROFILE} AND {IS_ACTIVE}")
REVIEWS: Final = """
    SELECT listed.* FROM accounts a
      JOIN professionals p ON p.account_id = a.id
      LEFT JOIN LATERAL (
           SELECT v.rating, v.comment, v.created_at, q.task_name, v.reply, v.request_id
             FROM reviews v JOIN task_requests q ON q.id = v.request_id
            WHERE v.professional_id = a.id AND v.hidden_at IS NULL {after}
            ORDER BY v.created_at DESC, v.request_id DESC LIMIT :rows) AS listed ON true
     WHERE a.id = :id AND {active}
     ORDER BY listed.created_at DESC, listed.request_id DESC
"""
ACTIVE_IDS: Final = text(f"""
    SELECT p.account_id FROM professionals p JOIN accounts a ON a.id = p.account_id
     WHERE p.account_id > :after AND p.account_id <= :upto AND {IS_ACTIVE} ORDER BY p.account_id
""")  # noqa: S608  # all parts are constants
LAST_ID: Final = text("SELECT coalesce(max(account_id), 0) FROM professionals")
AFTER: Final = "AND (v.created_at, v.request_id) < (:created_at, CAST(:request_id AS bigint))"
FIRST_REVIEWS: Final = text(REVIEWS.format(after="", active=IS_ACTIVE))
MORE_REVIEWS: Final = text(REVIEWS.format(after=AFTER, active=IS_ACTIVE))


class OfferedTask(NamedTuple):
    """A task that a professional offers now."""

    id: int
    name: str
    base_price: Decimal
    pricing: str


class PublicProfile(NamedTuple):
    """What everyone may read of a professional. ``photo`` is the digest of the photo that is shown."""

    id: int
    firstname: str
    compname: str
    exp: int
    about: str
    photo: str | None
    rating: float | None
    rating_counts: list[int]
    reviews: int
    tasks_done: int
    verified_until: datetime | None
    member_since: datetime
    tasks: list[OfferedTask]
    service_area: str
    response_time: str | None


class PublicReview(NamedTuple):
    """A review without its author."""

    rating: int
    comment: str | None
    created_at: datetime
    task_name: str
    reply: str | None
    request_id: int


COLUMNS: Final = PublicProfile._fields.index("tasks")


def public_profile(professional_id: int) -> PublicProfile:
    """Return the profile of an active professional. Raises NotFound for all others."""
    row = read_pool.one_or_none(PUBLIC, _parameters(professional_id) | {"now": now()})
    if row is None:
        raise NotFound("Professional not found.")
    return _profile(row)


def own_profile(account_id: int) -> PublicProfile:
    """Return a professional's own profile, active or not. Raises NotFound for other accounts."""
    row = read_pool.one_or_none(OWN, _parameters(account_id))
    if row is None:
        raise NotFound("Professional not found.")
    return _profile(row)


def reviews(professional_id: int, *, window: Window) -> Page[PublicReview]:
    """Return a page of an active professional's reviews, newest first, without hidden ones. Raises NotFound."""
    parameters: dict[str, object] = {"id": professional_id, "rows": window.limit + 1, "now": now()}
    statement = FIRST_REVIEWS
    if window.cursor is not None:
        created_at, request_id = pagination.decode_cursor(SCOPE, window.cursor, length=2)
        parameters |= {"created_at": created_at, "request_id": request_id}
        statement = MORE_REVIEWS
    rows = read_pool.rows(statement, parameters)
    if not rows:
        raise NotFound("Professional not found.")
    found = [PublicReview._make(row) for row in rows if row[0] is not None]
    return pagination.cut(found, window=window, scope=SCOPE, values=lambda row: (row.created_at, row.request_id))


def active_ids(*, after: int, upto: int) -> list[int]:
    """Return the ids of active professionals in a range of ids."""
    rows = read_pool.rows(ACTIVE_IDS, {"after": after, "upto": upto, "now": now()})
    return [account_id for (account_id,) in rows]


def last_id() -> int:
    """Return the highest id of a professional, or 0."""
    (found,) = read_pool.one(LAST_ID, {})
    return int(found)


def response_time(median: float | None) -> str | None:
    """Return the band of a median in seconds, or None without enough answers."""
    if median is None:
        return None
    return next((band for seconds, band in BANDS if median <= seconds), SLOWEST)


def _parameters(account_id: int) -> dict[str, object]:
    return {"id": account_id, "answers": ANSWERS, "least": LEAST_ANSWERS, "districts": DISTRICTS}


def _profile(row: TupleRow) -> PublicProfile:
    task_ids, names, prices, pricings, area, median = row[COLUMNS:]
    tasks = [OfferedTask(*task) for task in zip(task_ids, names, prices, pricings, strict=True)]
    return PublicProfile._make((*row[:COLUMNS], tasks, "; ".join(area), response_time(median)))
