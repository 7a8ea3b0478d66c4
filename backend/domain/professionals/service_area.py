"""Which places a professional serves, as fragments of SQL: those within the radius around home, home, those listed.

`serves` is the rule for one professional and one place; `places_served` finds all places of some professionals by
indexes. The function of that name in the database is the same rule for the counts that searches read.
"""

from backend.domain.places.distance import box, is_within, origin


def serves(*, metres: str, radius: str, home: str, place: str, is_listed: str) -> str:
    """Return the condition that a professional serves a place (pincodes; ``metres`` between them, or NULL)."""
    return f"(coalesce({metres} <= {radius}, false) OR {home} = {place} OR {is_listed})"


def home_columns(professional: str, home: str) -> str:
    """Return the columns from which `places_served` and distances start, of a professional and their home place."""
    radius = f"{professional}.radius_km * 1000"
    return f"{home}.pincode, {radius} AS radius, {origin(home)}, {box(home, radius)} AS around"


def places_served(professionals: str) -> str:
    """Return the query of ids and pincodes for a relation with an ``id`` and the columns of `home_columns`."""
    return f"""
    SELECT p.id, p.pincode FROM {professionals} p
    UNION
    SELECT p.id, listed.pincode FROM {professionals} p JOIN professional_pincodes listed ON listed.account_id = p.id
    UNION
    SELECT p.id, there.pincode
      FROM {professionals} p
      JOIN places there ON there.latitude IS NOT NULL AND p.around @> ll_to_earth(there.latitude, there.longitude)
       AND {is_within("p", "there", "p.radius")}
"""  # noqa: S608  # all parts are constants
