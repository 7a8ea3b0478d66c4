"""Scheduled jobs, their runs, and failed jobs."""

from typing import NotRequired, TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import DateTimeField, Id, Strict, Window, WindowData

FORMER = {"deprecated": True, "description": "The former name of the field before."}
STATUSES = ("queued", "running", "done", "failed")


class RunNow(Strict):
    """Parameters of a run, for jobs that accept them (monthly-reports)."""

    month = fields.String(
        validate=validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", error="Must be a month such as 2026-11.")
    )
    customer_id = Id()


class RunNowData(TypedDict):
    """The loaded :class:`RunNow`."""

    month: NotRequired[str]
    customer_id: NotRequired[int]


class RunFilter(Window):
    """Filters of the list of runs."""

    name = fields.String(load_default=None, validate=validate.Length(min=1, max=100))


class RunFilterData(WindowData):
    """The loaded :class:`RunFilter`."""

    name: str | None


class RunParams(Strict):
    """Parameters of a run, and what the job recorded: counts by name, and the parts that failed."""

    month = fields.String()
    customer_id = Id()
    figures = fields.Dict(keys=fields.String(), values=fields.Integer())
    failed_parts = fields.List(fields.String())


class Run(Strict):
    """One run of a job and its result."""

    id = Id(required=True)
    name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    created_at = DateTimeField(required=True)
    started_at = DateTimeField(required=True, allow_none=True)
    finished_at = DateTimeField(required=True, allow_none=True)
    seconds = fields.Float(required=True, allow_none=True)
    sent = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    skipped = fields.Integer(required=True)
    error = fields.String(required=True, allow_none=True)
    requested_by = Id(required=True, allow_none=True)
    params = fields.Nested(RunParams, required=True)


class Job(Strict):
    """One scheduled job."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    schedule = fields.String(required=True)
    last_run = fields.Nested(Run, required=True, allow_none=True)
    next_run = DateTimeField(required=True)


class Jobs(Strict):
    """The schedule, and the state of the queue."""

    items = fields.List(fields.Nested(Job), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    waiting = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    parked = fields.Integer(required=True, metadata=FORMER)
    oldest_waiting_seconds = fields.Float(required=True)


class FailedJob(Strict):
    """A job that failed permanently, after too many attempts."""

    id = Id(required=True)
    topic = fields.String(required=True)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    failed_at = DateTimeField(required=True, allow_none=True)
    parked_at = DateTimeField(required=True, allow_none=True, metadata=FORMER)
