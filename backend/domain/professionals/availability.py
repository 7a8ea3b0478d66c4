"""Which professionals serve which tasks in which places: kept up to date, and rebuilt."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict

import orjson
from sqlalchemy import TextClause, text

from backend.core.cache import versions
from backend.core.db.session import db

LOCK: Final = 7_310_544_202  # any number that only this module uses
TRUTH: Final = """
    SELECT a.id AS account_id, a.pincode, CAST(p.radius_km AS integer) AS radius_km,
           ARRAY(SELECT l.pincode FROM professional_pincodes l WHERE l.account_id = a.id ORDER BY 1) AS listed,
           ARRAY(SELECT t.task_id FROM professional_tasks t WHERE t.account_id = a.id ORDER BY 1) AS task_ids
      FROM accounts a JOIN professionals p ON p.account_id = a.id
     WHERE a.blocked_at IS NULL AND p.approval = 'approved'
"""
COUNTED: Final = "SELECT pincode, radius_km, listed, task_ids FROM professional_areas WHERE account_id = :account_id"
SERVED: Final = text("SELECT place, metres FROM places_served(:pincode, :radius_km, CAST(:listed AS text[]))")
COUNTED_OF_MANY: Final = text("""
    SELECT pincode, radius_km, listed, task_ids FROM professional_areas
     WHERE account_id = ANY(CAST(:account_ids AS bigint[]))
""")
SERVED_BY_MANY: Final = text("""
    SELECT area.number, served.place, served.metres
      FROM jsonb_to_recordset(CAST(:areas AS jsonb))
           AS area (number integer, pincode text, radius_km integer, listed text[]),
           LATERAL places_served(area.pincode, area.radius_km, area.listed) AS served
""")
# Distances are kept sorted: width_bucket finds where one belongs, or is, without reading them all.
SUBTRACT: Final = text("""
    UPDATE task_places AS kept
       SET professionals = kept.professionals - 1,
           distances = kept.distances[1:at - 1] || kept.distances[at + 1:],
           nearest = (kept.distances[1:at - 1] || kept.distances[at + 1:])[1]
      FROM (SELECT place, task_id, coalesce(nullif(width_bucket(gone.metres, distances), 0), 1) AS at
              FROM unnest(CAST(:places AS text[]), CAST(:task_ids AS bigint[]), CAST(:metres AS integer[]))
                   AS gone (place, task_id, metres) JOIN task_places USING (place, task_id)) AS found
     WHERE kept.place = found.place AND kept.task_id = found.task_id
""")
# The same for offers of several professionals at one place, where the distances are gone through once.
SUBTRACT_SEVERAL: Final = text("""
    UPDATE task_places AS kept
       SET professionals = kept.professionals - gone.number,
           distances = gone.others,
           nearest = gone.others[1]
      FROM (SELECT place, task_id, number,
                   ARRAY(SELECT unnest(distances) EXCEPT ALL SELECT unnest(metres) ORDER BY 1) AS others
              FROM (SELECT place, task_id, CAST(count(*) AS integer) AS number, array_agg(metres) AS metres
                      FROM unnest(CAST(:places AS text[]), CAST(:task_ids AS bigint[]), CAST(:metres AS integer[]))
                           AS offer (place, task_id, metres) GROUP BY place, task_id) AS counted
              JOIN task_places USING (place, task_id)) AS gone
     WHERE kept.place = gone.place AND kept.task_id = gone.task_id
""")
DROP_EMPTY: Final = text("""
    DELETE FROM task_places USING unnest(CAST(:places AS text[]), CAST(:task_ids AS bigint[])) AS gone (place, task_id)
     WHERE task_places.place = gone.place AND task_places.task_id = gone.task_id AND professionals <= 0
""")
ADD: Final = text("""
    INSERT INTO task_places AS kept (place, task_id, professionals, nearest, distances)
    SELECT place, task_id, 1, metres, array_remove(ARRAY[metres], NULL)
      FROM unnest(CAST(:places AS text[]), CAST(:task_ids AS bigint[]), CAST(:metres AS integer[]))
           AS came (place, task_id, metres)
     WHERE EXISTS (SELECT 1 FROM tasks WHERE id = task_id)
        ON CONFLICT (place, task_id) DO UPDATE
       SET professionals = kept.professionals + 1,
           nearest = least(kept.nearest, excluded.nearest),
           distances = CASE WHEN excluded.nearest IS NULL THEN kept.distances
                            ELSE kept.distances[1:width_bucket(excluded.nearest, kept.distances)] || excluded.nearest
                                 || kept.distances[width_bucket(excluded.nearest, kept.distances) + 1:] END
