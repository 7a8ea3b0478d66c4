"""Sign-up, sign-in and the account itself."""

from marshmallow import fields, validate

from backend.api.schemas.common import Flag, Id, Moment, Phone, Pincode, Strict, Text

USERNAME = validate.Regexp(r"^[A-Za-z0-9._-]{3,30}\Z", error="3 to 30 letters, digits, dots, dashes or underscores.")


class Password(fields.String):
    """8 to 1,024 characters, kept as typed."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(
            required=True, load_only=True, validate=validate.Length(min=8, max=1024), metadata={"format": "password"}
        )


class CustomerSignUp(Strict):
    """What a customer signs up with."""

    username = Text(max=30, required=True, validators=[USERNAME])
    email = fields.Email(required=True, validate=validate.Length(max=254))
    password = Password()
    firstname = Text(required=True)
    lastname = Text(required=True)
    address = Text(max=500, multiline=True, required=True)
    pincode = Pincode(required=True)
    phone = Phone(load_default=None, allow_none=True)


class Account(Strict):
    """An account as its owner and admins see it. ``exp`` to ``approval`` are there for professionals only."""

    id = Id(required=True)
    role = fields.String(required=True)
    username = fields.String(required=True)
    email = fields.String(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    address = fields.String(required=True)
    pincode = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    isactive = Flag(required=True)
    created_at = Moment(required=True)
    exp = fields.Integer()
    compname = fields.String()
    task_ids = fields.List(Id())
    approval = fields.String(
        validate=validate.OneOf(["document_missing", "pending", "approved", "rejected", "expired"])
    )


class Credentials(Strict):
    """Who signs in, and whether the refresh token is wanted in the answer (``api``) or as a cookie."""

    username = fields.String(required=True, validate=validate.Length(min=1, max=254))
    password = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=1024))
    client = fields.String(load_default="browser", validate=validate.OneOf(["api", "browser"]))


class Tokens(Strict):
    """What signing in and refreshing give."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    role = fields.String(required=True)
    user = fields.Nested(Account, required=True)
    refresh_token = fields.String()
