"""Finding professionals: by words, approval, place, task and rating."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Numeric, bindparam, func, or_, select, union

from backend.core.authz import Role
from backend.core.clock import now
from backend.core.database import MOMENT
from backend.core.pagination import Page, SortKey, Window
from backend.domain.accounts import finding
from backend.domain.accounts.finding import Listing
from backend.domain.accounts.models import Account
from backend.domain.professionals import queries
from backend.domain.professionals.approval import Approval
from backend.domain.professionals.models import Professional, ProfessionalPincode, ProfessionalTask
from backend.domain.professionals.queries import Trade

SORTS: Final = ("created", "name", "rating", "waiting", "relevance")
BY_RATING: Final[tuple[SortKey, ...]] = ((Professional.rating, True), (Professional.account_id, True))
LONGEST_WAITING: Final[tuple[SortKey, ...]] = (
    (func.coalesce(Professional.approval_changed_at, Account.created_at), False),
    (Account.id, False),
)


@dataclass(frozen=True, slots=True)
class Filters(finding.Filters):
    """What the list of professionals may be narrowed by; None: all."""

    approval: str | None = None
    task_id: int | None = None
    min_rating: Decimal | None = None
    max_rating: Decimal | None = None

    def given(self) -> dict[str, Any]:
        """Names of the conditions that hold, with their values."""
        values: dict[str, Any] = {"task_id": self.task_id, "min_rating": self.min_rating, "max_rating": self.max_rating}
        if self.approval is not None:
            values[f"approval_{self.approval}"] = now()
        return finding.Filters.given(self) | {name: value for name, value in values.items() if value is not None}


def _stands_at(approval: Approval) -> ColumnElement[bool]:
    """One whose day has passed counts as expired, whether or not a job has said so yet."""
    passed = func.coalesce(
        Professional.approval_expires_at <= bindparam(f"approval_{approval.value}", type_=MOMENT), False
    )
    if approval is Approval.APPROVED:
        return (Professional.approval == approval.value) & ~passed
    if approval is Approval.EXPIRED:
        return or_(Professional.approval == approval.value, (Professional.approval == Approval.APPROVED.value) & passed)
    return Professional.approval == approval.value


LIVING: Final = select(Account.id).where(Account.pincode == bindparam("pincode"))
SERVING: Final = select(ProfessionalPincode.account_id).where(ProfessionalPincode.pincode == bindparam("pincode"))
DOING: Final = select(ProfessionalTask.account_id).where(
    ProfessionalTask.task_id == bindparam("task_id", type_=BigInteger)
)
PROFESSIONALS: Final = Listing(
    Role.PROFESSIONAL,
    select(*finding.COLUMNS)
    .join(Professional, Professional.account_id == Account.id)
    .where(Account.role == Role.PROFESSIONAL.value),
    {
        **finding.COMMON,
        **{f"approval_{approval.value}": _stands_at(approval) for approval in Approval},
        "pincode": Account.id.in_(union(LIVING, SERVING)),
        "task_id": Account.id.in_(DOING),
        "min_rating": Professional.rating >= bindparam("min_rating", type_=Numeric),
        "max_rating": (Professional.rating <= bindparam("max_rating", type_=Numeric)) & (Professional.rating_count > 0),
    },
    {Account.id: Account.person_text, Professional.account_id: Professional.company_text},
    {"name": finding.BY_NAME, "rating": BY_RATING, "waiting": LONGEST_WAITING},
)


def professionals(*, filters: Filters, window: Window) -> Page[tuple[Any, Trade]]:
    """Professionals with their trades, in a constant number of queries."""
    page = finding.people(PROFESSIONALS, filters=filters, window=window)
    trades = queries.trades([account.id for account in page.items])
    return Page([(account, trades[account.id]) for account in page.items], page.next_cursor)