""")
HOMES: Final = text("""
    INSERT INTO task_homes AS kept (pincode, task_id, professionals)
    SELECT pincode, task_id, change
      FROM unnest(CAST(:pincodes AS text[]), CAST(:task_ids AS bigint[]), CAST(:changes AS integer[]))
           AS home (pincode, task_id, change)
     WHERE EXISTS (SELECT 1 FROM tasks WHERE id = task_id)
        ON CONFLICT (pincode, task_id) DO UPDATE SET professionals = kept.professionals + excluded.professionals
""")
EMPTY_HOMES: Final = text(
    "DELETE FROM task_homes WHERE pincode = ANY(CAST(:pincodes AS text[])) AND professionals <= 0"
)
TOTALS: Final = text("""
    UPDATE tasks SET professionals = professionals + change
      FROM unnest(CAST(:task_ids AS bigint[]), CAST(:changes AS integer[])) AS total (task_id, change)
     WHERE id = task_id
""")
DROP_AREAS: Final = text("DELETE FROM professional_areas WHERE account_id = ANY(CAST(:account_ids AS bigint[]))")


@dataclass(frozen=True, slots=True)
class Area:
    """What a professional is counted by."""

    pincode: str
    radius_km: int
    listed: tuple[str, ...]
    task_ids: tuple[int, ...]


Offer = tuple[str, int, int | None]  # place, task, metres


class _Arrays(TypedDict):
    """Offers as arrays, one for each of their parts."""

    places: list[str]
    task_ids: list[int]
    metres: list[int | None]


def refresh(account_id: int) -> None:
    """Count a professional as they now are. Call it last, after any write to approval, block, tasks, pincodes, radius.

    Cheap when nothing changed. Otherwise one writer at a time: the lock ends with the caller's transaction.
    """
    db.session.flush()
    if _counted(account_id) == _truth(account_id):
        return
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    before, after = _counted(account_id), _truth(account_id)
    if before == after:
        return
    offered_before, offered_after = _offers(before), _offers(after)
    _subtract(offered_before - offered_after)
    _add(offered_after - offered_before)
    homes = _homes([after] if after else [])
    homes.subtract(_homes([before] if before else []))
    _count_homes(homes)
    _keep(account_id, after)


def remove(account_ids: Sequence[int]) -> None:
    """Stop counting professionals who have just ceased to be active; as many statements for many as for one.

    The lock ends with the caller's transaction, which must hold the rows that made them inactive.
    """
    db.session.flush()
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    rows = db.session.execute(COUNTED_OF_MANY, {"account_ids": list(account_ids)}).all()
    areas = [Area(row.pincode, row.radius_km, tuple(row.listed), tuple(row.task_ids)) for row in rows]
    if not areas:
        return
    _subtract_many(_offers_of_many(areas))
    _count_homes(Counter({home: -number for home, number in _homes(areas).items()}))
    db.session.execute(DROP_AREAS, {"account_ids": list(account_ids)})


def _truth(account_id: int) -> Area | None:
    return _area(text(f"{TRUTH} AND a.id = :account_id"), account_id)


def _counted(account_id: int) -> Area | None:
    return _area(text(COUNTED), account_id)


def _area(statement: TextClause, account_id: int) -> Area | None:
    row = db.session.execute(statement, {"account_id": account_id}).one_or_none()
    return Area(row.pincode, row.radius_km, tuple(row.listed), tuple(row.task_ids)) if row else None


def _offers(area: Area | None) -> set[Offer]:
    if area is None or not area.task_ids:
        return set()
    where = {"pincode": area.pincode, "radius_km": area.radius_km, "listed": list(area.listed)}
    served = db.session.execute(SERVED, where).all()
    return {(place, task_id, metres) for place, metres in served for task_id in area.task_ids}


def _offers_of_many(areas: Iterable[Area]) -> Counter[Offer]:
    """Return the offers of several professionals; what those with the same home and radius serve is read once."""
    tasks: dict[tuple[str, int, tuple[str, ...]], Counter[int]] = defaultdict(Counter)
    for area in areas:
        tasks[area.pincode, area.radius_km, area.listed].update(area.task_ids)
    distinct = list(tasks)
    rows = [
        {"number": number, "pincode": pincode, "radius_km": radius_km, "listed": listed}
        for number, (pincode, radius_km, listed) in enumerate(distinct)
    ]
    offers: Counter[Offer] = Counter()
    for number, place, metres in db.session.execute(SERVED_BY_MANY, {"areas": orjson.dumps(rows).decode()}):
        for task_id, times in tasks[distinct[number]].items():
            offers[place, task_id, metres] += times
    return offers


def _arrays(offers: Iterable[Offer]) -> _Arrays:
    places, task_ids, metres = zip(*offers, strict=True)
    return {"places": list(places), "task_ids": list(task_ids), "metres": list(metres)}


def _subtract(offers: set[Offer]) -> None:
    if offers:
        arrays = _arrays(offers)
        db.session.execute(SUBTRACT, arrays)
        db.session.execute(DROP_EMPTY, {"places": arrays["places"], "task_ids": arrays["task_ids"]})


def _add(offers: set[Offer]) -> None:
    if offers:
        db.session.execute(ADD, _arrays(offers))


def _subtract_many(offers: Counter[Offer]) -> None:
    at_place: Counter[tuple[str, int]] = Counter()
    for (place, task_id, _), times in offers.items():
        at_place[place, task_id] += times
    several = [offer for offer in offers.elements() if at_place[offer[:2]] > 1]
    _subtract({offer for offer in offers if at_place[offer[:2]] == 1})
    if several:
        arrays = _arrays(several)
        db.session.execute(SUBTRACT_SEVERAL, arrays)
        db.session.execute(DROP_EMPTY, {"places": arrays["places"], "task_ids": arrays["task_ids"]})


def _homes(areas: Iterable[Area]) -> Counter[tuple[str, int]]:
    return Counter((area.pincode, task_id) for area in areas for task_id in area.task_ids)


def _count_homes(changes: Mapping[tuple[str, int], int]) -> None:
    """Change the numbers of professionals by home and task, and those by task alone."""
    homes = [(pincode, task_id, change) for (pincode, task_id), change in changes.items() if change]
    if not homes:
        return
    pincodes, task_ids, numbers = (list(column) for column in zip(*homes, strict=True))
    db.session.execute(HOMES, {"pincodes": pincodes, "task_ids": task_ids, "changes": numbers})
    if min(numbers) < 0:
        db.session.execute(EMPTY_HOMES, {"pincodes": pincodes})
    totals: Counter[int] = Counter()
    for _, task_id, change in homes:
        totals[task_id] += change
    changed = {task_id: change for task_id, change in sorted(totals.items()) if change}
    if changed:
        db.session.execute(TOTALS, {"task_ids": list(changed), "changes": list(changed.values())})


def _keep(account_id: int, area: Area | None) -> None:
    if area is None:
        statement = "DELETE FROM professional_areas WHERE account_id = :account_id"
        db.session.execute(text(statement), {"account_id": account_id})
        return
    values = {"pincode": area.pincode, "radius_km": area.radius_km}
    lists = {"listed": list(area.listed), "task_ids": list(area.task_ids)}
    db.session.execute(
        text("""
            INSERT INTO professional_areas (account_id, pincode, radius_km, listed, task_ids)
            VALUES (:account_id, :pincode, :radius_km, CAST(:listed AS text[]), CAST(:task_ids AS bigint[]))
                ON CONFLICT (account_id) DO UPDATE
               SET pincode = excluded.pincode, radius_km = excluded.radius_km,
                   listed = excluded.listed, task_ids = excluded.task_ids
        """),
        {"account_id": account_id, **values, **lists},
    )


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
    """Recount everything in one transaction and return how many rows were wrong."""
    db.session.flush()
    db.session.execute(text("SET LOCAL statement_timeout = 0"))
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    for statement in FRESH:
        db.session.execute(text(statement))
    wrong: int = sum(db.session.execute(text(COUNT.format(statement))).scalar_one() for statement in PUT_RIGHT)
    if wrong:
        versions.change(versions.CATALOGUE)  # answers made from the wrong counts are not to be given any more
    return wrong
