"""Photos of requests."""

from typing import TypedDict

from marshmallow import fields, validate
from werkzeug.datastructures import FileStorage

from backend.api.schemas.common import DateTimeField, Id, Strict, StrictInteger, Upload
from backend.domain.photos.access import Phase

PHASES = [phase.value for phase in Phase]


class RequestPhotoUpload(Strict):
    """A JPEG, PNG, WebP or HEIC file of at most 5 MiB and 25 megapixels, and what it shows.

    ``point``: the number of the point of the request's checklist that it shows, before or after the work.
    """

    photo = Upload(required=True)
    phase = fields.String(required=True, validate=validate.OneOf(PHASES))
    point = StrictInteger(min=1, max=20, load_default=None)


class RequestPhotoUploadData(TypedDict):
    """The loaded :class:`RequestPhotoUpload`."""

    photo: FileStorage
    phase: str
    point: int | None


class RequestPhoto(Strict):
    """A photo, without its content. ``sha256`` is the digest of the full size."""

    id = Id(required=True)
    phase = fields.String(required=True, validate=validate.OneOf(PHASES))
    author_id = Id(required=True)
    author_role = fields.String(required=True)
    point = StrictInteger(required=True, allow_none=True)
    width = StrictInteger(required=True)
    height = StrictInteger(required=True)
    sha256 = fields.String(required=True)
    created_at = DateTimeField(required=True)


class RequestPhotos(Strict):
    """The photos of a request that the caller sees. ``phases``: those of which the caller may add photos now."""

    items = fields.List(fields.Nested(RequestPhoto), required=True)
    phases = fields.List(fields.String(validate=validate.OneOf(PHASES)), required=True)
    most = StrictInteger(required=True)


class RequestPhotoSize(Strict):
    """The size: 2,000 or 400 pixels a side at most."""

    size = fields.String(load_default="full", validate=validate.OneOf(["full", "thumb"]))


class RequestPhotoSizeData(TypedDict):
    """The loaded :class:`RequestPhotoSize`."""

    size: str
