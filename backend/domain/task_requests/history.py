"""The history of a request: who did what, when, from, to, why. Rows are only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, insert, select

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.task_requests import access
from backend.domain.task_requests.lifecycle import Action, Relation
from backend.domain.task_requests.models import RequestEvent

CONTACT_FIELDS: Final = ("address", "remarks")
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


def read(actor: Actor, relation: Relation, request: Any) -> list[dict[str, Any]]:
    """Return the history of a request (a row of it) as this actor may see it, oldest first.

    Reasons of professionals who were not asked stay between them and the market. Of the customer's address and
    remarks, a professional reads what was changed since they accepted, for as long as they see the contact details.
    """
    rows = read_pool.rows(OF_REQUEST, {"request_id": request.id})
    sees_contact = access.sees_contact(relation, request, at=now())
    return [
        _present(relation, row, shows_contact=sees_contact and not _is_before_their_time(relation, request, row))
        for row in rows
        if _is_shown(actor, relation, row)
    ]


def _is_before_their_time(relation: Relation, request: Any, row: Any) -> bool:
    """Whether the entry was written before the professional who reads it had accepted."""
    return relation is Relation.PROFESSIONAL and (request.accepted_at is None or row.at < request.accepted_at)


def _is_shown(actor: Actor, relation: Relation, row: Any) -> bool:
    if relation is Relation.ADMIN or row.actor_id == actor.id:
        return True
    if relation is Relation.CUSTOMER:
        return row.action != Action.REJECT or bool((row.changes or {}).get("asked"))
    return bool(row.actor_role != Role.PROFESSIONAL)


def _present(relation: Relation, row: Any, *, shows_contact: bool) -> dict[str, Any]:
    return {
        "at": row.at,
        "action": row.action,
        "actor_id": row.actor_id,
        "actor_role": row.actor_role,
        "from": row.from_status,
        "to": row.to_status,
        "note": row.note,
        "changes": _changes(relation, row.changes, shows_contact=shows_contact),
    }


def _changes(relation: Relation, changes: dict[str, Any] | None, *, shows_contact: bool) -> dict[str, Any] | None:
    if changes is None or relation in (Relation.CANDIDATE, Relation.VIEWER):
        return None
    if shows_contact:
        return changes
    return {name: change for name, change in changes.items() if name not in CONTACT_FIELDS} or None
