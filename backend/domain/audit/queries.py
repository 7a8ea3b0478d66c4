"""Reading the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, select, text

from backend.core.database import db
from backend.core.pagination import Page, SortKey, Window, after, cut, decode_cursor, order
from backend.core.spans import Span
from backend.domain.audit.models import AuditEntry

SCOPE: Final = "audit"
KEYS: Final[tuple[SortKey, ...]] = ((AuditEntry.at, True), (AuditEntry.id, True))


@dataclass(frozen=True, slots=True)
class Filters:
    """What the trail may be narrowed by; None: all."""

    actor_id: int | None = None
    subject_id: int | None = None
    subject_kind: str | None = None
    action: str | None = None
    span: Span | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        equal = {
            AuditEntry.actor_id: self.actor_id,
            AuditEntry.subject_id: self.subject_id,
            AuditEntry.subject_kind: self.subject_kind,
            AuditEntry.action: self.action,
        }
        wanted: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
        span = self.span or Span()
        if span.starts is not None:
            wanted.append(AuditEntry.at >= span.starts)
        if span.ends is not None:
            wanted.append(AuditEntry.at < span.ends)
        return wanted


def page(*, filters: Filters, window: Window) -> Page[dict[str, Any]]:
    """Entries, the latest first, with the usernames of those who acted and of those it was done to."""
    statement = select(AuditEntry).where(*filters.conditions())
    if window.cursor:
        statement = statement.where(after(KEYS, decode_cursor(SCOPE, window.cursor, length=len(KEYS))))
    rows = db.session.execute(statement.order_by(*order(KEYS)).limit(window.limit + 1)).scalars().all()
    found = cut(rows, window=window, scope=SCOPE, values=lambda row: [row.at, row.id])
    names = _usernames(found.items)
    return Page([_present(row, names) for row in found.items], found.next_cursor)


def _usernames(rows: Sequence[AuditEntry]) -> dict[int, str]:
    """Names of the accounts concerned, in one query; plain SQL, for accounts lie in a layer above this one."""
    ids = {row.actor_id for row in rows} | {row.subject_id for row in rows if row.subject_kind == "account"}
    query = text("SELECT id, username FROM accounts WHERE id = ANY(:ids)")
    found = db.session.execute(query, {"ids": [one for one in ids if one is not None]})
    return {row.id: row.username for row in found}


def _present(row: AuditEntry, names: dict[int, str]) -> dict[str, Any]:
    is_person = row.subject_kind == "account" and row.subject_id is not None
    return {
        "id": row.id,
        "at": row.at,
        "actor_id": row.actor_id,
        "actor_role": row.actor_role,
        "actor_username": names.get(row.actor_id) if row.actor_id is not None else None,
        "action": row.action,
        "subject_id": row.subject_id,
        "subject_kind": row.subject_kind,
        "subject_username": names.get(row.subject_id) if is_person and row.subject_id is not None else None,
        "address": row.address,
        "before": row.before,
        "after": row.after,
    }
