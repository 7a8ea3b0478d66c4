"""Signing in, sessions, passwords."""

from marshmallow import fields, validate

from backend.api.schemas.accounts import Account, EmailAddress, Password
from backend.api.schemas.common import Flag, Moment, Strict, Text, Whole


class Credentials(Strict):
    """Who signs in, and whether the refresh token is wanted in the answer (``api``) or as a cookie."""

    username = Text(max=254, required=True)
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))
    client = fields.String(load_default="browser", validate=validate.OneOf(["api", "browser"]))


class Tokens(Strict):
    """What signing in and refreshing give."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = Whole(required=True)
    role = fields.String(required=True)
    user = fields.Nested(Account, required=True)
    refresh_token = fields.String()


class Session(Strict):
    """One sign-in on one device."""

    id = fields.String(required=True)
    client = fields.String(required=True)
    user_agent = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    last_used_at = Moment(required=True)
    expires_at = Moment(required=True)
    current = Flag(required=True, metadata={"description": "1 for the current session"})


class NewPassword(Strict):
    """The present password and the one to have."""

    current_password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))
    password = Password()


class CurrentPassword(Strict):
    """The current password, repeated."""

    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))


class Forgot(Strict):
    """Whose password was forgotten."""

    email = EmailAddress(required=True)


class Reset(Strict):
    """The token of the mailed link, and the password to have."""

    token = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=200))
    password = Password()


class Confirm(Strict):
    """The token of the mailed link."""

    token = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=200))
