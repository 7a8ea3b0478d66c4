"""Coordinates of pincodes, computed from post offices of which some have wrong coordinates.

About one office in twenty of the source data lies where it cannot be: another state's coordinates, swapped digits, or
one point for a whole postal division. A pincode's own offices cannot tell which of them is right when there are only
one or two, so each office is held against its neighbours: the first three digits of a pincode name a sorting
district, which is a compact area. Centres are medians over distinct points, so that a wrong point that many offices
share counts once.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import compress
from math import cos, hypot, radians
from statistics import median
from typing import Final, NamedTuple

KM_A_DEGREE: Final = 111.2
MEAN_IN_RADIANS: Final = radians(0.5)  # of the sum of two latitudes
ENOUGH: Final = 5  # distinct points; fewer are not significant
ROUNDS: Final = 3  # dropping implausible points moves the centres, which are stable after three rounds
SHARED: Final = 5  # one point given for so many pincodes is a stand-in for the area, not a place

Point = tuple[float, float]  # latitude, longitude in degrees (WGS 84)


class Office(NamedTuple):
    """A post office with coordinates."""

    pincode: str
    district: str
    state: str
    point: Point


class Area(NamedTuple):
    """The centre of a group of offices and their usual distance from it, in kilometres."""

    middle: Point
    spread: float


class Reach(NamedTuple):
    """How far an office can be from an area's centre: a multiple of the spread, within limits in kilometres."""

    times: float
    at_least: float
    at_most: float

    def covers(self, area: Area, points: Iterable[Point]) -> list[bool]:
        """Return for each point whether it is within reach of the area."""
        limit = min(max(self.times * area.spread, self.at_least), self.at_most)
        return [away <= limit for away in distances(area.middle, points)]


class Located(NamedTuple):
    """A pincode's coordinates; uncertain if not from its own offices, or if shared by a whole area."""

    point: Point
    uncertain: bool


STATE: Final = Reach(times=4, at_least=300, at_most=900)
REGION: Final = Reach(times=4, at_least=200, at_most=600)
NEARBY: Final = Reach(times=4, at_least=25, at_most=120)  # in a sorting district or district
NEIGHBOURS: Final = Reach(times=8, at_least=80, at_most=180)  # among the pincodes of one four-digit prefix
CLOSE: Final = Reach(times=3, at_least=8, at_most=60)  # what is preferred there, when a pincode's offices disagree

Key = Callable[[Office], Hashable]


def distance(a: Point, b: Point) -> float:
    """Return the planar distance in kilometres: within 1 % up to some hundred kilometres, and twenty times as fast."""
    return distances(a, [b])[0]


def distances(start: Point, points: Iterable[Point]) -> list[float]:
    """Return the distances from one point in kilometres; for millions of points, a call for each would cost most."""
    latitude, longitude = start
    return [
        hypot(latitude - other, (longitude - east) * cos((latitude + other) * MEAN_IN_RADIANS)) * KM_A_DEGREE
        for other, east in points
    ]


def middle(points: Iterable[Point]) -> Point:
    """Return the point of median latitude and longitude, which outliers do not move as they would a mean."""
    latitudes, longitudes = zip(*points, strict=True)
    return median(latitudes), median(longitudes)


def locate(offices: Iterable[Office], names: Mapping[str, tuple[str, str]]) -> dict[str, Located]:
    """Return a point for each pincode of ``names`` (pincode to state and district).

    A pincode without a believable office of its own gets the middle of the nearest group of neighbours that has one.
    """
    believable = _within_sorting_district(_within_reach([office for office in offices if office.pincode in names]))
    own = _drop_outliers(_by_pincode(believable))
    points = {pincode: middle(found) for pincode, found in own.items()}
    pincodes_at: dict[Point, set[str]] = defaultdict(set)
    for pincode, found in own.items():
        for point in found:
            pincodes_at[point].add(pincode)
    fallback = _Fallback(points, names)
    located = {}
    for pincode in names:
        if pincode in points:
            stand_in = all(len(pincodes_at[point]) >= SHARED for point in own[pincode])
            located[pincode] = Located(points[pincode], stand_in)
        elif (near := fallback.point(pincode)) is not None:
            located[pincode] = Located(near, True)
    return located


def _areas(offices: Iterable[Office], key: Key) -> dict[Hashable, Area]:
    """Return the areas of all groups that are large enough."""
    groups: dict[Hashable, set[Point]] = defaultdict(set)
    for office in offices:
        groups[key(office)].add(office.point)
    return {name: _area(points) for name, points in groups.items() if len(points) >= ENOUGH}


