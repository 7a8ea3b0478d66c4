"""Names of places, as people type them, made the keys under which availability is counted."""

from dataclasses import dataclass
from typing import Final, TypedDict

from sqlalchemy import text

from backend.core.db import replica

FITS: Final = """
    (t.within = '' OR starts_with(plain_text(s.district), t.within) OR starts_with(plain_text(s.state), t.within))
"""
# Names that are the same (a city's districts begin with its name); if there are none, names that begin so; if there
# are none either, names that look alike, which are only hinted at.
RESOLVE: Final = text(
    """
    WITH typed AS (
        SELECT plain_text(:name) AS name, plain_text(:within) AS within,
               regexp_replace(plain_text(:name), '([%_\\\\])', '\\\\\\1', 'g') AS beginning
    ),
    places AS NOT MATERIALIZED (
        SELECT 'locality' AS kind, l.pincode AS key, l.name, l.name_key, l.district, l.state, l.pincode
          FROM localities l
    ),
    areas AS NOT MATERIALIZED (
        SELECT r.kind, r.key, r.name, r.name_key, r.name AS district, r.state, CAST(NULL AS text) AS pincode
          FROM regions r
    ),
    same AS (
        SELECT 1 AS tier, a.* FROM typed t JOIN areas a ON a.name_key = t.name OR starts_with(a.name_key, t.name || ' ')
        UNION ALL
        SELECT 1, p.* FROM typed t JOIN places p ON p.name_key = t.name
    ),
    begun AS (
        SELECT 2 AS tier, a.* FROM typed t JOIN areas a ON starts_with(a.name_key, t.name)
        UNION ALL
        SELECT 2, p.* FROM typed t JOIN places p ON p.name_key LIKE t.beginning || '%'
    ),
    alike AS (
        SELECT 3 AS tier, a.* FROM typed t JOIN areas a ON similarity(a.name_key, t.name) >= 0.3
        UNION ALL
        SELECT 3, p.* FROM typed t JOIN places p ON p.name_key % t.name
    ),
    fitting AS (
        SELECT s.* FROM same s, typed t WHERE {fits}
    ),
    beginning AS (
        SELECT s.* FROM begun s, typed t WHERE {fits} AND NOT EXISTS (SELECT 1 FROM fitting)
    ),
    found AS (
        SELECT * FROM fitting UNION ALL SELECT * FROM beginning
        UNION ALL
        SELECT s.* FROM alike s, typed t
         WHERE {fits} AND NOT EXISTS (SELECT 1 FROM fitting) AND NOT EXISTS (SELECT 1 FROM beginning)
    )
    SELECT tier, kind, key, f.name, district, state, pincode
      FROM found f, typed t ORDER BY similarity(f.name_key, t.name) DESC, kind DESC, f.name, key LIMIT :most
""".replace("{fits}", FITS)
)
MOST: Final = 200
MEANT: Final = (1, 2)


class SimilarPlace(TypedDict):
    """A place whose name is similar to the search text."""

    name: str
    district: str
    state: str
    pincode: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """The keys of the places of a name, or places with similar names if none has it."""

    keys: tuple[str, ...]
    similar: tuple[SimilarPlace, ...] = ()


def resolve(typed: str) -> Location:
    """Return the places of a name ("Indiranagar", "Indiranagar, Bengaluru", "Karnataka"). One query."""
    name, _, within = (part.strip() for part in typed.partition(","))
    values = {"name": name or typed, "within": within, "most": MOST}
    rows = replica.read(lambda source: source.execute(RESOLVE, values).all(), for_caller=True)
    if rows and rows[0].tier in MEANT:
        return Location(tuple(dict.fromkeys(row.key for row in rows)))
    similar = (
        SimilarPlace(name=row.name, district=row.district, state=row.state, pincode=row.pincode) for row in rows[:5]
    )
    return Location((), tuple(similar))
