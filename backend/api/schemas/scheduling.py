"""Working hours, agenda, available times, and cancellation statistics."""

import datetime as dt
from collections.abc import Mapping
from typing import TypedDict, Unpack

from marshmallow import ValidationError, fields, validate

from backend.api.schemas.common import (
    DateTimeField,
    Day,
    FieldOptions,
    Id,
    Pincode,
    RangeBound,
    Strict,
    StrictInteger,
    Window,
    WindowData,
)
from backend.api.schemas.task_requests import Request
from backend.core.db.date_range import Bound


class DayMinute(fields.Field[int]):
    """A time of day such as "09:30", loaded as minutes; "24:00" is the end of the day."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(metadata={"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}, **options)

    def _serialize(self, value: int | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return None if value is None else f"{value // 60:02}:{value % 60:02}"

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> int:
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


class HoursData(TypedDict):
    """The loaded :class:`Hours`."""

    begins: int
    ends: int


class WeeklyHours(Hours):
    """A weekly time range; Monday is 0."""

    weekday = StrictInteger(required=True, min=0, max=6)


class WeeklyHoursData(HoursData):
    """The loaded :class:`WeeklyHours`."""

    weekday: int


class HoursException(Strict):
    """A date with different hours, or none (a day off)."""

    date = Day(required=True)
    hours = fields.List(fields.Nested(Hours), required=True, validate=validate.Length(max=10))


class HoursExceptionData(TypedDict):
    """The loaded :class:`HoursException`."""

    date: dt.date
    hours: list[HoursData]


class WorkingHours(Strict):
    """All of a professional's hours, in the marketplace's time zone. Without weekly hours, the usual day applies."""

    weekly = fields.List(fields.Nested(WeeklyHours), required=True, validate=validate.Length(max=70))
    exceptions = fields.List(fields.Nested(HoursException), load_default=list, validate=validate.Length(max=400))


class WorkingHoursData(TypedDict):
    """The loaded :class:`WorkingHours`."""

    weekly: list[WeeklyHoursData]
    exceptions: list[HoursExceptionData]


class WorkingHoursShown(WorkingHours):
    """The working hours, and the usual day, which applies if none are set."""

    usual = fields.Nested(Hours, required=True)
    timezone = fields.String(required=True)


class AgendaQuery(Strict):
    """The first and last day, both included: at most 62 days, by default a week from today."""

    first = Day(data_key="from", load_default=None)
    last = Day(data_key="to", load_default=None)


class AgendaQueryData(TypedDict):
    """The loaded :class:`AgendaQuery`."""

    first: dt.date | None
    last: dt.date | None


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


class TimesQueryData(TypedDict):
    """The loaded :class:`TimesQuery`."""

    pincode: str
    date: dt.date
    professional_id: int | None


class OfferedTime(Strict):
    """A start time, and the number of professionals available."""

    at = DateTimeField(required=True)
    professionals = StrictInteger(required=True)


class OfferedTimes(Strict):
    """The start times of a day, at most every half hour."""

    items = fields.List(fields.Nested(OfferedTime), required=True)
    timezone = fields.String(required=True)


class ReliabilityQuery(Window):
    """Filters of the statistics; by default the last 90 days."""

    role = fields.String(load_default=None, validate=validate.OneOf(["customer", "professional"]))
    account_id = Id(load_default=None)
    least = StrictInteger(load_default=2, min=1, max=1000)
    first = RangeBound(data_key="from", load_default=None)
    last = RangeBound(data_key="to", load_default=None)


class ReliabilityQueryData(WindowData):
    """The loaded :class:`ReliabilityQuery`."""

    role: str | None
    account_id: int | None
    least: int
    first: Bound | None
    last: Bound | None


class Reliability(Strict):
    """The number of an account's cancellations, late cancellations and releases."""

    account_id = Id(required=True)
    role = fields.String(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    cancelled = StrictInteger(required=True)
    cancelled_late = StrictInteger(required=True)
    released = StrictInteger(required=True)
    times = StrictInteger(required=True)
    latest = DateTimeField(required=True)
