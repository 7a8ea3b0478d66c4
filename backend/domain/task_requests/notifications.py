"""Notifications of what happens to a request: who receives which kind, and with what in it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, text

from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.live_updates.changes import announce_history
from backend.domain.notifications.create import Note, notify_many
from backend.domain.notifications.messages import phrase
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.rows import Request, RequestWithContacts

NOT_AVAILABLE: Final = "No longer available on the marketplace"
NOT_APPROVED: Final = "Not currently approved on the marketplace"
# Reasons that the system gives, which are worded in the reader's language.
SYSTEM_REASONS: Final = {NOT_AVAILABLE: "no_longer_available", NOT_APPROVED: "not_approved"}

# In two parts: each has its index, and a condition with OR would read all requests of either.
ACCEPTED: Final = text("""
    SELECT id, customer_id, professional_id FROM task_requests WHERE professional_id = :id AND status = 'accepted'
     UNION ALL
    SELECT id, customer_id, professional_id FROM task_requests WHERE customer_id = :id AND status = 'accepted'
""")


def announce_contact(account_id: int) -> None:
    """Announce to those who see an account's name and phone in accepted requests that these changed."""
    for request_id, *accounts in db.session.execute(ACCEPTED, {"id": account_id}):
        announce_history(request_id, accounts=accounts)


def notify_requested(request: Request, professionals: Sequence[int]) -> None:
    """Notify professionals of a new request."""
    params = {**_about(request), "pincode": request.pincode, "remarks": request.remarks}
    notify_many([Note(account_id, "request_new", request.id, params) for account_id in professionals])


def notify_accepted(accepted: RequestWithContacts) -> None:
    """Notify the customer, with the professional's name and phone."""
    request = accepted.request
    professional = _name(accepted.professional_firstname, accepted.professional_compname)
    params = {**_about(request), "professional": professional, "phone": accepted.professional_phone}
    notify_many([Note(request.customer_id, "request_accepted", request.id, params)])


def notify_rejected(actor: Actor, request: Request, *, reason: str) -> None:
    """Notify the customer that the professional asked has declined."""
    params = {
        **_about(request),
        "professional": _names([actor.account_id])[actor.account_id],
        "reason": _reason(reason),
    }
    notify_many([Note(request.customer_id, "request_rejected", request.id, params)])


def notify_released(requests: Sequence[Request], *, reason: str) -> None:
    """Notify the customers of requests, read before their professionals released them."""
    held = [(request, request.professional_id) for request in requests if request.professional_id is not None]
    names = _names(professional_id for _, professional_id in held)
    notify_many(
        [
            Note(
                request.customer_id,
                "request_released",
                request.id,
                {**_about(request), "professional": names[professional_id], "reason": _reason(reason)},
            )
            for request, professional_id in held
        ]
    )


def notify_opened(requests: Sequence[Request], *, gone: bool = False) -> None:
    """Notify the customers of requests, read before they were opened to all.

    The professional asked did not answer in time, or is no longer available (``gone``).
    """
    asked = [(one, one.asked_professional_id) for one in requests if one.asked_professional_id is not None]
    names = _names(professional_id for _, professional_id in asked)
    cause = "gone" if gone else "silent"
    notify_many(
        [
            Note(request.customer_id, "request_opened", request.id, {**_about(request), cause: names[professional_id]})
            for request, professional_id in asked
        ]
    )


def notify_changed(request: Request, *, date: datetime, columns: Iterable[str]) -> None:
    """Notify the professional who had accepted the request, or who is asked, of its changed columns."""
    if professional_id := request.professional_id or request.asked_professional_id:
        changes = [phrase(f"request_fields.{name.removesuffix('_of_request')}") for name in columns]
        params = {**_about(request), "date": date, "changes": changes}
        notify_many([Note(professional_id, "request_changed", request.id, params)])


def notify_other_side(actor: Actor, request: Request, *, kind: str, remarks: str | None = None) -> None:
    """Notify the professional when the customer acted, and the customer when the professional did."""
    account_id = request.professional_id if actor.role is Role.CUSTOMER else request.customer_id
    if account_id is not None:
        notify_many([Note(account_id, kind, request.id, {**_about(request), "remarks": remarks})])


def notify_cancelled(requests: Sequence[Request], *, reason: str | None) -> None:
    """Notify the professionals who had accepted the requests, or who were asked."""
    recipients = [(request, request.professional_id or request.asked_professional_id) for request in requests]
    notify_many(
        [
            Note(account_id, "request_cancelled", request.id, {**_about(request), "reason": _reason(reason)})
            for request, account_id in recipients
            if account_id
        ]
    )


def notify_reviewed(reviewed: RequestWithContacts, *, rating: int, comment: str | None) -> None:
    """Notify the professional."""
    request = reviewed.request
    params = {**_about(request), "customer": reviewed.customer_firstname, "rating": rating, "comment": comment}
    if request.professional_id is not None:
        notify_many([Note(request.professional_id, "request_reviewed", request.id, params)])


def notify_expired(requests: Sequence[Request]) -> None:
    """Notify the customers."""
    notify_many([Note(request.customer_id, "request_expired", request.id, _about(request)) for request in requests])


def _about(request: Request) -> dict[str, object]:
    return {"task": request.task_name, "date": request.date_of_request}


def _reason(reason: str | None) -> object:
    return phrase(SYSTEM_REASONS[reason]) if reason in SYSTEM_REASONS else reason


def _names(professional_ids: Iterable[int]) -> dict[int, str]:
    statement = (
        select(Account.id, Account.firstname, Professional.compname)
        .join(Professional, Professional.account_id == Account.id)
        .where(Account.id.in_(set(professional_ids)))
    )
    return {row.id: _name(row.firstname, row.compname) for row in db.session.execute(statement)}


def _name(firstname: str | None, compname: str | None) -> str:
    return f"{firstname} ({compname})"
