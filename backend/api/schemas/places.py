"""Places on the wire."""

from marshmallow import fields

from backend.api.schemas.common import Strict, Text, Window


class Place(Strict):
    """A locality and where it lies."""

    pincode = fields.String(required=True)
    locality = fields.String(required=True)
    district = fields.String(required=True)
    state = fields.String(required=True)


class PlaceFilter(Window):
    """What was typed so far: a pincode, or the beginning of one or of a name."""

    q = Text(required=True)
