"""Requests in responses, as far as the caller may see them."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from backend.core.clock import now
from backend.core.security.authz import Actor
from backend.domain.scheduling import working_hours
from backend.domain.task_requests.access import allowed_apart, relation, sees_contact
from backend.domain.task_requests.inbox import InboxItem
from backend.domain.task_requests.lifecycle import Relation
from backend.domain.task_requests.rows import Request, RequestWithContacts
from backend.domain.visits import start_codes

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
    "total",
    "pricing",
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
    "on_the_way_at",
    "arrived_at",
    "started_at",
    "eta_at",
    "on_time_at",
    "start_code_policy",
)
COMPUTED = {"total", "pricing"}  # of other columns; their places are taken by the id
get_plain = itemgetter(*(0 if name in COMPUTED else Request._fields.index(name) for name in PLAIN))


def request(actor: Actor, row: RequestWithContacts, who: Relation | None = None) -> dict[str, object]:
    """Return a request as the actor may see it, with warnings for a professional who may accept it or has done so."""
    at = now()
    who = who or relation(actor, row.request, at=at)
    warnings: list[str] = []
    if who in (Relation.CANDIDATE, Relation.VIEWER, Relation.PROFESSIONAL):
        warnings = _warnings(row.request, working_hours.get(actor.account_id))
        if not row.request.does_task and who is not Relation.PROFESSIONAL:
            warnings.append("task_not_done")
    return _with_contacts(row, who, at=at) | {"warnings": warnings}


def requests(actor: Actor, rows: Sequence[RequestWithContacts]) -> list[dict[str, object]]:
    """Return a page of the actor's own requests, or of all for an admin."""
    at = now()
    return [_with_contacts(row, relation(actor, row.request, at=at), at=at) for row in rows]


def inbox(actor: Actor, items: Sequence[InboxItem]) -> list[dict[str, object]]:
    """Return a page of a professional's inbox: each request with its distance and warnings."""
    if not items:
        return []
    at, hours = now(), working_hours.get(actor.account_id)
    return [_inbox_item(item, hours, at=at) for item in items]


def _inbox_item(item: InboxItem, hours: working_hours.Hours, *, at: datetime) -> dict[str, object]:
    request = item.request
    warnings = _warnings(request, hours)
    warnings += ["not_free"] if not item.is_free else []
    warnings += ["out_of_area"] if not item.serves else []
    warnings += ["task_not_done"] if not request.does_task else []
    body = _shown(request, Relation.CANDIDATE if request.does_task else Relation.VIEWER, at=at)
    body["unread_messages"] = item.unread_messages
    body["distance_km"] = None if item.distance_km is None else round(item.distance_km, 1)
    body["warnings"] = warnings
    return body


def _warnings(request: Request, hours: working_hours.Hours) -> list[str]:
    ends = working_hours.end_of(request.date_of_request, request.time_required)
    return [] if hours.covers(request.date_of_request, ends) else ["outside_hours"]


def _with_contacts(row: RequestWithContacts, who: Relation, *, at: datetime) -> dict[str, object]:
    request = row.request
    body = _shown(request, who, at=at)
    body["unread_messages"] = row.unread_messages
    shows_contact = sees_contact(who, request, at=at)
    if shows_contact:
        body["address"] = request.address
        body["customer"] = {
            "id": request.customer_id,
            "firstname": row.customer_firstname,
            "lastname": row.customer_lastname,
            "phone": row.customer_phone,
        }
    if request.professional_id is not None:
        body["professional"] = {
            "id": request.professional_id,
            "firstname": row.professional_firstname,
            "compname": row.professional_compname,
            "phone": row.professional_phone if shows_contact else None,
        }
    return body


def _shown(request: Request, who: Relation, *, at: datetime) -> dict[str, object]:
    """Return what everyone who sees the request may see of it, and for its customer the start code."""
    actions = allowed_apart(who, request, at=at)
    body: dict[str, object] = dict(zip(PLAIN, get_plain(request), strict=True))
    body["total"] = request.total
    body["pricing"] = request.pricing
    body["address"] = None
    body["reviewed"] = request.reviewed_at is not None
    body["customer"] = body["professional"] = None
    body["allowed_actions"], body["visit_actions"], body["price_actions"] = actions
    body["distance_km"] = None
    body["unread_messages"] = 0
    body["warnings"] = []
    if who is Relation.CUSTOMER:
        body["start_code"] = start_codes.shown_to_customer(request)
    return body
