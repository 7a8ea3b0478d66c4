"""Coordinates of pincodes: misplaced post offices do not move a pincode out of its city."""

from collections import defaultdict
from typing import Final

import pytest
from sqlalchemy import text

from backend.core.db.session import db
from backend.domain.places import loading, points
from backend.domain.places.points import Located, Office, Point

# Latitude and longitude read off maps by hand; the first nine were up to 555 km away.
KNOWN: Final[dict[str, Point]] = {
    "302031": (26.90, 75.90), "201309": (28.62, 77.37), "201301": (28.58, 77.33), "560071": (12.96, 77.64),
    "600088": (12.99, 80.20), "276001": (26.07, 83.18), "246701": (29.37, 78.13), "700001": (22.57, 88.35),
    "700091": (22.58, 88.42), "110001": (28.63, 77.22), "400001": (18.94, 72.84), "400050": (19.06, 72.83),
    "411001": (18.52, 73.87), "411045": (18.56, 73.78), "500081": (17.45, 78.38), "500001": (17.39, 78.48),
    "600001": (13.09, 80.29), "600017": (13.04, 80.23), "560001": (12.97, 77.60), "560038": (12.97, 77.64),
    "560066": (12.97, 77.75), "560100": (12.84, 77.66), "380001": (23.02, 72.58), "380015": (23.02, 72.53),
    "390001": (22.30, 73.20), "395001": (21.19, 72.83), "302001": (26.92, 75.80), "226001": (26.85, 80.92),
    "208001": (26.47, 80.35), "221001": (25.32, 83.01), "211001": (25.45, 81.83), "800001": (25.61, 85.14),
    "834001": (23.36, 85.33), "492001": (21.24, 81.64), "751001": (20.27, 85.83), "781001": (26.18, 91.75),
    "682001": (9.96, 76.24), "695001": (8.49, 76.95), "678001": (10.77, 76.65), "670001": (11.87, 75.37),
    "403001": (15.49, 73.83), "462001": (23.26, 77.41), "452001": (22.72, 75.86), "440001": (21.15, 79.09),
    "160017": (30.74, 76.78), "141001": (30.90, 75.85), "143001": (31.63, 74.87), "171001": (31.10, 77.17),
    "248001": (30.32, 78.03), "190001": (34.08, 74.82), "180001": (32.73, 74.86), "194101": (34.16, 77.58),
    "744101": (11.67, 92.74), "793001": (25.57, 91.88), "795001": (24.81, 93.94), "799001": (23.83, 91.28),
    "737101": (27.33, 88.61), "122001": (28.46, 77.03), "121001": (28.40, 77.31), "201001": (28.67, 77.43),
    "530001": (17.70, 83.30), "520001": (16.52, 80.62), "641001": (11.00, 76.96), "625001": (9.92, 78.12),
    "620001": (10.81, 78.69), "575001": (12.87, 74.84), "580020": (15.36, 75.13), "788001": (24.82, 92.80),
    "605001": (11.93, 79.83),
}  # fmt: skip
CITY_KM: Final = 10


@pytest.fixture(scope="module")
def rows() -> dict[str, loading.Row]:
    read, _ = loading.read()
    return {row.pincode: row for row in read}


def test_locate_known_pincodes_returns_points_in_their_city(rows: dict[str, loading.Row]) -> None:
    far = {
        pincode: round(points.distance(known, (row.latitude, row.longitude)))
        for pincode, known in KNOWN.items()
        if (row := rows[pincode]).latitude is not None
        and row.longitude is not None
        and points.distance(known, (row.latitude, row.longitude)) > CITY_KM
    }
    assert not far


def test_locate_every_pincode_returns_point_and_region(rows: dict[str, loading.Row]) -> None:
    assert [row.pincode for row in rows.values() if row.latitude is None or not row.state or not row.district] == []


def test_locate_few_pincodes_returns_points_far_from_district_centre(rows: dict[str, loading.Row]) -> None:
    """The remaining ones mostly have wrong district names; dropping only offices of other states left 424."""
    districts: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for row in rows.values():
        if row.latitude is not None and row.longitude is not None:
            districts[row.state, row.district].append((row.latitude, row.longitude))
    middles = {name: points.middle(found) for name, found in districts.items()}
    far = [at for name, found in districts.items() for at in found if points.distance(middles[name], at) > 150]
    assert len(far) < 45


def test_locate_without_plausible_office_is_uncertain(rows: dict[str, loading.Row]) -> None:
    assert rows["560071"].uncertain
    assert not rows["560001"].uncertain
    assert sum(row.uncertain for row in rows.values()) < 0.1 * len(rows)


def town(prefix: str, middle: Point, *, pincodes: int = 12) -> list[Office]:
    """Return offices around a point, one for each pincode, about two kilometres apart."""
    return [
        Office(f"{prefix}{n:03}", "D", "S", (middle[0] + n % 4 * 0.02, middle[1] + n // 4 * 0.02))
        for n in range(pincodes)
    ]


def located(offices: list[Office]) -> dict[str, Located]:
    return points.locate(offices, {office.pincode: (office.state, office.district) for office in offices})


def test_locate_only_office_in_another_city_uses_neighbours() -> None:
    offices = [*town("111", (20.0, 75.0)), Office("111050", "D", "S", (21.0, 75.0))]
    found = located(offices)["111050"]
    assert found.uncertain
    assert points.distance(found.point, (20.02, 75.02)) < 5


def test_locate_two_offices_uses_the_one_among_neighbours() -> None:
    offices = [*town("111", (20.0, 75.0)), Office("111050", "D", "S", (21.0, 75.0)),
               Office("111050", "D", "S", (20.03, 75.01))]  # fmt: skip
    found = located(offices)["111050"]
    assert found == Located((20.03, 75.01), uncertain=False)


def test_locate_wrong_point_shared_by_many_offices_counts_once() -> None:
    wrong = [Office(f"1111{n}{m}", "D", "S", (22.0, 78.0)) for n in range(5, 9) for m in range(10)]
    found = located([*town("111", (20.0, 75.0)), *wrong])
    assert points.distance(found["111001"].point, (20.02, 75.02)) < 5
    assert all(points.distance(found[office.pincode].point, (20.02, 75.02)) < 5 for office in wrong)


def test_locate_point_shared_by_whole_area_is_uncertain() -> None:
    shared = [Office(f"11106{n}", "D", "S", (20.01, 75.01)) for n in range(5)]
    found = located([*town("111", (20.0, 75.0)), *shared])
    assert found["111060"] == Located((20.01, 75.01), uncertain=True)


@pytest.mark.usefixtures("app")
def test_load_newer_version_corrects_existing_points() -> None:
    # As the command that loads does: the places are processed between two statements.
    db.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    before = db.session.execute(text("SELECT latitude FROM places WHERE pincode = '302031'")).scalar_one()
    db.session.execute(text("UPDATE places SET latitude = 5 WHERE pincode = '302031'"))
    db.session.execute(text("UPDATE place_imports SET version = 1"))
    assert loading.load() == 1
    assert db.session.execute(text("SELECT latitude FROM places WHERE pincode = '302031'")).scalar_one() == before
    assert loading.load() == 0
