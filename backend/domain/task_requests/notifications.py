"""Who hears of what happens to a request."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from backend.core.db.session import db
from backend.core.security.authz import Actor, Role
from backend.domain.accounts.models import Account
from backend.domain.notifications.create import Note, notify_many
from backend.domain.professionals.models import Professional


def notify_requested(row: Any, professionals: Sequence[int]) -> None:
    """A new request, to the one asked for or to those who match."""
    params = {**_about(row), "pincode": row.pincode, "remarks": row.remarks}
    notify_many([Note(account_id, "request_new", row.id, params) for account_id in professionals])


def notify_accepted(actor: Actor, row: Any) -> None:
    """To the customer, with the professional's name and phone."""
    who = _professionals([actor.account_id])[actor.account_id]
    notify_many([Note(row.customer_id, "request_accepted", row.id, {**_about(row), **who})])


def notify_rejected(actor: Actor, row: Any, *, reason: str) -> None:
    """To the customer, when the professional was the one asked for."""
    who = {"professional": _professionals([actor.account_id])[actor.account_id]["professional"]}
    notify_many([Note(row.customer_id, "request_rejected", row.id, {**_about(row), **who, "reason": reason})])


def notify_released(rows: Sequence[Any], *, reason: str) -> None:
    """To the customers."""
    names = _professionals(row.professional_id for row in rows)
    notes = [
        Note(
            row.customer_id,
            "request_released",
            row.id,
            {**_about(row), "professional": names[row.professional_id]["professional"], "reason": reason},
        )
        for row in rows
    ]
    notify_many(notes)


def notify_opened(rows: Sequence[Any], *, gone: bool = False) -> None:
    """To the customers of requests that were not answered in time, or whose professional is ``gone``.

    ``row.asked_before`` is who was asked for.
    """
    names = _professionals(row.asked_before for row in rows)
    why = "gone" if gone else "silent"
    notes = [
        Note(
            row.customer_id,
            "request_opened",
            row.id,
            {**_about(row), why: names[row.asked_before]["professional"]},
        )
        for row in rows
    ]
    notify_many(notes)


def notify_changed(row: Any, *, date: Any, what: Iterable[str]) -> None:
    """To its professional, or to the one who is asked."""
    if professional_id := row.professional_id or row.asked_professional_id:
        params = {**_about(row), "date": date, "changes": list(what)}
        notify_many([Note(professional_id, "request_changed", row.id, params)])


def notify_other_side(actor: Actor, row: Any, *, kind: str, remarks: str | None = None) -> None:
    """To the professional when the customer acted, and the other way round."""
    account_id = row.professional_id if actor.role is Role.CUSTOMER else row.customer_id
    notify_many([Note(account_id, kind, row.id, {**_about(row), "remarks": remarks})])


def notify_cancelled(rows: Sequence[Any], *, reason: str | None) -> None:
    """To the professionals who hold them or are asked for them."""
    told = [(row, row.professional_id or row.asked_professional_id) for row in rows]
    notes = [
        Note(account_id, "request_cancelled", row.id, {**_about(row), "reason": reason})
        for row, account_id in told
        if account_id
    ]
    notify_many(notes)


def notify_reviewed(row: Any, *, rating: int, comment: str | None) -> None:
    """To the professional."""
    name = db.session.execute(select(Account.firstname).where(Account.id == row.customer_id)).scalar_one()
    params = {**_about(row), "customer": name, "rating": rating, "comment": comment}
    notify_many([Note(row.professional_id, "request_reviewed", row.id, params)])


def notify_expired(rows: Sequence[Any]) -> None:
    """To the customers."""
    notify_many([Note(row.customer_id, "request_expired", row.id, _about(row)) for row in rows])


def _about(row: Any) -> dict[str, Any]:
    return {"task": row.task_name, "date": row.date_of_request}


def _professionals(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    statement = (
        select(Account.id, Account.firstname, Account.phone, Professional.compname)
        .join(Professional, Professional.account_id == Account.id)
        .where(Account.id.in_(set(ids)))
    )
    return {
        row.id: {"professional": f"{row.firstname} ({row.compname})", "phone": row.phone}
        for row in db.session.execute(statement)
    }
