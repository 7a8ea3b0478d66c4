"""Reading reviews."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, bindparam, select

from backend.core.db import pagination, read_pool, replica
from backend.core.db.pagination import Page, SortKey, Window
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.reviews.models import Review
from backend.domain.task_requests.models import TaskRequest

KEYS: Final[tuple[SortKey, ...]] = (
    (Review.created_at.expression, True),
    (Review.request_id.expression, True),
)


class ReviewRow(NamedTuple):
    """A review, by the columns of its table."""

    request_id: int
    customer_id: int
    professional_id: int
    task_id: int
    rating: int
    comment: str | None
    created_at: datetime
    reply: str | None
    replied_at: datetime | None
    reported_at: datetime | None
    report_reason: str | None
    hidden_at: datetime | None
    hidden_reason: str | None


class ListedReview(NamedTuple):
    """A review in a list, with the names of its task and customer."""

    review: ReviewRow
    task_name: str
    firstname: str


WIDTH: Final = len(ReviewRow._fields)
COLUMNS: Final = [Review.__table__.c[name] for name in ReviewRow._fields]
OF_REQUEST: Final = select(*COLUMNS).where(Review.request_id == bindparam("request_id", type_=BigInteger))


@dataclass(frozen=True, slots=True)
class ReviewFilters:
    """Filters of a list of reviews; None means all."""

    professional_id: int | None = None
    customer_id: int | None = None
    task_id: int | None = None
    reported: bool | None = None
    hidden: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the filters that are set."""
        equal = {
            Review.professional_id: self.professional_id,
            Review.customer_id: self.customer_id,
            Review.task_id: self.task_id,
        }
        found = [column == value for column, value in equal.items() if value is not None]
        for column, wanted in ((Review.reported_at, self.reported), (Review.hidden_at, self.hidden)):
            if wanted is not None:
                found.append(column.is_not(None) if wanted else column.is_(None))
        return found


def present(row: ReviewRow) -> dict[str, object]:
    """Return a review as its customer and professional see it."""
    return {
        "rating": row.rating,
        "comment": row.comment,
        "created_at": row.created_at,
        "reply": row.reply,
        "replied_at": row.replied_at,
        "reported": row.reported_at is not None,
        "hidden": row.hidden_at is not None,
    }


def of_request(actor: Actor, *, request_id: int) -> dict[str, object] | None:
    """Return the review of a request that the actor may see, a hidden one only to its author and admins."""
    found = read_pool.one_or_none(OF_REQUEST, {"request_id": request_id})
    row = None if found is None else ReviewRow._make(found)
    if row is None or (row.hidden_at is not None and actor.role is Role.PROFESSIONAL):
        return None
    return present(row)


def page(*, filters: ReviewFilters, window: Window, private: bool) -> Page[dict[str, object]]:
    """Return a page of reviews, newest first. ``private`` adds the reasons of reports and of hiding, for admins."""
    statement = (
        select(*COLUMNS, TaskRequest.task_name, Account.firstname)
        .select_from(Review)
        .join(TaskRequest, TaskRequest.id == Review.request_id)
        .join(Account, Account.id == Review.customer_id)
        .where(*filters.conditions())
    )
    if window.cursor is not None:
        values = pagination.decode_cursor("reviews", window.cursor, length=len(KEYS))
        statement = statement.where(pagination.after(KEYS, values))
    wanted = statement.order_by(*pagination.order(KEYS)).limit(window.limit + 1)
    found = replica.read(lambda source: source.execute(wanted).all(), for_caller=True)
    rows = [ListedReview(ReviewRow._make(row[:WIDTH]), *row[WIDTH:]) for row in found]
    cut = pagination.cut(rows, window=window, scope="reviews", values=_position)
    return Page([_listed(row, private=private) for row in cut.items], cut.next_cursor)


def _position(row: ListedReview) -> tuple[datetime, int]:
    return row.review.created_at, row.review.request_id


def _listed(row: ListedReview, *, private: bool) -> dict[str, object]:
    review, task_name, firstname = row
    listed = {
        **present(review),
        "request_id": review.request_id,
        "professional_id": review.professional_id,
        "task_id": review.task_id,
        "task_name": task_name,
        "customer_firstname": firstname,
    }
    if private:
        listed |= {
            "customer_id": review.customer_id,
            "report_reason": review.report_reason,
            "hidden_reason": review.hidden_reason,
        }
    return listed
