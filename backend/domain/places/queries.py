"""Reading places."""

from backend.core.database import db
from backend.core.errors import Invalid
from backend.domain.places.models import Place


def require(pincode: str, *, field: str = "pincode") -> Place:
    """The place with this pincode. Raises Invalid naming the field when there is none."""
    place = db.session.get(Place, pincode)
    if place is None:
        raise Invalid.field(field, "There is no such pincode.", code="unknown_pincode")
    return place
