"""The dashboard's statistics."""

from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, RangeBound, Strict
from backend.core.db.date_range import Bound

FORMER = {"deprecated": True, "description": "The former name of ``failed``."}
COUNT = validate.Range(min=0)


class Count(fields.Integer):
    """A count."""

    def __init__(self) -> None:
        super().__init__(required=True, validate=COUNT)


class Words(fields.String):
    """A required text."""

    def __init__(self) -> None:
        super().__init__(required=True)


class StatsQuery(Strict):
    """The date range; by default the last thirty days."""

    first = RangeBound(data_key="from", load_default=None)
    last = RangeBound(data_key="to", load_default=None)


class StatsQueryData(TypedDict):
    """The loaded :class:`StatsQuery`."""

    first: Bound | None
    last: Bound | None


class ByState(Strict):
    """Professionals by approval status."""

    document_missing, pending, approved, rejected, expired = Count(), Count(), Count(), Count(), Count()


class Approvals(Strict):
    """Approvals that await a decision, and those that expire within 30 days."""

    waiting = Count()
    oldest = DateTimeField(required=True, allow_none=True)
    expiring = Count()
    by_state = fields.Nested(ByState, required=True)


class Stars(Strict):
    """The number of professionals by rating, rounded down (0: no review yet)."""

    stars, professionals = Count(), Count()


class Role(Strict):
    """Accounts of one role; ``joined`` counts sign-ups in the date range."""

    total, blocked, joined = Count(), Count(), Count()


class AccountsByRole(Strict):
    """Accounts by role."""

    customers = fields.Nested(Role, required=True)
    professionals = fields.Nested(Role, required=True)


class Waiting(Strict):
    """Open requests that need attention. ``unanswered``: past the response time limit."""

    total, unanswered, due_soon, overdue = Count(), Count(), Count(), Count()
    oldest = DateTimeField(required=True, allow_none=True)


class States(Strict):
    """Requests created in the date range, by current status."""

    requested, accepted, completed, closed, cancelled, expired = (Count() for _ in range(6))


class Day(States):
    """Requests created on one day or in one month, by current status."""

    day = fields.Date(required=True)


class Cancellations(Strict):
    """Requests created in the date range that were cancelled or expired."""

    requests, cancelled, expired = Count(), Count(), Count()
    share = fields.Float(required=True)


class TopTask(Strict):
    """One of the most requested tasks."""

    task_id = Id(required=True)
    task_name = Words()
    total, cancelled, expired = Count(), Count(), Count()


class TopPincode(Strict):
    """One of the pincodes with the most requests."""

    pincode, locality, district = Words(), Words(), Words()
    total, cancelled, expired = Count(), Count(), Count()


class ClosedDay(Strict):
    """Requests closed on one day or in one month, and their value: agreed prices with approved price lines."""

    day = fields.Date(required=True)
    total = Count()
    value = Words()


class ClosedTask(Strict):
    """One of the tasks with the highest value of closed requests."""

    task_id = Id(required=True)
    task_name = Words()
    total = Count()
    value = Words()


class ClosedWork(Strict):
    """Requests closed in the date range, and their value: agreed prices with approved price lines."""

    total = Count()
    value = Words()
    by_day = fields.List(fields.Nested(ClosedDay), required=True)
    top_tasks = fields.List(fields.Nested(ClosedTask), required=True)


class Lines(Strict):
    """What approved price lines, discounts among them, add to agreed prices; ``requests`` have such lines."""

    requests = Count()
    value, agreed = Words(), Words()
    share = fields.Float(required=True, metadata={"description": "``value`` as a share of ``agreed``."})


class TaskLines(Lines):
    """One of the tasks to which approved price lines add the most."""

    task_id = Id(required=True)
    task_name = Words()


class ExtraWork(Lines):
    """Approved price lines of the requests closed in the date range."""

    top_tasks = fields.List(fields.Nested(TaskLines), required=True)


class Visits(Strict):
    """Visits completed in the date range: how they were started, and whether the professional arrived in time.

    ``started_by_code``: with the code that the customer showed. ``started_by_customer``: the customer confirmed it.
    Shares are of all completed, ``late_share`` is of those whose arrival was recorded. Late is more than
    ``late_after_minutes`` after the requested time.
    """

    completed, started_by_code, started_by_customer, started_without_code, start_not_recorded = (
        Count() for _ in range(5)
    )
    arrived_late, arrived_in_time, arrival_not_recorded, late_after_minutes = (Count() for _ in range(4))
    code_share, customer_share, late_share = (fields.Float(required=True) for _ in range(3))


class Jobs(Strict):
    """State of the job queue, and failures in the date range."""

    waiting, failed, deliveries_waiting, deliveries_failed, runs_failed = (Count() for _ in range(5))
    parked = fields.Integer(required=True, validate=COUNT, metadata=FORMER)
    oldest = DateTimeField(required=True, allow_none=True)


class Stats(Strict):
    """All statistics, as of ``generated_at``. Series have one row per ``step`` (day or month) of the date range."""

    generated_at = DateTimeField(required=True)
    span_from = fields.Date(required=True, data_key="from")
    span_to = fields.Date(required=True, data_key="to")
    step = fields.String(required=True, validate=validate.OneOf(["day", "month"]))
    currency = Words()
    approvals = fields.Nested(Approvals, required=True)
    professionals_by_rating = fields.List(fields.Nested(Stars), required=True)
    people = fields.Nested(AccountsByRole, required=True)
    waiting = fields.Nested(Waiting, required=True)
    requests_by_status = fields.Nested(States, required=True)
    requests_by_day = fields.List(fields.Nested(Day), required=True)
    cancellations = fields.Nested(Cancellations, required=True)
    top_tasks = fields.List(fields.Nested(TopTask), required=True)
    top_pincodes = fields.List(fields.Nested(TopPincode), required=True)
    closed_work = fields.Nested(ClosedWork, required=True)
    extra_work = fields.Nested(ExtraWork, required=True)
    visits = fields.Nested(Visits, required=True)
    jobs = fields.Nested(Jobs, required=True)
