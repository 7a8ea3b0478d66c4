"""Removes everything that a self-check created: its accounts and all rows that refer to them.

Nobody may delete from the append-only tables, so their triggers are disabled for this one transaction, which only the
tables' owner can do. Data of real users is not touched: see :func:`_refuse_strangers`.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute

from backend.core import storage
from backend.core.clock import now
from backend.core.db.session import Base, db, transaction
from backend.core.errors import DomainError
from backend.core.queue import Job
from backend.domain.accounts.models import Account, SignInFailure
from backend.domain.audit.models import AuditEntry, AuditSeal
from backend.domain.documents.models import Document, ProfilePhoto
from backend.domain.notifications.models import Delivery
from backend.domain.professionals import availability
from backend.domain.professionals.models import Professional
from backend.domain.task_requests.models import TaskRequest
from backend.domain.tasks.models import Task

NAME: Final = r"^checkup-[0-9a-f]{8}-(adm|pro|cus)$"
TASK_NAME: Final = r"^Check-up [0-9a-f]{8}$"
HOST: Final = "checkup.invalid"  # a domain that can never exist (RFC 2606), so no email is delivered
OLD: Final = timedelta(minutes=10)
APPEND_ONLY: Final = ("audit_entries", "audit_seals", "messages", "request_events")
Value = TypeVar("Value")


def may_erase() -> bool:
    """Return whether the database role may disable the triggers of the append-only tables."""
    owned = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'audit_entries'::regclass")
    try:
        return bool(db.session.execute(owned).scalar_one())
    except OperationalError:
        return True  # an unavailable database is reported by the check's own steps
    finally:
        db.session.rollback()


def leftovers() -> tuple[list[int], list[int]]:
    """Return accounts and tasks of interrupted self-checks."""
    old = now() - OLD
    ours = and_(Account.username.regexp_match(NAME), Account.email == func.concat(Account.username, f"@{HOST}"))
    accounts = db.session.execute(select(Account.id).where(ours, Account.created_at < old)).scalars().all()
    tasks = db.session.execute(select(Task.id).where(Task.name.regexp_match(TASK_NAME), Task.created_at < old))
    return list(accounts), list(tasks.scalars())


def erase(account_ids: Sequence[int], task_ids: Sequence[int]) -> None:
    """Delete these accounts and tasks with everything that refers to them, in one transaction."""
    if not account_ids and not task_ids:
        return
    with transaction():
        _refuse_strangers(account_ids)
        keys = [
            *_select(Document.store_key, Document.account_id.in_(account_ids)),
            *_select(ProfilePhoto.store_key, ProfilePhoto.account_id.in_(account_ids)),
            *_select(ProfilePhoto.small_store_key, ProfilePhoto.account_id.in_(account_ids)),
        ]
        _take_out_of_search(account_ids)
        for table in APPEND_ONLY:
            db.session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        _delete_loose_ends(account_ids, task_ids)
        _delete(Base.metadata.tables["accounts"], Account.id.in_(account_ids))
        _delete(Base.metadata.tables["tasks"], Task.id.in_(task_ids))
        for table in APPEND_ONLY:
            db.session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    for key in keys:
        with contextlib.suppress(DomainError):
            storage.documents().drop(key)


def _refuse_strangers(account_ids: Sequence[int]) -> None:
    """Raise an error if a real customer's request refers to one of the accounts."""
    mixed = or_(
        TaskRequest.professional_id.in_(account_ids),
        TaskRequest.asked_professional_id.in_(account_ids),
    )
    if _select(TaskRequest.id, mixed & TaskRequest.customer_id.not_in(account_ids)):
        raise RuntimeError("a real customer's request refers to a check-up account; nothing was removed")


def _take_out_of_search(account_ids: Sequence[int]) -> None:
    professionals = _select(Professional.account_id, Professional.account_id.in_(account_ids))
    for account_id in professionals:
        row = db.session.get_one(Professional, account_id)
        row.approval = "rejected"
        availability.refresh(account_id)
    db.session.expunge_all()


def _delete_loose_ends(account_ids: Sequence[int], task_ids: Sequence[int]) -> None:
    """Delete rows that refer to the accounts without a foreign key."""
    deliveries = select(func.concat("", Delivery.id)).where(Delivery.account_id.in_(account_ids))
    keys = select(Document.store_key).where(Document.account_id.in_(account_ids))
    jobs = or_(Job.payload["delivery_id"].astext.in_(deliveries), Job.payload["store_key"].astext.in_(keys))
    db.session.execute(delete(Job).where(jobs))
    entries = or_(
        AuditEntry.actor_id.in_(account_ids),
        and_(AuditEntry.subject_kind == "account", AuditEntry.subject_id.in_(account_ids)),
        and_(AuditEntry.subject_kind == "task", AuditEntry.subject_id.in_(task_ids)),
    )
    gone = db.session.execute(delete(AuditEntry).where(entries).returning(AuditEntry.id)).scalars().all()
    db.session.execute(update(AuditSeal).where(AuditSeal.entry_id.in_(gone)).values(removed="self-check"))
    counted = [f"account:{account_id}" for account_id in account_ids]
    db.session.execute(delete(SignInFailure).where(SignInFailure.account_key.in_(counted)))
    for table in Base.metadata.sorted_tables:
        column = table.c.get("account_id")
        if column is not None and not column.foreign_keys:
            db.session.execute(delete(table).where(column.in_(account_ids)))


def _delete(table: Table, which: ColumnElement[bool]) -> None:
    """Delete rows, after the rows that refer to them."""
    for child in Base.metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column.table is table and child is not table:
                _delete(child, key.parent.in_(select(key.column).where(which)))
    db.session.execute(delete(table).where(which))


def _select(column: InstrumentedAttribute[Value], which: ColumnElement[bool]) -> list[Value]:
    return list(db.session.execute(select(column).where(which)).scalars())
