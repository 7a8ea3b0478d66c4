"""Field types and schemas that many calls share: text, money, times, pincodes, phones, and paging."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypedDict, Unpack

import phonenumbers
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from marshmallow.types import Validator
from werkzeug.datastructures import FileStorage

from backend.api.converters import MAX_BIGINT
from backend.core import text
from backend.core.config import current_settings
from backend.core.db.date_range import Bound
from backend.core.db.pagination import DEFAULT_LIMIT, MAX_LIMIT

WRITTEN_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")  # Decimal would also accept 4_99, +5 and 1e2


class Strict(Schema):
    """A schema that rejects unknown fields."""

    class Meta:
        unknown = RAISE


class FieldOptions(TypedDict, total=False):
    """The options that all fields share."""

    required: bool
    allow_none: bool
    load_default: object
    data_key: str


class DescribedOptions(FieldOptions, total=False):
    """The options of fields that have no metadata of their own."""

    metadata: Mapping[str, object]


class Text(fields.String):
    """Trimmed text (NFC), ``max`` characters at most, no control characters (line breaks where ``multiline``)."""

    def __init__(
        self,
        *,
        max: int = 100,
        min: int = 1,
        multiline: bool = False,
        validators: Sequence[Validator] = (),
        **options: Unpack[DescribedOptions],
    ) -> None:
        self.multiline = multiline
        super().__init__(validate=[validate.Length(min=min, max=max), *validators], **options)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> str:
        cleaned = str(super()._deserialize(value, attr, data, **kwargs))
        if self.multiline:
            cleaned = cleaned.replace("\r\n", "\n").replace("\r", "\n")
        cleaned = text.composed(cleaned).strip()
        if text.has_control_characters(cleaned, multiline=self.multiline):
            raise ValidationError("Must not contain control characters.")
        if cleaned and not text.is_visible(cleaned):
            raise ValidationError("Must contain at least one visible character.")
        return cleaned


class StrictInteger(fields.Integer):
    """A whole number: 3 and 3.0, but not "3" or true. Query strings are converted to numbers before."""

    def __init__(
        self,
        *,
        min: int | None = None,
        max: int | None = None,
        one_of: Sequence[int] | None = None,
        **options: Unpack[DescribedOptions],
    ) -> None:
        validators: list[Validator] = [validate.OneOf(one_of)] if one_of is not None else []
        if min is not None or max is not None:
            validators.append(validate.Range(min=min, max=max))
        super().__init__(validate=validators, **options)

    def _validated(self, value: object) -> int:
        if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
            raise self.make_error("invalid", input=value)
        return int(value)


class Id(StrictInteger):
    """An id: a whole number that fits PostgreSQL's bigint, or its digits."""

    def __init__(self, **options: Unpack[DescribedOptions]) -> None:
        super().__init__(min=1, max=MAX_BIGINT, **options)

    def _validated(self, value: object) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
            return super()._validated(int(value))
        return super()._validated(value)


class Money(fields.Field[Decimal]):
    """An amount with two decimals: a string or a number in requests, a string in responses."""

    def __init__(self, *, max: Decimal = Decimal(10_000_000), **options: Unpack[FieldOptions]) -> None:
        self.max = max
        super().__init__(
            metadata={"type": "string", "pattern": r"^\d{1,8}(\.\d{1,2})?$", "example": "499.00"}, **options
        )

    def _serialize(self, value: Decimal | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return None if value is None else f"{Decimal(value):.2f}"

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Decimal:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number or (isinstance(value, str) and WRITTEN_NUMBER.fullmatch(value.strip()))):
            raise ValidationError('Must be an amount such as "499.00".')
        amount = Decimal(str(value).strip())
        if amount <= 0 or amount > self.max:
            raise ValidationError(f"Must be greater than 0 and at most {self.max:,}.")
        if amount != amount.quantize(Decimal("0.01")):
            raise ValidationError("Must have at most two decimal places.")
        return amount.quantize(Decimal("0.01"))


