"""Who is offered where, kept ready for reading: counts by task and place that follow every write."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from backend.core.database import db

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
    SELECT CAST(:pincode AS text), id, greatest(:change, 0) FROM tasks WHERE id = ANY(CAST(:task_ids AS bigint[]))
        ON CONFLICT (pincode, task_id) DO UPDATE SET professionals = kept.professionals + :change
""")
EMPTY_HOMES: Final = text("DELETE FROM task_homes WHERE pincode = :pincode AND professionals <= 0")
TOTALS: Final = text(
    "UPDATE tasks SET professionals = professionals + :change WHERE id = ANY(CAST(:task_ids AS bigint[]))"
)


@dataclass(frozen=True, slots=True)
class Area:
    """What a professional is counted by."""

    pincode: str
    radius_km: int
    listed: tuple[str, ...]
    task_ids: tuple[int, ...]


Offer = tuple[str, int, int | None]  # place, task, metres


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
    _move_home(before, after)
    _keep(account_id, after)


def _truth(account_id: int) -> Area | None:
    return _area(text(f"{TRUTH} AND a.id = :account_id"), account_id)


def _counted(account_id: int) -> Area | None:
    return _area(text(COUNTED), account_id)


def _area(statement: Any, account_id: int) -> Area | None:
    row = db.session.execute(statement, {"account_id": account_id}).one_or_none()
    return Area(row.pincode, row.radius_km, tuple(row.listed), tuple(row.task_ids)) if row else None


def _offers(area: Area | None) -> set[Offer]:
    if area is None or not area.task_ids:
        return set()
    where = {"pincode": area.pincode, "radius_km": area.radius_km, "listed": list(area.listed)}
    served = db.session.execute(SERVED, where).all()
    return {(place, task_id, metres) for place, metres in served for task_id in area.task_ids}


def _arrays(offers: Iterable[Offer]) -> dict[str, list[Any]]:
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


def _move_home(before: Area | None, after: Area | None) -> None:
    homes_before = {(before.pincode, task_id) for task_id in before.task_ids} if before else set()
    homes_after = {(after.pincode, task_id) for task_id in after.task_ids} if after else set()
    for area, homes, change in ((before, homes_before - homes_after, -1), (after, homes_after - homes_before, 1)):
        if area and homes:
            task_ids = [task_id for _, task_id in homes]
            db.session.execute(HOMES, {"pincode": area.pincode, "task_ids": task_ids, "change": change})
            db.session.execute(EMPTY_HOMES, {"pincode": area.pincode})
    tasks_before, tasks_after = set(before.task_ids if before else ()), set(after.task_ids if after else ())
    for tasks, change in ((tasks_before - tasks_after, -1), (tasks_after - tasks_before, 1)):
        if tasks:
            db.session.execute(TOTALS, {"task_ids": sorted(tasks), "change": change})


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
