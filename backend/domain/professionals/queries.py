"""Read professionals: profiles, approval, and the lists that admins search."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from psycopg.rows import TupleRow
from sqlalchemy import BigInteger, ColumnElement, Numeric, bindparam, func, or_, select, text, union

from backend.core.clock import now
from backend.core.db import read_pool
from backend.core.db.pagination import Page, SortKey, Window
from backend.core.db.session import TIMESTAMP, db
from backend.core.errors import NotFound
from backend.core.security.authz import Role
from backend.domain.accounts import queries as account_queries
from backend.domain.accounts.models import Account
from backend.domain.accounts.queries import ListQuery
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional, ProfessionalPincode, ProfessionalTask

SORTS: Final = ("created", "name", "rating", "waiting", "relevance")
BY_RATING: Final[tuple[SortKey, ...]] = ((Professional.rating, True), (Professional.account_id, True))
LONGEST_WAITING: Final[tuple[SortKey, ...]] = (
    (func.coalesce(Professional.approval_changed_at, Account.created_at), False),
    (Account.id, False),
)
# The same of those who ever had a decision to wait for, in the order of an index.
WAITING_LONGEST_FOR_DECISION: Final[tuple[SortKey, ...]] = (
    (Professional.approval_changed_at, False),
    (Professional.account_id, False),
)
DECISION: Final = "decision"
# One query for any number of professionals: the row, tasks and pincodes, then the approval and the current document.
PROFILES: Final = text("""
    SELECT p.account_id, p.exp, p.compname, p.approval_reason, p.approval_changed_at, p.approval_expires_at,
           p.radius_km, CASE WHEN p.rating_count > 0 THEN p.rating::float END AS rating, p.rating_count, p.tasks_done,
           ARRAY(SELECT task_id FROM professional_tasks t WHERE t.account_id = p.account_id ORDER BY 1) AS task_ids,
           ARRAY(SELECT pincode FROM professional_pincodes n WHERE n.account_id = p.account_id ORDER BY 1) AS pincodes,
           p.approval, d.id AS document_id, d.filename, d.content_type, d.size, d.pages, d.sha256, d.created_at
      FROM professionals p
      LEFT JOIN documents d ON d.account_id = p.account_id AND d.replaced_at IS NULL
     WHERE p.account_id = ANY(CAST(:ids AS bigint[]))
""")


class SubmittedDocument(NamedTuple):
    """The current document, without its file."""

    id: int
    filename: str
    content_type: str
    size: int
    pages: int
    sha256: str
    created_at: datetime


class ProfessionalProfile(NamedTuple):
    """A professional's profile, in the order of the statement's columns."""

    account_id: int
    exp: int
    compname: str
    approval_reason: str | None
    approval_changed_at: datetime | None
    approval_expires_at: datetime | None
    radius_km: int
    rating: float | None
    reviews: int
    tasks_done: int
    task_ids: list[int]
    pincodes: list[str]
    approval: Approval
    document: SubmittedDocument | None


@dataclass(frozen=True, slots=True)
class ProfessionalFilters(account_queries.AccountFilters):
    """Filters of the list of professionals; None means all."""

    approval: str | None = None
    task_id: int | None = None
    min_rating: Decimal | None = None
    max_rating: Decimal | None = None

    def given(self) -> dict[str, object]:
        """Return the active conditions by name, with their values."""
        values: dict[str, object] = {
            "task_id": self.task_id,
            "min_rating": self.min_rating,
            "max_rating": self.max_rating,
        }
        if self.approval is not None:
            values[f"approval_{self.approval}"] = now()
        own = {name: value for name, value in values.items() if value is not None}
        return account_queries.AccountFilters.given(self) | own


APPROVAL: Final = ProfessionalProfile._fields.index("approval")
APPROVALS: Final = {approval.value: approval for approval in Approval}  # read by lists for every row
EXPIRES_AT: Final = ProfessionalProfile._fields.index("approval_expires_at")


def _stands_at(approval: Approval) -> ColumnElement[bool]:
    """Return the condition of an approval as of now; see :func:`effective_approval`."""
    at = bindparam(f"approval_{approval.value}", type_=TIMESTAMP)
    passed = func.coalesce(Professional.approval_expires_at <= at, False)
    if approval is Approval.APPROVED:
        return (Professional.approval == approval.value) & ~passed
    if approval is Approval.EXPIRED:
        # Without `coalesce`, so that the index of expiries serves it.
        has_ended = Professional.approval_expires_at <= at
        return or_(
            Professional.approval == approval.value, (Professional.approval == Approval.APPROVED.value) & has_ended
        )
    return Professional.approval == approval.value


LIVING: Final = select(Account.id).where(Account.pincode == bindparam("pincode"))
SERVING: Final = select(ProfessionalPincode.account_id).where(ProfessionalPincode.pincode == bindparam("pincode"))
DOING: Final = select(ProfessionalTask.account_id).where(
    ProfessionalTask.task_id == bindparam("task_id", type_=BigInteger)
)
PROFESSIONALS: Final = ListQuery(
    Role.PROFESSIONAL,
    select(*account_queries.COLUMNS)
    .join(Professional, Professional.account_id == Account.id)
    .where(Account.role == Role.PROFESSIONAL.value),
    {
        **account_queries.COMMON,
        **{f"approval_{approval.value}": _stands_at(approval) for approval in Approval},
        "pincode": Account.id.in_(union(LIVING, SERVING)),
        "task_id": Account.id.in_(DOING),
        "min_rating": Professional.rating >= bindparam("min_rating", type_=Numeric),
        "max_rating": (Professional.rating <= bindparam("max_rating", type_=Numeric)) & (Professional.rating_count > 0),
    },
    {Account.id: Account.person_text, Professional.account_id: Professional.company_text},
    {
        "name": account_queries.BY_NAME,
        "rating": BY_RATING,
        "waiting": LONGEST_WAITING,
        DECISION: WAITING_LONGEST_FOR_DECISION,
    },
)


def profile(account_id: int) -> ProfessionalProfile:
    """Return a professional's profile. Raises NotFound for other accounts."""
    found = profiles([account_id]).get(account_id)
    if found is None:
        raise NotFound("Professional not found.")
    return found


