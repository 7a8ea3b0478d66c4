"""Reading the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, all_, bindparam, literal, select, text

from backend.core.db import read_pool
from backend.core.db.date_range import DateRange
from backend.core.db.pagination import AnySelect, Page, SortKey, Window, cut, paged, position
from backend.core.db.session import TIMESTAMP
from backend.domain.audit.actions import READS
from backend.domain.audit.models import AuditEntry

SCOPE: Final = "audit"
KEYS: Final[tuple[SortKey, ...]] = ((AuditEntry.at, True), (AuditEntry.id, True))
CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "actor_id": AuditEntry.actor_id == bindparam("actor_id", type_=BigInteger),
    "subject_id": AuditEntry.subject_id == bindparam("subject_id", type_=BigInteger),
    "subject_kind": AuditEntry.subject_kind == bindparam("subject_kind"),
    "action": AuditEntry.action == bindparam("action"),
    "starts": AuditEntry.at >= bindparam("starts", type_=TIMESTAMP),
    "ends": AuditEntry.at < bindparam("ends", type_=TIMESTAMP),
    "changes_only": AuditEntry.action != all_(literal(sorted(READS), ARRAY(Text))),
}
# Plain SQL, for accounts lie in a layer above this one.
USERNAMES: Final = text("SELECT id, username FROM accounts WHERE id = ANY(CAST(:ids AS bigint[]))")


class AuditRow(NamedTuple):
    """An entry of the trail, by the columns of its table."""

    id: int
    at: datetime
    actor_id: int | None
    actor_role: str
    action: str
    subject_id: int | None
    subject_kind: str
    address: str | None
    before: dict[str, object] | None
    after: dict[str, object] | None


COLUMNS: Final = [AuditEntry.__table__.c[name] for name in AuditRow._fields]


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Filters of the trail; None means all."""

    actor_id: int | None = None
    subject_id: int | None = None
    subject_kind: str | None = None
    action: str | None = None
    dates: DateRange = field(default_factory=DateRange)
    changes_only: bool = False  # without entries of what was merely read

    def given(self) -> dict[str, object]:
        """Return the active conditions by name, with their values."""
        values: dict[str, object] = {
            "actor_id": self.actor_id,
            "subject_id": self.subject_id,
            "subject_kind": self.subject_kind,
            "action": self.action,
            "starts": self.dates.starts,
            "ends": self.dates.ends,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return {**given, "changes_only": True} if self.changes_only else given


def page(*, filters: AuditFilters, window: Window) -> Page[dict[str, object]]:
    """Return a page of entries, newest first, with the usernames of actors and subjects."""
    given = filters.given()
    statement = _page(frozenset(given), goes_on=window.cursor is not None)
    parameters = given | position(window, SCOPE, length=len(KEYS))
    rows = [AuditRow._make(row) for row in read_pool.rows(statement, parameters, behind=True)]
    found = cut(rows, window=window, scope=SCOPE, values=lambda row: [row.at, row.id])
    names = _usernames(found.items)
    return Page([_present(row, names) for row in found.items], found.next_cursor)


@cache
def _page(narrowed_by: frozenset[str], *, goes_on: bool) -> AnySelect:
    statement = select(*COLUMNS).where(*(CONDITIONS[name] for name in sorted(narrowed_by)))
    return paged(statement, KEYS, goes_on=goes_on)


def _usernames(rows: Sequence[AuditRow]) -> dict[int, str]:
    """Return the usernames of the accounts in the entries, in one query."""
    ids = {row.actor_id for row in rows} | {row.subject_id for row in rows if row.subject_kind == "account"}
    known = read_pool.array(account_id for account_id in ids if account_id is not None)
    return dict(read_pool.rows(USERNAMES, {"ids": known}, behind=True))


def _present(row: AuditRow, names: dict[int, str]) -> dict[str, object]:
    is_account = row.subject_kind == "account"
    return {
        "id": row.id,
        "at": row.at,
        "actor_id": row.actor_id,
        "actor_role": row.actor_role,
        "actor_username": names.get(row.actor_id) if row.actor_id is not None else None,
        "action": row.action,
        "subject_id": row.subject_id,
        "subject_kind": row.subject_kind,
        "subject_username": names.get(row.subject_id) if is_account and row.subject_id is not None else None,
        "address": row.address,
        "before": row.before,
        "after": row.after,
    }
