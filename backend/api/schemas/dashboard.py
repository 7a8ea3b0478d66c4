"""The dashboard's figures on the wire."""

from marshmallow import fields, validate

from backend.api.schemas.common import Id, Moment, SpanEdge, Strict

FORMER = {"deprecated": True, "description": "The former name of ``failed``."}
COUNT = validate.Range(min=0)


class Count(fields.Integer):
    """How many."""

    def __init__(self) -> None:
        super().__init__(required=True, validate=COUNT)


class Words(fields.String):
    """A text that is always there."""

    def __init__(self) -> None:
        super().__init__(required=True)


class Span(Strict):
    """Which days; the last thirty unless said otherwise."""

    first = SpanEdge(data_key="from", load_default=None)
    last = SpanEdge(data_key="to", load_default=None)


class ByState(Strict):
    """Professionals by where their approval stands."""

    document_missing, pending, approved, rejected, expired = Count(), Count(), Count(), Count(), Count()


class Approvals(Strict):
    """Those who wait for a decision, since when, and those whose approval ends within 30 days."""

    waiting = Count()
    oldest = Moment(required=True, allow_none=True)
    expiring = Count()
    by_state = fields.Nested(ByState, required=True)


class Stars(Strict):
    """How many professionals have so many full stars (0: no review yet)."""

    stars, professionals = Count(), Count()


class Role(Strict):
    """People of one role; ``joined`` in the span."""

    total, blocked, joined = Count(), Count(), Count()


class People(Strict):
    """People by role."""

    customers = fields.Nested(Role, required=True)
    professionals = fields.Nested(Role, required=True)


class Waiting(Strict):
    """Requests that need someone: waiting for an answer (too long: ``unanswered``), or accepted and past their time."""

    total, unanswered, due_soon, overdue = Count(), Count(), Count(), Count()
    oldest = Moment(required=True, allow_none=True)


class States(Strict):
    """Requests made in the span, by the state they are in."""

    requested, accepted, completed, closed, cancelled, expired = (Count() for _ in range(6))


class Day(States):
    """The same for one day or month."""

    day = fields.Date(required=True)


class Cancellations(Strict):
    """Of the requests made in the span, those that came to nothing."""

    requests, cancelled, expired = Count(), Count(), Count()
    share = fields.Float(required=True)


class TopTask(Strict):
    """A task that was asked for most."""

    task_id = Id(required=True)
    task_name = Words()
    total, cancelled, expired = Count(), Count(), Count()


class TopPincode(Strict):
    """A pincode from which most was asked for."""

    pincode, locality, district = Words(), Words(), Words()
    total, cancelled, expired = Count(), Count(), Count()


class ClosedDay(Strict):
    """Work closed on one day or in one month."""

    day = fields.Date(required=True)
    total = Count()
    value = Words()


class ClosedTask(Strict):
    """A task that earned most."""

    task_id = Id(required=True)
    task_name = Words()
    total = Count()
    value = Words()


class ClosedWork(Strict):
    """What was closed in the span, and its value."""

    total = Count()
    value = Words()
    by_day = fields.List(fields.Nested(ClosedDay), required=True)
    top_tasks = fields.List(fields.Nested(ClosedTask), required=True)


class Jobs(Strict):
    """Health of the work behind the scenes; failures of the span."""

    waiting, failed, deliveries_waiting, deliveries_failed, runs_failed = (Count() for _ in range(5))
    parked = fields.Integer(required=True, validate=COUNT, metadata=FORMER)
    oldest = Moment(required=True, allow_none=True)


class Stats(Strict):
    """All figures, as of ``generated_at``; the series have a row for each ``step`` (day or month) of the span."""

    generated_at = Moment(required=True)
    span_from = fields.Date(required=True, data_key="from")
    span_to = fields.Date(required=True, data_key="to")
    step = fields.String(required=True, validate=validate.OneOf(["day", "month"]))
    currency = Words()
    approvals = fields.Nested(Approvals, required=True)
    professionals_by_rating = fields.List(fields.Nested(Stars), required=True)
    people = fields.Nested(People, required=True)
    waiting = fields.Nested(Waiting, required=True)
    requests_by_status = fields.Nested(States, required=True)
    requests_by_day = fields.List(fields.Nested(Day), required=True)
    cancellations = fields.Nested(Cancellations, required=True)
    top_tasks = fields.List(fields.Nested(TopTask), required=True)
    top_pincodes = fields.List(fields.Nested(TopPincode), required=True)
    closed_work = fields.Nested(ClosedWork, required=True)
    jobs = fields.Nested(Jobs, required=True)
