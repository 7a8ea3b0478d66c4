"""Reading places."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import String, Subquery, func, literal, select, union_all

from backend.core.db.pagination import Page, Window, after, cut, decode_cursor, order
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.domain.places.models import Locality, Place, Region

SCOPE: Final = "places"


class PlaceRow(NamedTuple):
    """A place as found, with its sort keys."""

    rank: int
    name_key: str
    pincode: str
    number: int
    locality: str
    district: str
    state: str


def require(pincode: str, *, field: str = "pincode") -> Place:
    """Return the place with this pincode. Raises Invalid naming the field if there is none."""
    place = db.session.get(Place, pincode)
    if place is None:
        raise unknown_pincode(field=field)
    return place


def unknown_pincode(*, field: str = "pincode") -> Invalid:
    """Return the error for a pincode that does not exist, naming the field."""
    return Invalid.field(field, "This pincode does not exist.", code="unknown_pincode")


def unknown(pincodes: Iterable[str]) -> list[str]:
    """Return those that are not pincodes."""
    wanted = set(pincodes)
    if not wanted:
        return []
    known = db.session.execute(select(Place.pincode).where(Place.pincode.in_(wanted))).scalars()
    return sorted(wanted - set(known))


def page(*, q: str, window: Window) -> Page[PlaceRow]:
    """Return places by prefix: of the pincode, or of the name of a locality, then of a district or state."""
    digits = q.replace(" ", "")
    found = _by_pincode(digits) if digits.isascii() and digits.isdigit() else _by_name(q)
    keys = [(found.c.rank, False), (found.c.name_key, False), (found.c.pincode, False), (found.c.number, False)]
    statement = select(found)
    if window.cursor:
        statement = statement.where(after(keys, decode_cursor(SCOPE, window.cursor, length=len(keys))))
    rows = db.session.execute(statement.order_by(*order(keys)).limit(window.limit + 1))
    places = [PlaceRow._make(row) for row in rows]
    return cut(places, window=window, scope=SCOPE, values=lambda row: row[:4])


def _by_pincode(beginning: str) -> Subquery:
    return (
        select(
            literal(0).label("rank"),
            literal("", String(collation="C")).label("name_key"),
            Place.pincode,
            literal(0).label("number"),
            Place.locality,
            Place.district,
            Place.state,
        )
        .where(Place.pincode.startswith(beginning, autoescape=True))
        .subquery()
    )


def _by_name(beginning: str) -> Subquery:
    pattern = func.plain_text(_escaped(beginning) + "%")
    localities = select(
        literal(0).label("rank"),
        Locality.name_key,
        Locality.pincode,
        Locality.id.label("number"),
        Locality.name.label("locality"),
        Locality.district,
        Locality.state,
    ).where(Locality.name_key.like(pattern, escape="\\"))
    in_region = ((Region.kind == "district") & (Region.name == Place.district)) | (Region.kind == "state")
    of_regions = (
        select(
            literal(1).label("rank"),
            Region.name_key,
            Place.pincode,
            literal(0).label("number"),
            Place.locality,
            Place.district,
            Place.state,
        )
        .join(Region, (Region.state == Place.state) & in_region)
        .where(Region.name_key.like(pattern, escape="\\"))
    )
    return union_all(localities, of_regions).subquery()


def _escaped(typed: str) -> str:
    return typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