def profiles(account_ids: Iterable[int]) -> dict[int, ProfessionalProfile]:
    """Return profiles by account id, with one query."""
    at = now()
    found = [_profile(row, at=at) for row in read_pool.rows(PROFILES, {"ids": read_pool.array(account_ids)})]
    return {profile.account_id: profile for profile in found}


def effective_approval(approval: str, expires_at: datetime | None, *, at: datetime | None = None) -> Approval:
    """Return the approval as of now (or ``at``): expired after its expiry, even before a job has recorded that."""
    if approval == Approval.APPROVED and expires_at is not None and expires_at <= (at or now()):
        return Approval.EXPIRED
    return APPROVALS[approval]


def unknown_tasks(task_ids: Sequence[int], *, account_id: int | None = None) -> list[int]:
    """Return the ids of unknown tasks, and of archived ones unless this professional already offers them."""
    if not task_ids:
        return []
    offered = text("""
        SELECT id FROM tasks WHERE id = ANY(:ids) AND archived_at IS NULL
        UNION SELECT task_id FROM professional_tasks WHERE account_id = :account_id AND task_id = ANY(:ids)
    """)
    known = set(db.session.execute(offered, {"ids": list(task_ids), "account_id": account_id}).scalars())
    return [task_id for task_id in dict.fromkeys(task_ids) if task_id not in known]


def locked(account_id: int) -> Professional:
    """Lock and return the professional's row. Raises NotFound."""
    row = db.session.get(Professional, account_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("Professional not found.")
    return row


def professionals(
    *, filters: ProfessionalFilters, window: Window
) -> Page[tuple[account_queries.AccountRow, ProfessionalProfile]]:
    """Return a page of professionals with their profiles, in a constant number of queries."""
    if filters.sort == "waiting" and filters.approval not in (None, Approval.DOCUMENT_MISSING, Approval.EXPIRED):
        filters = replace(filters, sort=DECISION)
    page = account_queries.list_accounts(PROFESSIONALS, filters=filters, window=window)
    found = profiles([account.id for account in page.items])
    return Page([(account, found[account.id]) for account in page.items], page.next_cursor)


def _profile(row: TupleRow, *, at: datetime) -> ProfessionalProfile:
    """Return a profile, built by position, which takes a third of the time of naming each field."""
    document = SubmittedDocument._make(row[APPROVAL + 1 :]) if row[APPROVAL + 1] else None
    approval = effective_approval(row[APPROVAL], row[EXPIRES_AT], at=at)
    return ProfessionalProfile._make((*row[:APPROVAL], approval, document))
