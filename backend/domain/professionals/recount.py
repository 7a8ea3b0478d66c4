"""Counting availability anew from what professionals are, and putting right only what differs: readers never wait."""

from typing import Final

from sqlalchemy import text

from backend.core.cache import versions
from backend.core.database import db
from backend.domain.professionals.availability import LOCK, TRUTH

FRESH: Final = (
    f"CREATE TEMP TABLE fresh_areas ON COMMIT DROP AS {TRUTH}",
    # Many professionals share home and radius: what such a pair serves is worked out once.
    """
    CREATE TEMP TABLE fresh_served ON COMMIT DROP AS
    SELECT pincode, radius_km, listed, served.place, served.metres
      FROM (SELECT DISTINCT pincode, radius_km, listed FROM fresh_areas WHERE task_ids <> '{}') AS area,
           LATERAL places_served(pincode, radius_km, listed) AS served
    """,
    "ANALYZE fresh_areas, fresh_served",
    """
    CREATE TEMP TABLE fresh_places ON COMMIT DROP AS
    SELECT place, task_id, CAST(count(*) AS integer) AS professionals, min(metres) AS nearest,
           coalesce(array_agg(metres ORDER BY metres) FILTER (WHERE metres IS NOT NULL), '{}') AS distances
      FROM fresh_areas JOIN fresh_served USING (pincode, radius_km, listed), unnest(task_ids) AS task_id
     GROUP BY place, task_id
    """,
    """
    CREATE TEMP TABLE fresh_homes ON COMMIT DROP AS
    SELECT pincode, task_id, CAST(count(*) AS integer) AS professionals
      FROM fresh_areas, unnest(task_ids) AS task_id GROUP BY pincode, task_id
    """,
)
COUNT: Final = "WITH changed AS ({} RETURNING 1) SELECT count(*) FROM changed"
PUT_RIGHT: Final = (
    """
    DELETE FROM professional_areas AS kept
     WHERE NOT EXISTS (SELECT 1 FROM fresh_areas AS fresh WHERE fresh.account_id = kept.account_id)
    """,
    """
    INSERT INTO professional_areas AS kept (account_id, pincode, radius_km, listed, task_ids)
    SELECT account_id, pincode, radius_km, listed, task_ids FROM fresh_areas
        ON CONFLICT (account_id) DO UPDATE
       SET pincode = excluded.pincode, radius_km = excluded.radius_km,
           listed = excluded.listed, task_ids = excluded.task_ids
     WHERE (kept.pincode, kept.radius_km, kept.listed, kept.task_ids)
           IS DISTINCT FROM (excluded.pincode, excluded.radius_km, excluded.listed, excluded.task_ids)
    """,
    """
    DELETE FROM task_homes AS kept
     WHERE NOT EXISTS (SELECT 1 FROM fresh_homes AS fresh
                        WHERE fresh.pincode = kept.pincode AND fresh.task_id = kept.task_id)
    """,
    """
    INSERT INTO task_homes AS kept (pincode, task_id, professionals)
    SELECT pincode, task_id, professionals FROM fresh_homes ORDER BY pincode, task_id
        ON CONFLICT (pincode, task_id) DO UPDATE SET professionals = excluded.professionals
     WHERE kept.professionals <> excluded.professionals
    """,
    """
    UPDATE tasks SET professionals = fresh.professionals
      FROM (SELECT tasks.id, coalesce(sum(fresh_homes.professionals), 0) AS professionals
              FROM tasks LEFT JOIN fresh_homes ON fresh_homes.task_id = tasks.id GROUP BY tasks.id) AS fresh
     WHERE tasks.id = fresh.id AND tasks.professionals <> fresh.professionals
    """,
    """
    DELETE FROM task_places AS kept
     WHERE NOT EXISTS (SELECT 1 FROM fresh_places AS fresh
                        WHERE fresh.place = kept.place AND fresh.task_id = kept.task_id)
    """,
    """
    INSERT INTO task_places AS kept (place, task_id, professionals, nearest, distances)
    SELECT place, task_id, professionals, nearest, distances FROM fresh_places ORDER BY place, task_id
        ON CONFLICT (place, task_id) DO UPDATE
       SET professionals = excluded.professionals, nearest = excluded.nearest, distances = excluded.distances
     WHERE (kept.professionals, kept.nearest, kept.distances)
           IS DISTINCT FROM (excluded.professionals, excluded.nearest, excluded.distances)
    """,
)


def rebuild() -> int:
    """Count everything anew in one transaction; returns how many rows were wrong."""
    db.session.flush()
    db.session.execute(text("SET LOCAL statement_timeout = 0"))
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    for statement in FRESH:
        db.session.execute(text(statement))
    wrong: int = sum(db.session.execute(text(COUNT.format(statement))).scalar_one() for statement in PUT_RIGHT)
    if wrong:
        versions.change(versions.CATALOGUE)  # answers made from the wrong counts are not to be given any more
    return wrong
