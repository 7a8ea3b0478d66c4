"""Searching what is offered: two statements at most, one to understand a place's name and one for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import orjson

from backend.core.db import read_pool
from backend.core.db.pagination import Window, decode_cursor, encode_cursor
from backend.core.errors import Invalid
from backend.domain.search import locations, statement
from backend.domain.search.statement import Where

METRES: Final = 1000
NO_PLACE: Final[dict[str, object]] = {"somewhere": False}


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is searched for. A pincode says more than a location, so it wins over one.

    Without ``radius_km`` the professionals decide where they come (their radius, their pincodes); with it the caller
    decides how far away they may live (those who list the pincode itself count always).
    """

    q: str | None = None
    location: str | None = None
    pincode: str | None = None
    radius_km: int | None = None
    category: str | None = None
    max_price: Decimal | None = None
    min_rating: float | None = None
    sort: str = "relevance"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, the categories of all hits, what is near when there are none: JSON that the database made."""

    items: bytes
    categories: bytes
    next_cursor: str | None
    near: bytes


class _Result(NamedTuple):
    """The row of the statement, in the order of its columns. ``last``: the sort keys, if there are more hits."""

    items: str
    categories: str
    last: list[float] | None
    near: str | None
    is_known: bool


def run(criteria: Criteria, *, window: Window) -> Found:
    """Search. Raises Invalid for a pincode that does not exist and for a cursor that is not of this sort order."""
    scope = f"search:{criteria.sort}"
    keys = decode_cursor(scope, window.cursor, length=4) if window.cursor else None
    place = _place(criteria)
    if isinstance(place, locations.Location):
        return Found(b"[]", b"[]", None, orjson.dumps(place.similar))
    where, parameters = place
    composed = statement.compose(where, sort=criteria.sort, matched=criteria.q is not None, paging=keys is not None)
    row = _Result._make(read_pool.one(composed, parameters | _filters(criteria, window, keys), behind=True))
    if not row.is_known:
        raise Invalid.field("pincode", "This pincode does not exist.", code="unknown_pincode")
    cursor = encode_cursor(scope, row.last) if row.last else None
    return Found(row.items.encode(), row.categories.encode(), cursor, (row.near or "[]").encode())


def _place(criteria: Criteria) -> tuple[Where, dict[str, object]] | locations.Location:
    """How the place is asked for; or, for a name that stands for none, the Location that says what looks like it."""
    if criteria.pincode is not None and criteria.radius_km is not None:
        metres = criteria.radius_km * METRES
        return statement.WITHIN_RADIUS, {"somewhere": True, "pincode": criteria.pincode, "metres": metres}
    if criteria.pincode is not None:
        return statement.AT_PLACE, {"somewhere": True, "pincode": criteria.pincode}
    if criteria.location is None:
        return statement.ANYWHERE, NO_PLACE
    location = locations.resolve(criteria.location)
    return (statement.AT_PLACES, {"somewhere": True, "places": list(location.keys)}) if location.keys else location


def _filters(criteria: Criteria, window: Window, keys: Sequence[object] | None) -> dict[str, object]:
    filters = {
        "category": criteria.category,
        "max_price": criteria.max_price,
        "min_rating": criteria.min_rating,
        "limit": window.limit,
    }
    if criteria.q is not None:
        filters["q"] = criteria.q
    return filters | (dict(zip(("k1", "k2", "k3", "k4"), keys, strict=True)) if keys else {})
