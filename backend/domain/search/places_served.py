"""Where a task is offered: what the pages for search engines show and list. Read from the kept counts."""

from typing import Final, NamedTuple

from sqlalchemy import text

from backend.core.db import read_pool

AT: Final = text("""
    SELECT p.pincode, p.locality, p.district, p.state, t.professionals, round(t.nearest / 1000.0, 1)::float
      FROM task_places t JOIN places p ON p.pincode = t.place
     WHERE t.task_id = :task_id AND t.place = :pincode AND t.professionals > 0
""")
PINCODES: Final = text("""
    SELECT p.pincode FROM task_places t JOIN places p ON p.pincode = t.place
     WHERE t.task_id = :task_id AND t.professionals > 0 ORDER BY p.pincode
""")
TASKS: Final = text("""
    SELECT id FROM tasks WHERE isactive AND archived_at IS NULL AND professionals > 0 ORDER BY id
""")


class ServedPlace(NamedTuple):
    """A place where a task is offered, in the order of the statement's columns."""

    pincode: str
    locality: str
    district: str
    state: str
    professionals: int
    nearest_km: float | None


def served_place(task_id: int, *, pincode: str) -> ServedPlace | None:
    """Return how a task is offered at a place, or None if nobody serves it there."""
    row = read_pool.one_or_none(AT, {"task_id": task_id, "pincode": pincode})
    return None if row is None else ServedPlace._make(row)


def pincodes(task_id: int) -> list[str]:
    """Return the pincodes where someone offers the task."""
    return [pincode for (pincode,) in read_pool.rows(PINCODES, {"task_id": task_id})]


def offered_tasks() -> list[int]:
    """Return the ids of the tasks that someone offers."""
    return [task_id for (task_id,) in read_pool.rows(TASKS, {})]
