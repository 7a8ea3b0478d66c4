"""Working hours, agenda, available times, and cancellation statistics."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from backend.api.schemas.common import Day, Id, Moment, Pincode, SpanEdge, Strict, Whole, Window
from backend.api.schemas.task_requests import Request


class DayMinute(fields.Field[int]):
    """A time of day such as "09:30", loaded as minutes; "24:00" is the end of the day."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return f"{value // 60:02}:{value % 60:02}" if isinstance(value, int) else value

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        wrong = ValidationError('Must be a time of day such as "09:30".')
        if not (isinstance(value, str) and len(value) == 5 and value[2] == ":" and value.isascii()):
            raise wrong
        if not (value[:2].isdigit() and value[3:].isdigit()):
            raise wrong
        minute = int(value[:2]) * 60 + int(value[3:])
        if int(value[3:]) > 59 or minute > 1440:
            raise wrong
        return minute


class Hours(Strict):
    """A time range within a day."""

    begins = DayMinute(data_key="from", required=True)
    ends = DayMinute(data_key="to", required=True)


class WeeklyHours(Hours):
    """A weekly time range; Monday is 0."""

    weekday = Whole(required=True, min=0, max=6)


class HoursException(Strict):
    """A date with different hours, or none (a day off)."""

    date = Day(required=True)
    hours = fields.List(fields.Nested(Hours), required=True, validate=validate.Length(max=10))


class WorkingHours(Strict):
    """All of a professional's hours, in the marketplace's time zone. Without weekly hours, the usual day applies."""

    weekly = fields.List(fields.Nested(WeeklyHours), required=True, validate=validate.Length(max=70))
    exceptions = fields.List(fields.Nested(HoursException), load_default=list, validate=validate.Length(max=400))


class WorkingHoursShown(WorkingHours):
    """The working hours, and the usual day, which applies if none are set."""

    usual = fields.Nested(Hours, required=True)
    timezone = fields.String(required=True)


class AgendaQuery(Strict):
    """The first and last day, both included: at most 62 days, by default a week from today."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)


class AgendaDay(Strict):
    """One day: the working hours, and the requests that start on it."""

    date = Day(required=True)
    hours = fields.List(fields.Nested(Hours), required=True)
    exception = fields.Boolean(required=True)
    requests = fields.List(fields.Nested(Request), required=True)


class Agenda(Strict):
    """The days of a date range."""

    items = fields.List(fields.Nested(AgendaDay), required=True)
    timezone = fields.String(required=True)


class TimesQuery(Strict):
    """The place and the day; with ``professional_id``, the times of that professional only."""

    pincode = Pincode(required=True)
    date = Day(required=True)
    professional_id = Id(load_default=None)


class OfferedTime(Strict):
    """A start time, and the number of professionals available."""

    at = Moment(required=True)
    professionals = Whole(required=True)


class OfferedTimes(Strict):
    """The start times of a day, at most every half hour."""

    items = fields.List(fields.Nested(OfferedTime), required=True)
    timezone = fields.String(required=True)


class ReliabilityQuery(Window):
    """Filters of the statistics; by default the last 90 days."""

    role = fields.String(load_default=None, validate=validate.OneOf(["customer", "professional"]))
    account_id = Id(load_default=None)
    least = Whole(load_default=2, min=1, max=1000)
    first = SpanEdge(data_key="from", load_default=None)
    last = SpanEdge(data_key="to", load_default=None)


class Reliability(Strict):
    """The number of an account's cancellations, late cancellations and releases."""

    account_id = Id(required=True)
    role = fields.String(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    cancelled = Whole(required=True)
    cancelled_late = Whole(required=True)
    released = Whole(required=True)
    times = Whole(required=True)
    latest = Moment(required=True)
