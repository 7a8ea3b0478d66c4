"""Sign-up and accounts."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict, Unpack

from marshmallow import ValidationError, fields, validate
from werkzeug.datastructures import FileStorage

from backend.api.schemas.common import (
    DateTimeField,
    FieldOptions,
    Flag,
    Id,
    Phone,
    Pincode,
    Strict,
    StrictInteger,
    Text,
    Upload,
)
from backend.core import text
from backend.core.text_tables import languages

USERNAME = validate.Regexp(
    r"^[A-Za-z0-9._-]+\Z", error="Must contain only letters, digits, dots, hyphens and underscores."
)
LANGUAGE = "The language of emails, SMS and notifications"
MAX_TASKS = 300
MAX_PINCODES = 1000


class Password(fields.String):
    """A password of 8 to 1,024 characters, not trimmed."""

    def __init__(self) -> None:
        super().__init__(
            required=True,
            load_only=True,
            validate=validate.Length(min=8, max=1024),
            metadata={"format": "password"},
        )

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> str:
        password = str(super()._deserialize(value, attr, data, **kwargs))
        if text.has_control_characters(password):
            raise ValidationError("Must not contain control characters.")
        return password


class EmailAddress(Text):
    """An email of at most 254 characters (RFC 5321, 4.5.3.1)."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(max=254, metadata={"format": "email"}, **options)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, object] | None, **kwargs: object) -> str:
        address = super()._deserialize(value, attr, data, **kwargs)
        validate.Email()(address)
        # Quoted local parts are not used in practice, and browsers reject them too. An email to root@[10.0.0.5] would
        # make the mail server connect to its own network.
        if len(address.rpartition("@")[0]) > 64 or '"' in address or "[" in address:
            raise ValidationError("Not a valid email address.")
        return address


class Language(fields.String):
    """A language that there are texts in."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(validate=validate.OneOf(languages()), metadata={"description": LANGUAGE}, **options)


class CustomerSignUp(Strict):
    """A customer's sign-up."""

    username = Text(min=3, max=30, required=True, validators=[USERNAME])
    email = EmailAddress(required=True)
    password = Password()
    firstname = Text(required=True)
    lastname = Text(required=True)
    address = Text(max=500, multiline=True, required=True)
    pincode = Pincode(required=True)
    phone = Phone(load_default=None, allow_none=True)
    language = Language(load_default=None)


class CustomerSignUpData(TypedDict):
    """The loaded :class:`CustomerSignUp`."""

    username: str
    email: str
    password: str
    firstname: str
    lastname: str
    address: str
    pincode: str
    phone: str | None
    language: str | None


class ProfessionalSignUp(CustomerSignUp):
    """A professional's sign-up."""

    exp = StrictInteger(min=0, max=60, required=True, metadata={"description": "Years of experience"})
    compname = Text(required=True)
    task_ids = fields.List(Id(), load_default=list, validate=validate.Length(max=MAX_TASKS))


class ProfessionalSignUpData(CustomerSignUpData):
    """The loaded :class:`ProfessionalSignUp`."""

    exp: int
    compname: str
    task_ids: list[int]


class ProfessionalSignUpForm(ProfessionalSignUp):
    """A professional's sign-up as a form, with a document."""

    document = Upload(load_default=None)


class ProfessionalSignUpFormData(ProfessionalSignUpData):
    """The loaded :class:`ProfessionalSignUpForm`."""

    document: FileStorage | None


class Profile(Strict):
    """An update of the user's own account; ``compname`` to ``radius_km`` are for professionals only."""

    email = EmailAddress()
    firstname = Text()
    lastname = Text()
    address = Text(max=500, multiline=True)
    pincode = Pincode()
    phone = Phone(allow_none=True)
    language = Language()
    compname = Text()
    exp = StrictInteger(min=0, max=60)
    task_ids = fields.List(Id(), validate=validate.Length(max=MAX_TASKS))
    pincodes = fields.List(Pincode(), validate=validate.Length(max=MAX_PINCODES))
    radius_km = StrictInteger(min=1, max=200)


class ProfileData(TypedDict):
    """The loaded :class:`Profile`."""

    email: NotRequired[str]
    firstname: NotRequired[str]
    lastname: NotRequired[str]
    address: NotRequired[str]
    pincode: NotRequired[str]
    phone: NotRequired[str | None]
    language: NotRequired[str]
    compname: NotRequired[str]
    exp: NotRequired[int]
    task_ids: NotRequired[list[int]]
    pincodes: NotRequired[list[str]]
    radius_km: NotRequired[int]


class SubmittedDocument(Strict):
    """The current document, without its content. ``id`` changes when the document is replaced."""

    id = Id(required=True)
    filename = fields.String(required=True)
    content_type = fields.String(required=True)
    size = StrictInteger(required=True)
    pages = StrictInteger(required=True)
    sha256 = fields.String(required=True, metadata={"description": "SHA-256 digest of the stored file, in hexadecimal"})
    created_at = DateTimeField(required=True)


class Account(Strict):
    """An account as its owner and admins see it. ``exp`` to ``document`` are present for professionals only."""

    id = Id(required=True)
    role = fields.String(required=True, validate=validate.OneOf(["customer", "professional", "admin"]))
    username = fields.String(required=True)
    email = fields.String(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    address = fields.String(required=True)
    pincode = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    phone_verified = Flag(
        required=True, metadata={"description": "1 if the number was verified with a code sent by SMS"}
    )
    language = fields.String(
        required=True, allow_none=True, metadata={"description": f"{LANGUAGE}; null until one was chosen"}
    )
    isactive = Flag(required=True)
    created_at = DateTimeField(required=True)
    email_confirmed = Flag(metadata={"description": "Present only if email addresses must be confirmed"})
    must_change_password = Flag(metadata={"description": "Present only while the account has a temporary password"})
    exp = StrictInteger()
    compname = fields.String()
    task_ids = fields.List(Id())
    pincodes = fields.List(fields.String())
    radius_km = StrictInteger()
    rating = fields.Float(allow_none=True)
    reviews = StrictInteger()
    approval = fields.String(
        validate=validate.OneOf(["document_missing", "pending", "approved", "rejected", "expired"])
    )
    approval_reason = fields.String(allow_none=True)
    approval_changed_at = DateTimeField(allow_none=True)
    approval_expires_at = DateTimeField(allow_none=True)
    document = fields.Nested(SubmittedDocument, allow_none=True)


CODE = validate.Regexp(r"^[0-9]{6}\Z", error="Must have six digits.")


class CodeSent(Strict):
    """The number that a code was sent to, and when the code expires."""

    phone = fields.String(required=True)
    expires_at = DateTimeField(required=True)


class Code(Strict):
    """The code from the SMS."""

    code = Text(required=True, max=20, validators=[CODE])


class CodeData(TypedDict):
    """The loaded :class:`Code`."""

    code: str
