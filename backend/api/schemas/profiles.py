"""Public profiles, their photos, and what professionals change in them."""

from typing import TypedDict

from marshmallow import fields, validate
from werkzeug.datastructures import FileStorage

from backend.api.schemas.common import (
    DateTimeField,
    Id,
    Money,
    Strict,
    StrictInteger,
    Text,
    Upload,
    Window,
    WindowData,
)
from backend.api.schemas.tasks import PRICING
from backend.domain.profiles.photos import PhotoState
from backend.domain.profiles.queries import RESPONSE_TIMES

STATES = [state.value for state in PhotoState]


class OfferedTask(Strict):
    """A task that the professional offers now."""

    id = Id(required=True)
    name = fields.String(required=True)
    base_price = Money(required=True)
    pricing = fields.String(required=True, validate=PRICING)


class RatingCounts(Strict):
    """How many reviews gave each number of stars."""

    one = StrictInteger(required=True, data_key="1")
    two = StrictInteger(required=True, data_key="2")
    three = StrictInteger(required=True, data_key="3")
    four = StrictInteger(required=True, data_key="4")
    five = StrictInteger(required=True, data_key="5")


class ProfessionalProfile(Strict):
    """What everyone may read of an active professional.

    ``response_time``: the median of the latest answers to requests, as a band; ``service_area``: districts.
    """

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    exp = StrictInteger(required=True)
    about = fields.String(required=True)
    photo_url = fields.String(required=True, allow_none=True)
    tasks = fields.List(fields.Nested(OfferedTask), required=True)
    rating = fields.Float(required=True, allow_none=True)
    rating_counts = fields.Nested(RatingCounts, required=True)
    reviews = StrictInteger(required=True)
    tasks_done = StrictInteger(required=True)
    verified_until = DateTimeField(required=True, allow_none=True)
    member_since = DateTimeField(required=True)
    response_time = fields.String(required=True, allow_none=True, validate=validate.OneOf(RESPONSE_TIMES))
    service_area = fields.String(required=True)


class ProfileReview(Strict):
    """A review of the professional, without its author."""

    rating = StrictInteger(required=True)
    comment = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    task_name = fields.String(required=True)
    reply = fields.String(required=True, allow_none=True)


class OwnPhoto(Strict):
    """The photo that was submitted last: shown to others once it is approved."""

    id = Id(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = fields.String(required=True, allow_none=True)
    created_at = DateTimeField(required=True)
    decided_at = DateTimeField(required=True, allow_none=True)


class OwnProfile(ProfessionalProfile):
    """The professional's own profile: as others see it, and the photo that was submitted last.

    ``isactive``: whether others can see it now.
    """

    isactive = StrictInteger(required=True)
    photo = fields.Nested(OwnPhoto, required=True, allow_none=True)


class ProfileEdit(Strict):
    """The text about the professional. It must not contain phone numbers, email addresses or links."""

    about = Text(min=0, max=2000, multiline=True)


class ProfileEditData(TypedDict, total=False):
    """The loaded :class:`ProfileEdit`."""

    about: str


class PhotoUpload(Strict):
    """A JPEG, PNG or WebP file of at most 5 MiB and 24 megapixels, at least 200 pixels wide and high."""

    photo = Upload(required=True)


class PhotoUploadData(TypedDict):
    """The loaded :class:`PhotoUpload`."""

    photo: FileStorage


class PhotoSize(Strict):
    """The size of the square: 640 or 160 pixels a side at most."""

    size = fields.String(load_default="large", validate=validate.OneOf(["large", "small"]))


class PhotoSizeData(TypedDict):
    """The loaded :class:`PhotoSize`."""

    size: str


class PhotoQuery(Window):
    """The state of the photos to list."""

    state = fields.String(load_default=PhotoState.PENDING.value, validate=validate.OneOf(STATES))


class PhotoQueryData(WindowData):
    """The loaded :class:`PhotoQuery`."""

    state: str


class ProfilePhoto(OwnPhoto):
    """A photo and whose it is, for admins."""

    professional_id = Id(required=True)
    firstname = fields.String(required=True)
    lastname = fields.String(required=True)
    compname = fields.String(required=True)
