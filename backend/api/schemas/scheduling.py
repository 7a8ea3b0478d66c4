"""Working hours, agenda, times on offer, and who lets others down."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from backend.api.schemas.common import Day, Id, Moment, Pincode, SpanEdge, Strict, Whole, Window
from backend.api.schemas.task_requests import Request


class DayMinute(fields.Field[int]):
    """A time of day, "09:30"; "24:00" is the day's end. Kept as minutes."""

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
    """A span of a day."""

    begins = DayMinute(data_key="from", required=True)
    ends = DayMinute(data_key="to", required=True)


class WeeklyHours(Hours):
    """A span of every week; Monday is 0."""

    weekday = Whole(required=True, min=0, max=6)


class HoursException(Strict):
    """A date with other hours, or none (a day off)."""

    date = Day(required=True)
    hours = fields.List(fields.Nested(Hours), required=True, validate=validate.Length(max=10))


class WorkingHours(Strict):
    """All of a professional's hours, in the market's zone. No weekly hours: the market's usual day, every day."""

    weekly = fields.List(fields.Nested(WeeklyHours), required=True, validate=validate.Length(max=70))
    exceptions = fields.List(fields.Nested(HoursException), load_default=list, validate=validate.Length(max=400))


class WorkingHoursShown(WorkingHours):
    """The hours, and the usual day that holds where none are set."""

    usual = fields.Nested(Hours, required=True)
    timezone = fields.String(required=True)


class AgendaQuery(Strict):
    """Days of the market's zone, both included; a week from today when none are given, 62 at most."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)


class AgendaDay(Strict):
    """One day: when one works, and what starts in it."""

    date = Day(required=True)
    hours = fields.List(fields.Nested(Hours), required=True)
    exception = fields.Boolean(required=True)
    requests = fields.List(fields.Nested(Request), required=True)


class Agenda(Strict):
    """The days of a span."""

    items = fields.List(fields.Nested(AgendaDay), required=True)
    timezone = fields.String(required=True)


class TimesQuery(Strict):
    """Where, and on which day of the market's zone; of one professional, or of all who serve the place."""

    pincode = Pincode(required=True)
    date = Day(required=True)
    professional_id = Id(load_default=None)


class OfferedTime(Strict):
    """A start at which so many professionals can come."""

    at = Moment(required=True)
    professionals = Whole(required=True)


class OfferedTimes(Strict):
    """The starts of a day, every half hour at most."""

    items = fields.List(fields.Nested(OfferedTime), required=True)
    timezone = fields.String(required=True)


class ReliabilityQuery(Window):
    """Whom to look at; the last 90 days unless a span is given."""

    role = fields.String(load_default=None, validate=validate.OneOf(["customer", "professional"]))
    account_id = Id(load_default=None)
    least = Whole(load_default=2, min=1, max=1000)
    first = SpanEdge(data_key="from", load_default=None)
    last = SpanEdge(data_key="to", load_default=None)


class Reliability(Strict):
    """How often someone cancelled (late, at that) or released."""

    account_id = Id(required=True)
    role = fields.String(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    cancelled = Whole(required=True)
    cancelled_late = Whole(required=True)
    released = Whole(required=True)
    times = Whole(required=True)
    latest = Moment(required=True)
