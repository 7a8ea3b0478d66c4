"""Finding professionals: by words, approval, place, task and rating."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select, union

from backend.core.authz import Role
from backend.core.clock import now
from backend.core.pagination import Page, Window
from backend.domain.accounts import finding
from backend.domain.accounts.finding import Sorting
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
    statement = statement.where(Account.role == Role.PROFESSIONAL.value)
    page = finding.people(
        statement.where(*filters.common(), *_conditions(filters)),
        filters=filters,
        texts={Account.id: Account.person_text, Professional.account_id: Professional.company_text},
        role=Role.PROFESSIONAL,
        window=window,
        sortings=_sortings(),
    )
    accounts = [row[0] for row in page.items]
    trades = queries.trades([account.id for account in accounts])
    return Page([(account, trades[account.id]) for account in accounts], page.next_cursor)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.approval is not None:
        wanted.append(_stands_at(filters.approval))
    if filters.pincode is not None:
        living = select(Account.id).where(Account.pincode == filters.pincode)
        serving = select(ProfessionalPincode.account_id).where(ProfessionalPincode.pincode == filters.pincode)
        wanted.append(Account.id.in_(union(living, serving)))
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
