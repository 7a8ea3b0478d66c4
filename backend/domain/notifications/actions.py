"""Telling people: a row in the app and deliveries on their channels, in the transaction of what it tells of."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, update

from backend.core.clock import now
from backend.core.database import db
from backend.domain.notifications import outbox
from backend.domain.notifications.messages import message, words
from backend.domain.notifications.models import Notification
from backend.domain.notifications.outbox import Outgoing


@dataclass(frozen=True, slots=True)
class Note:
    """One notification to one person."""

    account_id: int
    kind: str
    request_id: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def notify(
    account_id: int, kind: str, *, request_id: int | None = None, params: Mapping[str, Any] | None = None
) -> None:
    """Tell one person. Useful params: task, date (a datetime), customer, professional, reason, remarks, pincode, ...

    See messages.py for what each kind says; a sentence whose values are missing is left out.
    """
    notify_many([Note(account_id, kind, request_id, params or {})])


def notify_many(notes: Sequence[Note]) -> None:
    """Tell many people, in as many statements as for one."""
    if not notes:
        return
    rows = []
    for note in notes:
        if not message(note.kind).in_app:
            raise ValueError(f"{note.kind} is not a notification of the app")
        params = outbox.plain(note.params)
        said = words(note.kind, params, request_id=note.request_id)
        rows.append(
            {
                "account_id": note.account_id,
                "kind": note.kind,
                "title": said.title,
                "body": said.body,
                "request_id": note.request_id,
                "params": params,
                "created_at": now(),
            }
        )
    statement = insert(Notification).returning(Notification.id, sort_by_parameter_order=True)
    ids = db.session.execute(statement, rows).scalars().all()
    outbox.post(
        [
            Outgoing(note.account_id, note.kind, f"n{key}", note.params, note.request_id, notification_id=key)
            for key, note in zip(ids, notes, strict=True)
        ]
    )


def send_account_mail(account_id: int, template: str, params: Mapping[str, Any] | None = None) -> None:
    """Send a mail about the account itself: whatever the preferences are, by mail only, not shown in the app.

    ``template`` is an account kind of messages.py (password_reset, email_confirmation, ...). What the params hold
    (a link with a secret, say) is wiped from the ledger once the mail is out.
    """
    if not message(template).account:
        raise ValueError(f"{template} is not a mail about the account")
    outbox.post([Outgoing(account_id, template, uuid.uuid4().hex, params or {})])


def send_account_sms(account_id: int, template: str, params: Mapping[str, Any]) -> None:
    """Send an SMS about the account itself to the number in ``params["send_to"]``; see :func:`send_account_mail`."""
    if message(template).channel != "sms":
        raise ValueError(f"{template} is not an SMS about the account")
    send_account_mail(account_id, template, params)


def mark_read(account_id: int, *, ids: Sequence[int] | None) -> None:
    """Mark some (None: all) of one's own as read; those of others, and unknown ones, are left alone."""
    statement = update(Notification).where(Notification.account_id == account_id, Notification.read_at.is_(None))
    if ids is not None:
        statement = statement.where(Notification.id.in_(ids))
    db.session.execute(statement.values(read_at=now()).execution_options(synchronize_session=False))
