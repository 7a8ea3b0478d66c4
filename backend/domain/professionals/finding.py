"""Finding professionals: by words, approval, place, task and rating."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select

from backend.core.clock import now
from backend.core.pagination import Page, Window
from backend.domain.accounts import finding
from backend.domain.accounts.finding import Sorting, person_text
from backend.domain.accounts.models import Account
from backend.domain.professionals import queries
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional, ProfessionalPincode, ProfessionalTask
from backend.domain.professionals.queries import Trade

SORTS: Final = ("created", "name", "rating", "waiting", "relevance")


@dataclass(frozen=True, slots=True)
class Filters(finding.Filters):
    """What the list of professionals may be narrowed by; None: all."""

    approval: str | None = None
    task_id: int | None = None
    min_rating: Decimal | None = None
    max_rating: Decimal | None = None


def professionals(*, filters: Filters, window: Window) -> Page[tuple[Account, Trade]]:
    """Professionals with their trades, in a constant number of queries."""
    statement = select(Account).join(Professional, Professional.account_id == Account.id)
    statement = statement.where(*finding.common_conditions(filters), *_conditions(filters))
    matched = None
    if filters.q:
        finding.loosen()
        compname = func.folded(Professional.compname)
        statement = statement.where(Account.id.in_(_found(filters.q)))
        matched = finding.likeness(filters.q, [person_text, compname])
    sorting = finding.sorting_of(filters, matched, _sortings())
    page = finding.page_of(statement, sorting=sorting, window=window, scope="professionals")
    accounts = [row[0] for row in page.items]
    trades = queries.trades([account.id for account in accounts])
    return Page([(account, trades[account.id]) for account in accounts], page.next_cursor)


def _found(q: str) -> Select[Any]:
    """Ids of those whose name or company fits: each half on its own trigram index."""
    compname: ColumnElement[str] = func.folded(Professional.compname)
    people = select(Account.id).where(finding.matches(q, person_text))
    companies = select(Professional.account_id).where(finding.matches(q, compname))
    found = people.union(companies).subquery()
    return select(found.c[0])


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.approval is not None:
        wanted.append(_stands_at(filters.approval))
    if filters.pincode is not None:
        served = select(ProfessionalPincode.account_id).where(ProfessionalPincode.pincode == filters.pincode)
        wanted.append(or_(Account.pincode == filters.pincode, Account.id.in_(served)))
    if filters.task_id is not None:
        wanted.append(
            Account.id.in_(select(ProfessionalTask.account_id).where(ProfessionalTask.task_id == filters.task_id))
        )
    if filters.min_rating is not None:
        wanted.append(Professional.rating >= filters.min_rating)
    if filters.max_rating is not None:
        wanted.append((Professional.rating <= filters.max_rating) & (Professional.rating_count > 0))
    return wanted


def _stands_at(approval: str) -> ColumnElement[bool]:
    """One whose day has passed counts as expired, whether or not a job has said so yet."""
    passed = func.coalesce(Professional.approval_expires_at <= now(), False)
    if approval == Approval.APPROVED:
        return (Professional.approval == approval) & ~passed
    if approval == Approval.EXPIRED:
        return or_(Professional.approval == approval, (Professional.approval == Approval.APPROVED.value) & passed)
    return Professional.approval == approval


def _sortings() -> dict[str, Sorting]:
    oldest_change = func.coalesce(Professional.approval_changed_at, Account.created_at)
    return {
        "rating": Sorting("rating", ((Professional.rating, True), (Professional.account_id, True))),
        "waiting": Sorting("waiting", ((oldest_change, False), (Account.id, False))),
    }
