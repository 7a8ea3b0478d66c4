"""Search: filters, hits and suggestions; synonyms; public profiles of professionals."""

from decimal import Decimal
from typing import TypedDict

from marshmallow import fields, validate

from backend.api.schemas.common import (
    DateTimeField,
    Flag,
    Id,
    Money,
    Pincode,
    Strict,
    StrictInteger,
    Text,
    Window,
    WindowData,
)
from backend.api.schemas.tasks import Task
from backend.domain.search.statement import SORTS

MAX_RADIUS_KM = 200


class SearchFilter(Window):
    """Search filters, all optional."""

    q = Text(load_default=None)
    location = Text(load_default=None)
    pincode = Pincode(load_default=None)
    radius_km = StrictInteger(min=1, max=MAX_RADIUS_KM, load_default=None, metadata={"description": "Default: 10"})
    category = Text(load_default=None)
    max_price = Money(load_default=None)
    min_rating = fields.Float(load_default=None, allow_nan=False, validate=validate.Range(min=0, max=5))
    sort = fields.String(load_default="relevance", validate=validate.OneOf(list(SORTS)))


class SearchFilterData(WindowData):
    """The loaded :class:`SearchFilter`."""

    q: str | None
    location: str | None
    pincode: str | None
    radius_km: int | None
    category: str | None
    max_price: Decimal | None
    min_rating: float | None
    sort: str


class Hit(Task):
    """A task available at the place. ``nearest_km``: to the nearest professional; ``rating``: weighted by reviews."""

    nearest_km = fields.Float(required=True, allow_none=True)


class CategoryCount(Strict):
    """The number of hits in a category, regardless of the category filter."""

    category = fields.String(required=True)
    tasks = StrictInteger(required=True)


class Near(Strict):
    """A suggestion if nothing was found: the nearest place with the task, or a place with a similar name (``name``)."""

    pincode = fields.String(required=True, allow_none=True)
    district = fields.String(required=True)
    state = fields.String(required=True)
    locality = fields.String()
    distance_km = fields.Float()
    task_id = Id()
    task_name = fields.String()
    professionals = StrictInteger()
    name = fields.String()


class SearchResult(Strict):
    """A page of hits, the counts of all hits by category, and suggestions if there are none."""

    items = fields.List(fields.Nested(Hit), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    categories = fields.List(fields.Nested(CategoryCount), required=True)
    near = fields.List(fields.Nested(Near), required=True)


class OfferedFilter(Window):
    """The place of the work."""

    pincode = Pincode(load_default=None)
    radius_km = StrictInteger(min=1, max=MAX_RADIUS_KM, load_default=None)


class OfferedFilterData(WindowData):
    """The loaded :class:`OfferedFilter`."""

    pincode: str | None
    radius_km: int | None


class PublicProfile(Strict):
    """A professional as customers see them."""

    id = Id(required=True)
    firstname = fields.String(required=True)
    compname = fields.String(required=True)
    exp = StrictInteger(required=True)
    rating = fields.Float(required=True, allow_none=True)
    reviews = StrictInteger(required=True)
    distance_km = fields.Float(required=True, allow_none=True)
    photo_url = fields.String(required=True, allow_none=True)
    favourite = Flag(required=True, metadata={"description": "1 for a favourite of the customer who asks"})


class SynonymsEdit(Strict):
    """Phrases that a search treats as equal."""

    phrases = fields.List(Text(), required=True, validate=validate.Length(min=2, max=20))


class SynonymsEditData(TypedDict):
    """The loaded :class:`SynonymsEdit`."""

    phrases: list[str]


class Synonyms(Strict):
    """A group of phrases that a search treats as equal."""

    id = Id(required=True)
    phrases = fields.List(fields.String(), required=True)
    created_at = DateTimeField(required=True)
    updated_at = DateTimeField(required=True)
