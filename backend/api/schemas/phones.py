"""Verifying a phone number."""

from marshmallow import fields, validate

from backend.api.schemas.common import Moment, Strict, Text

CODE = validate.Regexp(r"^[0-9]{6}\Z", error="A code has six digits.")


class CodeSent(Strict):
    """Where a code was sent, and until when it can be used."""

    phone = fields.String(required=True)
    expires_at = Moment(required=True)


class Code(Strict):
    """The six digits of the SMS."""

    code = Text(required=True, max=20, validators=[CODE])
