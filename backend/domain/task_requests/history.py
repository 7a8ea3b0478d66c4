"""The history of a request: who did what and when, the status before and after, and why. Entries are never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, BigInteger, Text, bindparam, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.session import TIMESTAMP, db
from backend.core.security.authz import Actor, Role
from backend.domain.task_requests import access
from backend.domain.task_requests.lifecycle import Action, Record, Relation
from backend.domain.task_requests.models import RequestEvent
from backend.domain.task_requests.rows import Request

CONTACT_FIELDS: Final = ("address", "remarks")


class _Event(NamedTuple):
    at: datetime
    action: str
    actor_id: int | None
    actor_role: str
    from_status: str | None
    to_status: str
    note: str | None
    changes: dict[str, object] | None


OF_REQUEST: Final = (
    select(*(RequestEvent.__table__.c[name] for name in _Event._fields))
    .where(RequestEvent.request_id == bindparam("request_id", type_=BigInteger))
    .order_by(RequestEvent.id)
)


ENTRY_TYPES: Final[dict[str, TypeEngine[Any]]] = {
    "at": TIMESTAMP,
    "action": Text(),
    "actor_id": BigInteger(),
    "actor_role": Text(),
    "from_status": Text(),
    "to_status": Text(),
    "note": Text(),
    "changes": JSONB(none_as_null=True),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to write. ``request_id`` is None where the statement that writes it also creates the request."""

    request_id: int | None
    action: Action | Record
    from_status: str | None
    to_status: str
    note: str | None = None
    changes: dict[str, object] | None = None


def write(actor: Actor, entries: Sequence[Entry]) -> None:
    """Add entries, in one statement of the transaction that makes the changes."""
    if entries:
        rows = [{"request_id": entry.request_id, **_values(actor, entry)} for entry in entries]
        db.session.execute(insert(RequestEvent), rows)


def entry_for(changed: CTE) -> CTE:
    """Return the part of a statement that adds an entry for the request which another part of it changed.

    Its parameters are `entry_parameters`. If no row was changed, no entry is added.
    """
    values = [bindparam(f"entry_{name}", type_=column_type) for name, column_type in ENTRY_TYPES.items()]
    return insert(RequestEvent).from_select(["request_id", *ENTRY_TYPES], select(changed.c.id, *values)).cte("entry")


def entry_parameters(actor: Actor, entry: Entry) -> dict[str, object]:
    """Return the parameters of `entry_for`."""
    return {f"entry_{name}": value for name, value in _values(actor, entry).items()}


def _values(actor: Actor, entry: Entry) -> dict[str, object]:
    return {
        "at": now(),
        "action": entry.action.public,
        "actor_id": actor.id,
        "actor_role": actor.role.value,
        "from_status": entry.from_status,
        "to_status": entry.to_status,
        "note": entry.note,
        "changes": entry.changes,
    }


def read(actor: Actor, relation: Relation, request: Request) -> list[dict[str, object]]:
    """Return the history of a request as this actor may see it, oldest first.

    The reasons of professionals who were not asked are for admins only. Of the customer's address and remarks, a
    professional sees the changes since they accepted, as long as they see the contact details.
    """
    rows = read_pool.rows(OF_REQUEST, {"request_id": request.id}, behind=True)
    sees_contact = access.sees_contact(relation, request, at=now())
    return [
        _present(relation, event, shows_contact=sees_contact and not _is_before_acceptance(relation, request, event))
        for event in map(_Event._make, rows)
        if _is_shown(actor, relation, event)
    ]


def _is_before_acceptance(relation: Relation, request: Request, event: _Event) -> bool:
    """Return whether the entry was written before the professional who reads it had accepted."""
    return relation is Relation.PROFESSIONAL and (request.accepted_at is None or event.at < request.accepted_at)


def _is_shown(actor: Actor, relation: Relation, event: _Event) -> bool:
    if relation is Relation.ADMIN or event.actor_id == actor.id:
        return True
    if relation is Relation.CUSTOMER:
        return event.action != Action.REJECT or bool((event.changes or {}).get("asked"))
    return event.actor_role != Role.PROFESSIONAL


def _present(relation: Relation, event: _Event, *, shows_contact: bool) -> dict[str, object]:
    return {
        "at": event.at,
        "action": event.action,
        "actor_id": event.actor_id,
        "actor_role": event.actor_role,
        "from": event.from_status,
        "to": event.to_status,
        "note": event.note,
        "changes": _changes(relation, event.changes, shows_contact=shows_contact),
    }


def _changes(relation: Relation, changes: dict[str, object] | None, *, shows_contact: bool) -> dict[str, object] | None:
    if changes is None or relation in (Relation.CANDIDATE, Relation.VIEWER):
        return None
    if shows_contact:
        return changes
    return {name: change for name, change in changes.items() if name not in CONTACT_FIELDS} or None
