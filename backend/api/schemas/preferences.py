"""Notification preferences."""

from typing import TypedDict

from marshmallow import ValidationError, fields, validate, validates_schema

from backend.api.schemas.common import Strict
from backend.domain.notifications.messages import KINDS
from backend.domain.notifications.preferences import CHANNELS

CHOSEN = tuple(kind for kind, message in KINDS.items() if not message.account and not message.follows)
CLOCK = validate.Regexp(r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", error="Must be a time of day such as 22:00.")

CHAT_ID = validate.Regexp(
    r"^[A-Za-z0-9@+_.-]{1,64}\Z", error="Must be 1 to 64 letters, digits, or the characters @ + _ . -"
)


class Channels(fields.List[str]):
    """Channels in the order in which they are tried, without duplicates."""

    def __init__(self, *, required: bool = False) -> None:
        super().__init__(fields.String(validate=validate.OneOf(CHANNELS)), required=required, validate=self._unique)

    @staticmethod
    def _unique(value: list[str]) -> None:
        if len(set(value)) < len(value):
            raise ValidationError("Each channel can be listed only once.")


class QuietHours(Strict):
    """The hours without messages, in the marketplace's time zone. They may span midnight."""

    begin = fields.String(required=True, data_key="from", validate=CLOCK)
    end = fields.String(required=True, data_key="to", validate=CLOCK)

    @validates_schema
    def check_duration(self, data: dict[str, str], **_: object) -> None:
        if data["begin"] == data["end"]:
            raise ValidationError("Start and end must be different times.", "to")


class QuietHoursData(TypedDict):
    """The loaded :class:`QuietHours`."""

    begin: str
    end: str


class Unavailable(Strict):
    """The reason why a channel is unavailable. Messages use the next chosen channel, or email."""

    code = fields.String(
        required=True,
        validate=validate.OneOf(
            [
                "sms_not_set_up",
                "no_phone",
                "sms_not_available",
                "phone_not_verified",
                "push_not_set_up",
                "no_push_device",
                "chat_not_set_up",
                "chat_not_available",
                "no_chat_id",
            ]
        ),
    )
    message = fields.String(required=True)


class UnavailableData(TypedDict):
    """The loaded :class:`Unavailable`."""

    code: str
    message: str


class Preferences(Strict):
    """The preferences of an account.

    ``kinds`` overrides ``channels`` for single kinds of message; an empty list means in the app only. Without
    ``kinds``, the previous ones are kept.
    """

    channels = Channels(required=True)
    gchat_webhook = fields.String(load_default=None, allow_none=True, validate=validate.Length(min=1, max=2000))
    chat_id = fields.String(load_default=None, allow_none=True, validate=CHAT_ID)
    quiet_hours = fields.Nested(QuietHours, load_default=None, allow_none=True)
    kinds = fields.Dict(
        keys=fields.String(validate=validate.OneOf(CHOSEN)), values=Channels(), load_default=None, required=False
    )
    unavailable = fields.Dict(
        keys=fields.String(validate=validate.OneOf(CHANNELS)),
        values=fields.Nested(Unavailable),
        load_default=None,
        metadata={
            "description": "Channels that are currently unavailable, with the reasons",
            "readOnly": True,
        },
    )


class PreferencesData(TypedDict):
    """The loaded :class:`Preferences`."""

    channels: list[str]
    gchat_webhook: str | None
    chat_id: str | None
    quiet_hours: QuietHoursData | None
    kinds: dict[str, list[str]] | None
    unavailable: dict[str, UnavailableData] | None
