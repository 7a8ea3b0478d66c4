"""Distances between places, as fragments of SQL: whole metres along great circles of earthdistance's sphere.

The function ``metres_from`` in the database is the definition. The formula here gives the same at a tenth of the cost,
where thousands of distances are measured from one point: the types of earthdistance check themselves at every step.
"""


def origin(place: str) -> str:
    """Return the columns of a point from which many distances are measured: radians, and the latitude's cosine."""
    return (
        f"radians({place}.latitude) AS latitude, radians({place}.longitude) AS longitude,"
        f" cos(radians({place}.latitude)) AS cosine"
    )


def metres(point: str, place: str) -> str:
    """Return the distance from a row with the columns of `origin` to a place; NULL if either has no coordinates."""
    return f"round(2 * earth() * asin(least(1, sqrt({_haversine(point, place)}))))"


def is_within(point: str, place: str, radius: str) -> str:
    """Return the condition that `metres` is at most a radius of whole metres, without a square root for each place."""
    return f"{_haversine(point, place)} <= power(sin(({radius} + 0.5) / (2 * earth())), 2)"


def box(place: str, radius: str) -> str:
    """Return the box, for the index of places, around all that is within a radius of a place, or NULL."""
    return (
        f"CASE WHEN {place}.latitude IS NOT NULL"
        f" THEN earth_box(ll_to_earth({place}.latitude, {place}.longitude), {radius} + 1) END"
    )


def _haversine(point: str, place: str) -> str:
    return (
        f"(power(sin((radians({place}.latitude) - {point}.latitude) / 2), 2) + {point}.cosine"
        f" * cos(radians({place}.latitude)) * power(sin((radians({place}.longitude) - {point}.longitude) / 2), 2))"
    )