class Sum(fields.Field[Decimal]):
    """A computed amount with two decimals in responses; it can be zero, and negative where ``signed``."""

    def __init__(self, *, signed: bool = False, **options: Unpack[DescribedOptions]) -> None:
        self.signed = signed
        form = {"type": "string", "pattern": rf"^{'-?' if signed else ''}\d{{1,10}}\.\d{{2}}$", "example": "499.00"}
        options["metadata"] = {**form, **options.get("metadata", {})}
        super().__init__(**options)

    def _serialize(self, value: Decimal | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return None if value is None else f"{Decimal(value):.2f}"

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Decimal:
        written = value if isinstance(value, str) else ""
        if not WRITTEN_NUMBER.fullmatch(written) or (written.startswith("-") and not self.signed):
            raise ValidationError('Must be an amount such as "499.00".')
        return Decimal(written)


class Quantity(fields.Field[Decimal]):
    """A quantity above zero with at most three decimals: a string or a number in requests, a string in responses."""

    MOST: Final = Decimal(10_000)

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(metadata={"type": "string", "pattern": r"^\d{1,5}(\.\d{1,3})?$", "example": "1.5"}, **options)

    def _serialize(self, value: Decimal | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return None if value is None else plain_number(value)

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Decimal:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number or (isinstance(value, str) and WRITTEN_NUMBER.fullmatch(value.strip()))):
            raise ValidationError('Must be a quantity such as "1.5".')
        quantity = Decimal(str(value).strip())
        if not 0 < quantity <= self.MOST:
            raise ValidationError(f"Must be greater than 0 and at most {self.MOST:,}.")
        if quantity != quantity.quantize(Decimal("0.001")):
            raise ValidationError("Must have at most three decimal places.")
        return quantity.quantize(Decimal("0.001"))


def plain_number(value: Decimal) -> str:
    """Return a number without trailing zeros and without an exponent."""
    return f"{value.normalize():f}"


class DateTimeField(fields.Field[datetime]):
    """A time in ISO 8601 with an offset, converted to UTC."""

    def __init__(self, *, metadata: Mapping[str, object] | None = None, **options: Unpack[FieldOptions]) -> None:
        super().__init__(metadata={"type": "string", "format": "date-time", **(metadata or {})}, **options)

    def _serialize(self, value: datetime | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return value.isoformat() if isinstance(value, datetime) else value

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> datetime:
        if not isinstance(value, str):
            raise ValidationError("Must be an ISO 8601 time with an offset, such as 2026-12-01T10:00:00+05:30.")
        try:
            time = datetime.fromisoformat(value.strip())
            if time.tzinfo is None:
                raise ValidationError("Must include an offset, such as +05:30 or Z.")
            time = time.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError(
                "Must be an ISO 8601 time with an offset, such as 2026-12-01T10:00:00+05:30."
            ) from error
        check_years(time)
        return time


def check_years(day: date) -> None:
    """Raise ValidationError outside 2000 to 2099, so that date arithmetic cannot overflow."""
    if not 2000 <= day.year < 2100:
        raise ValidationError("Must be between the years 2000 and 2099.")


class Day(fields.Date):
    """A date in the marketplace's time zone, such as "2026-12-01"."""

    def __init__(self, **options: Unpack[DescribedOptions]) -> None:
        super().__init__(validate=check_years, **options)


class Flag(StrictInteger):
    """0 or 1. Requests may also contain true or false."""

    def __init__(self, **options: Unpack[DescribedOptions]) -> None:
        super().__init__(one_of=[0, 1], **options)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> int:
        if isinstance(value, bool):
            return int(value)
        return super()._deserialize(
            {"true": 1, "false": 0}.get(value, value) if isinstance(value, str) else value, attr, data, **kwargs
        )


class Pincode(fields.String):
    """A pincode of six digits, also accepted as a number. Whether it exists is checked by the domain."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        pattern = validate.Regexp(r"^[1-9][0-9]{5}\Z", error="Must have six digits.")
        super().__init__(validate=pattern, metadata={"example": "560001"}, **options)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


class Phone(fields.String):
    """A phone number in E.164 or in the national format of the configured country, stored as E.164."""

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> str:
        typed = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        try:
            number = phonenumbers.parse(typed, current_settings().market_country)
        except phonenumbers.NumberParseException as error:
            raise ValidationError("Not a valid phone number. Enter it in the format +919876543210.") from error
        if not phonenumbers.is_valid_number(number):
            raise ValidationError("This phone number does not exist. Enter it in the format +919876543210.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Upload(fields.Field[FileStorage]):
    """A file of a multipart form. Its content is checked by the domain."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(metadata={"type": "string", "format": "binary"}, **options)

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> FileStorage:
        if not isinstance(value, FileStorage):
            raise ValidationError("Must be a file.")
        return value


class Window(Strict):
    """Paging parameters of a list."""

    limit = StrictInteger(min=1, max=MAX_LIMIT, load_default=DEFAULT_LIMIT)
    cursor = fields.String(load_default=None, validate=validate.Length(min=1, max=2000))


class WindowData(TypedDict):
    """The loaded :class:`Window`."""

    limit: int
    cursor: str | None


class Reason(Strict):
    """A reason of 3 to 500 characters."""

    reason = Text(min=3, max=500, multiline=True, required=True)


class ReasonData(TypedDict):
    """The loaded :class:`Reason`."""

    reason: str


DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


DATE_TIME: Final = DateTimeField()


class RangeBound(fields.Field[Bound]):
    """One bound of a date range: a date or a time. See ``backend.core.db.date_range.date_range``."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        about = {
            "type": "string",
            "description": "A date (2026-12-01) or a time with an offset. Both ends are included.",
        }
        super().__init__(metadata=about, **options)

    def _serialize(self, value: Bound | None, attr: str | None, obj: object, **kwargs: object) -> str | None:
        return value.isoformat() if isinstance(value, date) else value

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object
    ) -> Bound:
        if not (isinstance(value, str) and DATE.fullmatch(value.strip())):
            time: Bound = DATE_TIME.deserialize(value)
            return time
        try:
            day = date.fromisoformat(value.strip())
        except ValueError as error:
            raise ValidationError("This date does not exist.") from error
        check_years(day)
        return day
