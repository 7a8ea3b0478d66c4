"""Sign-in, sessions, passwords."""

from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.accounts import Account, EmailAddress, Password
from backend.api.schemas.common import DateTimeField, Flag, Strict, StrictInteger, Text


class Credentials(Strict):
    """Sign-in credentials. ``client``: ``api`` gets the refresh token in the response, ``browser`` as a cookie."""

    username = Text(max=254, required=True)
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))
    client = fields.String(load_default="browser", validate=validate.OneOf(["api", "browser"]))


class CredentialsData(TypedDict):
    """The loaded :class:`Credentials`."""

    username: str
    password: str
    client: str


class Tokens(Strict):
    """The tokens of a session."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = StrictInteger(required=True)
    role = fields.String(required=True)
    user = fields.Nested(Account, required=True)
    refresh_token = fields.String()


class Session(Strict):
    """One session on one device."""

    id = fields.String(required=True)
    client = fields.String(required=True)
    user_agent = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    last_used_at = DateTimeField(required=True)
    expires_at = DateTimeField(required=True)
    current = Flag(required=True, metadata={"description": "1 for the current session"})


class NewPassword(Strict):
    """The current and the new password."""

    current_password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))
    password = Password()


class NewPasswordData(TypedDict):
    """The loaded :class:`NewPassword`."""

    current_password: str
    password: str


class CurrentPassword(Strict):
    """The current password."""

    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))


class CurrentPasswordData(TypedDict):
    """The loaded :class:`CurrentPassword`."""

    password: str


class Forgot(Strict):
    """The email of the account."""

    email = EmailAddress(required=True)


class ForgotData(TypedDict):
    """The loaded :class:`Forgot`."""

    email: str


class Reset(Strict):
    """The token from the emailed link, and the new password."""

    token = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=200))
    password = Password()


class ResetData(TypedDict):
    """The loaded :class:`Reset`."""

    token: str
    password: str


class Confirm(Strict):
    """The token from the emailed link."""

    token = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=200))


class ConfirmData(TypedDict):
    """The loaded :class:`Confirm`."""

    token: str
