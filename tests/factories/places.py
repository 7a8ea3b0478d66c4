"""Distances between places, computed in Python."""

import math
from typing import Final

from backend.domain.places.models import Place

EARTH: Final = 6378168.0  # metres; the radius of earthdistance's sphere


def metres(a: Place, b: Place) -> float | None:
    """Return the length of the great circle, or None if a place has no coordinates."""
    if None in (a.latitude, a.longitude, b.latitude, b.longitude):
        return None
    lat_a, lon_a, lat_b, lon_b = (math.radians(x or 0) for x in (a.latitude, a.longitude, b.latitude, b.longitude))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(h))
