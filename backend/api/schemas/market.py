"""The marketplace's settings, and the policies of single tasks."""

from collections.abc import Mapping
from datetime import time
from typing import TypedDict, Unpack

from marshmallow import ValidationError, fields, validate

from backend.api.schemas.common import FieldOptions, Strict, StrictInteger, Text
from backend.domain.market.settings import BOUNDS, CHOICES


class ClockTime(fields.Field[time]):
    """A time of day in the marketplace's time zone, such as "18:00"."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(metadata={"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}, **options)

    def _serialize(self, value: time | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return value.isoformat("minutes") if isinstance(value, time) else value

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> time:
        try:
            if not (isinstance(value, str) and len(value) == 5 and value[2] == ":" and value.isascii()):
                raise ValueError(value)
            return time(int(value[:2]), int(value[3:]))
        except ValueError as error:
            raise ValidationError('Must be a time of day such as "18:00".') from error


def _bounded(name: str, **options: Unpack[FieldOptions]) -> StrictInteger:
    return StrictInteger(min=BOUNDS[name][0], max=BOUNDS[name][1], **options)


START_CODE = validate.OneOf(CHOICES["start_code"])
VISIT_REMINDERS = validate.OneOf(CHOICES["visit_reminders"])


class SettingsEdit(Strict):
    """An update of the marketplace's settings, loaded as ``SettingsChanges`` of ``backend.domain.market.settings``."""

    answer_within_minutes = _bounded("answer_within_minutes")
    min_notice_minutes = _bounded("min_notice_minutes")
    free_cancel_minutes = _bounded("free_cancel_minutes")
    travel_buffer_minutes = _bounded("travel_buffer_minutes")
    tell_nearest = _bounded("tell_nearest")
    reminder_at = ClockTime()
    day_begins_at = ClockTime()
    day_ends_at = ClockTime()
    start_code = fields.String(validate=START_CODE)
    contact = fields.String(validate=validate.OneOf(CHOICES["contact"]))
    visit_reminders = fields.String(validate=VISIT_REMINDERS)
    extra_work_cap_percent = _bounded("extra_work_cap_percent")
    offer_valid_hours = _bounded("offer_valid_hours")
    extra_work_reasons = Text(min=0, max=1000, multiline=True)


class MarketSettings(Strict):
    """All of the marketplace's settings. Times of day are in ``timezone``."""

    answer_within_minutes = StrictInteger(required=True)
    min_notice_minutes = StrictInteger(required=True)
    free_cancel_minutes = StrictInteger(required=True)
    travel_buffer_minutes = StrictInteger(required=True)
    tell_nearest = StrictInteger(required=True)
    reminder_at = ClockTime(required=True)
    day_begins_at = ClockTime(required=True)
    day_ends_at = ClockTime(required=True)
    start_code = fields.String(required=True, validate=START_CODE)
    contact = fields.String(required=True, validate=validate.OneOf(CHOICES["contact"]))
    visit_reminders = fields.String(required=True, validate=VISIT_REMINDERS)
    extra_work_cap_percent = StrictInteger(required=True)
    extra_work_reasons = fields.String(required=True)
    offer_valid_hours = StrictInteger(required=True)
    timezone = fields.String(required=True)
    currency = fields.String(required=True)


class TaskPolicy(Strict):
    """The policy of one task; null means that the general setting applies."""

    answer_within_minutes = _bounded("answer_within_minutes", load_default=None, allow_none=True)
    min_notice_minutes = _bounded("min_notice_minutes", load_default=None, allow_none=True)
    free_cancel_minutes = _bounded("free_cancel_minutes", load_default=None, allow_none=True)
    travel_buffer_minutes = _bounded("travel_buffer_minutes", load_default=None, allow_none=True)
    start_code = fields.String(load_default=None, allow_none=True, validate=START_CODE)


class TaskPolicyData(TypedDict):
    """The loaded :class:`TaskPolicy`."""

    answer_within_minutes: int | None
    min_notice_minutes: int | None
    free_cancel_minutes: int | None
    travel_buffer_minutes: int | None
    start_code: str | None


class EffectivePolicy(Strict):
    """The effective policy of one task: its own values, else the general settings."""

    answer_within_minutes = StrictInteger(required=True)
    min_notice_minutes = StrictInteger(required=True)
    free_cancel_minutes = StrictInteger(required=True)
    travel_buffer_minutes = StrictInteger(required=True)
    start_code = fields.String(required=True, validate=START_CODE)
    own = fields.Nested(TaskPolicy, required=True)
