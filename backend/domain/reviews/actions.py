"""Actions on reviews: write, reply, report, hide. Each change updates the precomputed ratings."""

from typing import Final, TypeVarTuple

from sqlalchemy import Row, insert, text, update
from sqlalchemy.sql.dml import ReturningUpdate

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Conflict, NotFound
from backend.core.security.authz import Actor
from backend.domain.audit.actions import record
from backend.domain.live_updates.changes import announce_review
from backend.domain.professionals import contact_details
from backend.domain.reviews.models import Review
from backend.domain.task_requests import notifications
from backend.domain.task_requests.errors import RequestNotFound
from backend.domain.task_requests.lifecycle import Action, Relation
from backend.domain.task_requests.queries import one
from backend.domain.task_requests.transitions import load, retry_when_changed, write

Columns = TypeVarTuple("Columns")
COUNT_FOR_PROFESSIONAL: Final = text("""
    UPDATE professionals
       SET rating_count = rating_count + :change, rating_sum = rating_sum + :change * :rating,
           rating_counts[:rating] = rating_counts[:rating] + :change
     WHERE account_id = :professional_id
""")
COUNT_FOR_TASK: Final = text("""
    UPDATE tasks SET rating_count = rating_count + :change, rating_sum = rating_sum + :change * :rating
     WHERE id = :task_id
""")


@retry_when_changed
def give(
    actor: Actor, *, request_id: int, rating: int, comment: str | None, expected_version: int | None = None
) -> None:
    """Review a request once, within 30 days of its end.

    Raises:
        AlreadyReviewed, ReviewTooLate: It has a review, or it ended longer ago.
    """
    request = load(actor, Action.REVIEW, request_id=request_id, expected_version=expected_version)
    reviewed = write(actor, request, Action.REVIEW, {"reviewed_at": now()}, note=comment, changes={"rating": rating})
    values = {
        "request_id": request_id,
        "customer_id": request.customer_id,
        "professional_id": request.professional_id,
        "task_id": request.task_id,
        "rating": rating,
        "comment": comment,
        "created_at": now(),
    }
    db.session.execute(insert(Review).values(values))
    _count(request.professional_id, request.task_id, rating=rating, change=1)
    notifications.notify_reviewed(reviewed, rating=rating, comment=comment)


def reply(actor: Actor, *, request_id: int, text: str) -> None:
    """Save the professional's only reply, which is public.

    Raises:
        Conflict: ``already_replied`` or ``no_review``.
        Invalid: ``contact_details``, because work is arranged through requests.
    """
    contact_details.refuse("reply", text)
    _require_own(actor, request_id)
    statement = (
        update(Review)
        .where(Review.request_id == request_id, Review.reply.is_(None), Review.hidden_at.is_(None))
        .values(reply=text, replied_at=now())
        .returning(Review.customer_id)
    )
    replied = _execute(statement)
    if replied is None:
        _require_shown(request_id)
        raise Conflict("You have already replied to this review.", code="already_replied")
    [customer_id] = replied
    announce_review(request_id, accounts=[customer_id, actor.id])


def report(actor: Actor, *, request_id: int, reason: str) -> None:
    """Ask the admins to look at a review. Raises Conflict ``already_reported``, ``no_review``."""
    _require_own(actor, request_id)
    statement = (
        update(Review)
        .where(Review.request_id == request_id, Review.reported_at.is_(None), Review.hidden_at.is_(None))
        .values(reported_at=now(), report_reason=reason)
        .returning(Review.request_id)
    )
    if not _execute(statement):
        _require_shown(request_id)
        raise Conflict("This review has already been reported.", code="already_reported")
    announce_review(request_id, accounts=[actor.id])


def hide(actor: Actor, *, request_id: int, reason: str) -> None:
    """Hide a review and remove it from the ratings. Raises NotFound, Conflict ``already_hidden``."""
    statement = (
        update(Review)
        .where(Review.request_id == request_id, Review.hidden_at.is_(None))
        .values(hidden_at=now(), hidden_reason=reason)
        .returning(Review.professional_id, Review.task_id, Review.rating)
    )
    hidden = _execute(statement)
    if hidden is None:
        _require(request_id)
        raise Conflict("This review is already hidden.", code="already_hidden")
    professional_id, task_id, rating = hidden
    _count(professional_id, task_id, rating=rating, change=-1)
    announce_review(request_id, accounts=[professional_id])
    record(actor, "review_hidden", subject_id=professional_id, after={"request_id": request_id, "reason": reason})


def show(actor: Actor, *, request_id: int) -> None:
    """Restore a hidden review or keep a reported one; either resolves the report."""
    showing = (
        update(Review)
        .where(Review.request_id == request_id, Review.hidden_at.is_not(None))
        .values(hidden_at=None, hidden_reason=None, reported_at=None, report_reason=None)
        .returning(Review.professional_id, Review.task_id, Review.rating)
    )
    keeping = (
        update(Review)
        .where(Review.request_id == request_id, Review.reported_at.is_not(None))
        .values(reported_at=None, report_reason=None)
        .returning(Review.professional_id)
    )
    if shown := _execute(showing):
        professional_id, task_id, rating = shown
        _count(professional_id, task_id, rating=rating, change=1)
    elif kept := _execute(keeping):
        [professional_id] = kept
    else:
        _require(request_id)
        raise Conflict("This review is neither hidden nor reported.", code="not_hidden")
    announce_review(request_id, accounts=[professional_id])
    record(actor, "review_shown", subject_id=professional_id, after={"request_id": request_id})


def _count(professional_id: int | None, task_id: int, *, rating: int, change: int) -> None:
    """Update the ratings by additions in SQL, so that concurrent reviews all count, in a fixed order of locks."""
    values = {"professional_id": professional_id, "task_id": task_id, "rating": rating, "change": change}
    for statement in (COUNT_FOR_PROFESSIONAL, COUNT_FOR_TASK):
        db.session.execute(statement, values)


def _execute(statement: ReturningUpdate[*Columns]) -> Row[*Columns] | None:
    return db.session.execute(statement.execution_options(synchronize_session=False)).one_or_none()


def _require_own(actor: Actor, request_id: int) -> None:
    _, who = one(actor, request_id=request_id)
    if who is not Relation.PROFESSIONAL:
        raise RequestNotFound


def _require(request_id: int) -> Review:
    review = db.session.get(Review, request_id, populate_existing=True)
    if review is None:
        raise NotFound("This request has not been reviewed.")
    return review


def _require_shown(request_id: int) -> None:
    review = db.session.get(Review, request_id, populate_existing=True)
    if review is None or review.hidden_at is not None:
        raise Conflict("This request has not been reviewed.", code="no_review")
