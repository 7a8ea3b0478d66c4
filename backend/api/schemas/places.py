"""Places."""

from marshmallow import fields

from backend.api.schemas.common import Strict, Text, Window, WindowData


class Place(Strict):
    """A locality, with its pincode, district and state."""

    pincode = fields.String(required=True)
    locality = fields.String(required=True)
    district = fields.String(required=True)
    state = fields.String(required=True)


class PlaceFilter(Window):
    """The text typed so far: the start of a pincode or of a name."""

    q = Text(required=True)


class PlaceFilterData(WindowData):
    """The loaded :class:`PlaceFilter`."""

    q: str
