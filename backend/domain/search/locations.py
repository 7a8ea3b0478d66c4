"""Names of places, as people type them, made the keys under which availability is counted."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from backend.core.database import db

# The best of: names that are the same (a city's districts begin with its name), that begin so, that look alike.
RESOLVE: Final = text("""
    WITH typed AS (
        SELECT plain_text(:name) AS name, plain_text(:within) AS within,
               regexp_replace(plain_text(:name), '([%_\\\\])', '\\\\\\1', 'g') AS beginning
    ),
    found AS (
        SELECT CASE WHEN r.name_key = t.name OR starts_with(r.name_key, t.name || ' ') THEN 1
                    WHEN starts_with(r.name_key, t.name) THEN 2 ELSE 3 END AS tier,
               r.key, r.kind, r.name, r.name AS district, r.state, CAST(NULL AS text) AS pincode,
               similarity(r.name_key, t.name) AS likeness, t.within
          FROM typed t JOIN regions r ON starts_with(r.name_key, t.name) OR similarity(r.name_key, t.name) >= 0.3
        UNION ALL
        SELECT CASE WHEN l.name_key = t.name THEN 1 WHEN starts_with(l.name_key, t.name) THEN 2 ELSE 3 END,
               l.pincode, 'locality', l.name, l.district, l.state, l.pincode, similarity(l.name_key, t.name), t.within
          FROM typed t JOIN localities l ON l.name_key LIKE t.beginning || '%' OR l.name_key % t.name
    ), fitting AS (
        SELECT *, min(tier) OVER () AS best
          FROM found
         WHERE within = '' OR starts_with(plain_text(district), within) OR starts_with(plain_text(state), within)
    )
    SELECT tier, kind, key, name, district, state, pincode FROM fitting
     WHERE tier = best ORDER BY likeness DESC, kind DESC, name, key LIMIT :most
""")
MOST: Final = 200
MEANT: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Location:
    """What a name stands for: keys of places; or, when it stands for nothing, what looks like it."""

    keys: tuple[str, ...]
    alike: tuple[dict[str, Any], ...] = ()


def resolve(typed: str) -> Location:
    """The places of this name ("Indiranagar", "Indiranagar, Bengaluru", "Karnataka"). One query."""
    name, _, within = (part.strip() for part in typed.partition(","))
    rows = db.session.execute(RESOLVE, {"name": name or typed, "within": within, "most": MOST}).all()
    if rows and rows[0].tier in MEANT:
        return Location(tuple(dict.fromkeys(row.key for row in rows)))
    alike = (
        {"name": row.name, "district": row.district, "state": row.state, "pincode": row.pincode} for row in rows[:5]
    )
    return Location((), tuple(alike))
