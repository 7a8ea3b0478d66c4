"""Coordinates of pincodes, computed from post offices of which some have wrong coordinates.

About one office in twenty of the source data lies where it cannot be: another state's coordinates, swapped digits, or
one point for a whole postal division. A pincode's own offices cannot tell which of them is right when there are only
one or two, so each office is held against its neighbours: the first three digits of a pincode name a sorting
district, which is a compact area. Centres are medians over distinct points, so that a wrong point that many offices
share counts once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
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


class _Group(NamedTuple):
    """Offices of one area: their numbers in a list of offices, and their points."""

    numbers: list[int]
    points: list[Point]


class _Groups:
    """Offices grouped by a key. An area is computed again only if other offices count for it than the time before."""

    def __init__(self, offices: Iterable[Office], key: Key, reach: Reach) -> None:
        self._reach = reach
        self._groups: dict[Hashable, _Group] = defaultdict(lambda: _Group([], []))
        for number, office in enumerate(offices):
            numbers, points = self._groups[key(office)]
            numbers.append(number)
            points.append(office.point)
        self._known: dict[Hashable, tuple[set[Point], list[bool]]] = {}

    def covered(self, counts: list[bool]) -> list[bool | None]:
        """Return for each office whether it is within reach of its area; None if its group is too small to be one.

        ``counts``: which offices an area is made of.
        """
        found: list[bool | None] = [None] * len(counts)
        for name, (numbers, points) in self._groups.items():
            distinct = {point for number, point in zip(numbers, points, strict=True) if counts[number]}
            if len(distinct) >= ENOUGH:
                for number, near in zip(numbers, self._near(name, distinct), strict=True):
                    found[number] = near
        return found

    def _near(self, name: Hashable, distinct: set[Point]) -> list[bool]:
        if name not in self._known or self._known[name][0] != distinct:
            self._known[name] = distinct, self._reach.covers(_area(distinct), self._groups[name].points)
        return self._known[name][1]


def _area(points: Collection[Point]) -> Area:
    centre = middle(points)
    return Area(centre, median(distances(centre, points)))


def _within_reach(offices: list[Office]) -> list[Office]:
    """Drop offices that are neither near their state nor near the region of their first two digits."""
    of_state = _Groups(offices, lambda office: office.state, STATE)
    of_region = _Groups(offices, lambda office: office.pincode[:2], REGION)
    every = [True] * len(offices)
    return [
        office
        for office, *is_near in zip(offices, of_state.covered(every), of_region.covered(every), strict=True)
        if any(is_near) or is_near == [None, None]
    ]


def _within_sorting_district(offices: list[Office]) -> list[Office]:
    """Drop offices that agree neither with their sorting district nor with the district that they name.

    Both are needed: a sorting district may reach over two far corners, and one in fifty offices names a wrong district.
    """
    sorting, named = _Groups(offices, _sorting_district, NEARBY), _Groups(offices, _district, NEARBY)
    kept = [True] * len(offices)
    for _ in range(ROUNDS):
        kept = [
            near is None or near or bool(agrees)
            for near, agrees in zip(sorting.covered(kept), named.covered(kept), strict=True)
        ]
    return list(compress(offices, kept))


def _sorting_district(office: Office) -> Hashable:
    return office.pincode[:3]


def _district(office: Office) -> Hashable:
    return office.state, office.district


def _by_pincode(offices: list[Office]) -> dict[str, list[Point]]:
    """Return the distinct points of each pincode, preferring those in the district that they name."""
    agreed: dict[str, set[Point]] = defaultdict(set)
    doubtful: dict[str, set[Point]] = defaultdict(set)
    covered = _Groups(offices, _district, NEARBY).covered([True] * len(offices))
    for office, agrees in zip(offices, covered, strict=True):
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
        self._groups: dict[Hashable, list[Point]] = defaultdict(list)
        for pincode, point in points.items():
            for key in self._keys(pincode):
                self._groups[key].append(point)

    def _keys(self, pincode: str) -> tuple[Hashable, ...]:
        state = self._names[pincode][0]
        same_state = (pincode[:4], state), (pincode[:3], state)
        return *same_state, pincode[:4], pincode[:3], self._names[pincode], state, pincode[:2]

    def point(self, pincode: str) -> Point | None:
        return next((middle(self._groups[key]) for key in self._keys(pincode) if key in self._groups), None)