def _area(points: Iterable[Point]) -> Area:
    points = list(points)
    centre = middle(points)
    return Area(centre, median(distances(centre, points)))


def _covered(
    offices: list[Office], key: Key, reach: Reach, areas: Mapping[Hashable, Area] | None = None
) -> list[bool | None]:
    """Return for each office whether it is within reach of its area; None if its group is too small to be one.

    ``areas``: those of other offices, where not of these themselves.
    """
    areas = _areas(offices, key) if areas is None else areas
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, office in enumerate(offices):
        groups[key(office)].append(number)
    found: list[bool | None] = [None] * len(offices)
    for name, numbers in groups.items():
        if area := areas.get(name):
            is_near = reach.covers(area, (offices[number].point for number in numbers))
            for number, near in zip(numbers, is_near, strict=True):
                found[number] = near
    return found


def _within_reach(offices: list[Office]) -> list[Office]:
    """Drop offices that are neither near their state nor near the region of their first two digits."""
    of_state = _covered(offices, lambda office: office.state, STATE)
    of_region = _covered(offices, lambda office: office.pincode[:2], REGION)
    return [
        office
        for office, *is_near in zip(offices, of_state, of_region, strict=True)
        if any(is_near) or is_near == [None, None]
    ]


def _within_sorting_district(offices: list[Office]) -> list[Office]:
    """Drop offices that agree neither with their sorting district nor with the district that they name.

    Both are needed: a sorting district may reach over two far corners, and one in fifty offices names a wrong district.
    """
    kept = offices
    for _ in range(ROUNDS):
        sorting = _covered(offices, _sorting_district, NEARBY, _areas(kept, _sorting_district))
        named = _covered(offices, _district, NEARBY, _areas(kept, _district))
        kept = [
            office
            for office, near, agrees in zip(offices, sorting, named, strict=True)
            if near is None or near or agrees
        ]
    return kept


def _sorting_district(office: Office) -> Hashable:
    return office.pincode[:3]


def _district(office: Office) -> Hashable:
    return office.state, office.district


def _by_pincode(offices: list[Office]) -> dict[str, list[Point]]:
    """Return the distinct points of each pincode, preferring those in the district that they name."""
    agreed: dict[str, set[Point]] = defaultdict(set)
    doubtful: dict[str, set[Point]] = defaultdict(set)
    for office, agrees in zip(offices, _covered(offices, _district, NEARBY), strict=True):
        (agreed if agrees else doubtful)[office.pincode].add(office.point)
    return {pincode: sorted(agreed.get(pincode) or doubtful[pincode]) for pincode in {*agreed, *doubtful}}


def _drop_outliers(own: dict[str, list[Point]]) -> dict[str, list[Point]]:
    """Drop points far outside the pincodes of the same four digits; where points disagree, keep the close ones."""
    groups: dict[str, dict[str, Point]] = defaultdict(dict)
    for pincode, points in own.items():
        groups[pincode[:4]][pincode] = middle(points)
    kept: dict[str, list[Point]] = {}
    for pincode, points in own.items():
        others = [point for other, point in groups[pincode[:4]].items() if other != pincode]
        if len(others) >= ENOUGH:
            area = _area(others)
            near = list(compress(points, NEIGHBOURS.covers(area, points)))
            points = list(compress(near, CLOSE.covers(area, near))) or near  # noqa: PLW2901 - narrowed
        if points:
            kept[pincode] = points
    return kept


class _Fallback:
    """Return the centres of increasingly wide groups of neighbours."""

    def __init__(self, points: Mapping[str, Point], names: Mapping[str, tuple[str, str]]) -> None:
        self._names = names
        groups: dict[Hashable, list[Point]] = defaultdict(list)
        for pincode, point in points.items():
            for key in self._keys(pincode):
                groups[key].append(point)
        self._middles = {key: middle(found) for key, found in groups.items()}

    def _keys(self, pincode: str) -> tuple[Hashable, ...]:
        state = self._names[pincode][0]
        same_state = (pincode[:4], state), (pincode[:3], state)
        return *same_state, pincode[:4], pincode[:3], self._names[pincode], state, pincode[:2]

    def point(self, pincode: str) -> Point | None:
        return next((self._middles[key] for key in self._keys(pincode) if key in self._middles), None)
