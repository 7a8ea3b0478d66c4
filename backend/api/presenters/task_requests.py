"""Requests on the wire, as far as the one who asks may see them."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from backend.core.clock import now
from backend.core.security.authz import Actor, Role
from backend.domain.scheduling import working_hours
from backend.domain.task_requests.access import allowed, relation, sees_contact
from backend.domain.task_requests.lifecycle import Relation

PLAIN = (
    "id",
    "task_id",
    "task_name",
    "customer_id",
    "professional_id",
    "asked_professional_id",
    "asked_until",
    "status",
    "date_of_request",
    "price",
    "currency",
    "time_required",
    "pincode",
    "remarks",
    "closing_remarks",
    "created_at",
    "updated_at",
    "accepted_at",
    "completed_at",
    "closed_at",
    "cancelled_at",
    "expired_at",
    "cancelled_late",
)
plain_of = attrgetter(*PLAIN)


def request(actor: Actor, row: Any, who: Relation) -> dict[str, Any]:
    """One request, with warnings for a professional who could take it or holds it."""
    body = _shown(row, who, at=now())
    if who in (Relation.CANDIDATE, Relation.VIEWER, Relation.PROFESSIONAL):
        body["warnings"] = _warnings(row, working_hours.of(actor.account_id))
        if not row.does_task and who is not Relation.PROFESSIONAL:
            body["warnings"].append("task_not_done")
    return body


def requests(actor: Actor, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A page of the actor's own requests, or of all for an admin."""
    at = now()
    if actor.role is Role.CUSTOMER:
        return [_shown(row, Relation.CUSTOMER, at=at) for row in rows]
    return [_shown(row, relation(actor, row, at=at), at=at) for row in rows]


def waiting(actor: Actor, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """A page of a professional's inbox: each with its distance and what speaks against it."""
    at, working = now(), working_hours.of(actor.account_id) if rows else None
    items = []
    for row in rows:
        body = _shown(row, Relation.CANDIDATE if row.does_task else Relation.VIEWER, at=at)
        body["distance_km"] = None if row.distance_km is None else round(row.distance_km, 1)
        body["warnings"] = _warnings(row, working) if working else []
        body["warnings"] += ["not_free"] if not row.is_free else []
        body["warnings"] += ["out_of_area"] if not row.serves else []
        body["warnings"] += ["task_not_done"] if not row.does_task else []
        items.append(body)
    return items


def _warnings(row: Any, working: working_hours.Hours) -> list[str]:
    ends = working_hours.end_of(row.date_of_request, row.time_required)
    return [] if working.covers(row.date_of_request, ends) else ["outside_hours"]


def _shown(row: Any, who: Relation, *, at: datetime) -> dict[str, Any]:
    contact = sees_contact(who, row, at=at)
    return {
        **dict(zip(PLAIN, plain_of(row), strict=True)),
        "address": row.address if contact else None,
        "reviewed": row.reviewed_at is not None,
        "customer": _customer(row) if contact else None,
        "professional": _professional(row, phone=contact),
        "allowed_actions": allowed(who, row, at=at),
        "distance_km": None,
        "warnings": [],
    }


def _customer(row: Any) -> dict[str, Any]:
    return {
        "id": row.customer_id,
        "firstname": row.customer_firstname,
        "lastname": row.customer_lastname,
        "phone": row.customer_phone,
    }


def _professional(row: Any, *, phone: bool) -> dict[str, Any] | None:
    if row.professional_id is None:
        return None
    return {
        "id": row.professional_id,
        "firstname": row.professional_firstname,
        "compname": row.professional_compname,
        "phone": row.professional_phone if phone else None,
    }
