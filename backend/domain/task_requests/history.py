"""The history of a request: who did what, when, from, to, why. Rows are only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, insert, select

from backend.core import reads
from backend.core.authz import Actor, Role
from backend.core.clock import now
from backend.core.database import db
from backend.domain.task_requests.lifecycle import Action, Relation
from backend.domain.task_requests.models import RequestEvent

OF_REQUEST: Final = (
    select(
        RequestEvent.at,
        RequestEvent.action,
        RequestEvent.actor_id,
        RequestEvent.actor_role,
        RequestEvent.from_status,
        RequestEvent.to_status,
        RequestEvent.note,
        RequestEvent.changes,
    )
    .where(RequestEvent.request_id == bindparam("request_id", type_=BigInteger))
    .order_by(RequestEvent.id)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, ready to be written."""

    request_id: int
    action: Action
    from_status: str | None
    to_status: str
    note: str | None = None
    changes: dict[str, Any] | None = None


def write(actor: Actor, entries: Sequence[Entry]) -> None:
    """Add entries in one statement, in the transaction of the change."""
    rows = [
        {
            "request_id": entry.request_id,
            "at": now(),
            "action": entry.action.public,
            "actor_id": actor.id,
            "actor_role": actor.role.value,
            "from_status": entry.from_status,
            "to_status": entry.to_status,
            "note": entry.note,
            "changes": entry.changes,
        }
        for entry in entries
    ]
    if rows:
        db.session.execute(insert(RequestEvent), rows)


def read(actor: Actor, relation: Relation, *, request_id: int) -> list[dict[str, Any]]:
    """The history as this actor may see it, oldest first.

    What professionals who were not asked said when they turned it down is between them and the market.
    """
    rows = reads.rows(OF_REQUEST, {"request_id": request_id})
    return [_present(relation, row) for row in rows if _is_shown(actor, relation, row)]


def _is_shown(actor: Actor, relation: Relation, row: Any) -> bool:
    if relation is Relation.ADMIN or row.actor_id == actor.id:
        return True
    if relation is Relation.CUSTOMER:
        return row.action != Action.REJECT or bool((row.changes or {}).get("asked"))
    return bool(row.actor_role != Role.PROFESSIONAL)


def _present(relation: Relation, row: Any) -> dict[str, Any]:
    return {
        "at": row.at,
        "action": row.action,
        "actor_id": row.actor_id,
        "actor_role": row.actor_role,
        "from": row.from_status,
        "to": row.to_status,
        "note": row.note,
        "changes": None if relation in (Relation.CANDIDATE, Relation.ONLOOKER) else row.changes,
    }
