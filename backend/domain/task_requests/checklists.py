"""The checklist of a request: its task's points, copied when it is accepted, so that later edits do not change it."""

from typing import Final

from sqlalchemy import BigInteger, bindparam, func, select, text

from backend.core.db.session import db
from backend.domain.task_requests.models import RequestChecklistPoint

# For the statement that a professional's acceptance begins with: most tasks have no checklist, and no more to do.
IS_NEEDED: Final = """EXISTS (SELECT FROM task_checklists WHERE task_id = :task_id)
       OR EXISTS (SELECT FROM request_checklist_points WHERE request_id = :request_id) AS has_checklist"""
# Of an earlier acceptance, nothing is kept: another professional begins from the start.
COPY: Final = text("""
  WITH points AS (
       SELECT point.number, point.value ->> 'text' AS text, (point.value -> 'photo')::boolean AS needs_photo, c.required
         FROM task_checklists c, jsonb_array_elements(c.points) WITH ORDINALITY AS point (value, number)
        WHERE c.task_id = :task_id
     ), gone AS (
       DELETE FROM request_checklist_points
        WHERE request_id = :request_id AND number NOT IN (SELECT number FROM points)
     )
INSERT INTO request_checklist_points AS kept (request_id, number, text, needs_photo, is_required)
SELECT :request_id, number, text, needs_photo, required FROM points
    ON CONFLICT (request_id, number) DO UPDATE
   SET text = excluded.text, needs_photo = excluded.needs_photo, is_required = excluded.is_required, done_at = NULL,
       done_by = NULL, received_at = NULL
""")
# For the statement that counts completed work: of the request with the id ``:request_id``.
OPEN_POINTS: Final = (
    select(func.count())
    .select_from(RequestChecklistPoint)
    .where(
        RequestChecklistPoint.request_id == bindparam("request_id", type_=BigInteger),
        RequestChecklistPoint.is_required,
        RequestChecklistPoint.done_at.is_(None),
    )
    .scalar_subquery()
)


def copy(request_id: int, *, task_id: int) -> None:
    """Give an accepted request the points of its task as they are now."""
    db.session.execute(COPY, {"request_id": request_id, "task_id": task_id})
