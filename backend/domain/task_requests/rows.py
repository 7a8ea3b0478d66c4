"""Typed rows of requests, and the one list of columns that every reader of requests selects."""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple, cast

from psycopg.rows import TupleRow
from sqlalchemy import Table

from backend.domain.task_requests.models import TaskRequest


class Request(NamedTuple):
    """A request as rules read it: its columns, and three facts about the professional who reads it.

    ``does_task``: they do its task. ``rejected``: they have declined it. ``excluded``: they and its customer are not
    matched again, and they are not asked for it. All are false for other readers.
    """

    id: int
    task_id: int
    task_name: str
    customer_id: int
    professional_id: int | None
    asked_professional_id: int | None
    asked_until: datetime | None
    status: str
    date_of_request: datetime
    price: Decimal
    currency: str
    time_required: int
    address: str
    pincode: str
    remarks: str
    closing_remarks: str
    created_at: datetime
    updated_at: datetime
    accepted_at: datetime | None
    completed_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    expired_at: datetime | None
    reviewed_at: datetime | None
    moved_late: bool
    cancelled_late: bool
    on_the_way_at: datetime | None
    arrived_at: datetime | None
    started_at: datetime | None
    eta_at: datetime | None
    reminded_at: datetime | None
    on_time_at: datetime | None
    step_at: datetime | None
    step_by: int | None
    start_code_policy: str | None
    lines_amount: Decimal | None
    undecided_lines: int
    from_price: Decimal | None
    version: int
    does_task: bool
    rejected: bool
    excluded: bool

    @property
    def is_by_offer(self) -> bool:
        """Return whether the price is agreed by offer."""
        return self.from_price is not None

    @property
    def pricing(self) -> str:
        """Return how the price is agreed: "fixed" or "quote"."""
        return "fixed" if self.from_price is None else "quote"

    @property
    def price_before(self) -> Decimal:
        """Return the price as it was before anyone accepted."""
        return self.price if self.from_price is None else self.from_price

    @property
    def total(self) -> Decimal:
        """Return the agreed price with the approved price lines."""
        return self.price if self.lines_amount is None else self.price + self.lines_amount

    @property
    def has_lines(self) -> bool:
        """Return whether there are price lines that are approved or undecided."""
        return self.undecided_lines > 0 or self.lines_amount is not None


class RequestWithContacts(NamedTuple):
    """A request with the names and phones of both sides; the professional's are None until one accepts it.

    Phones are None where the marketplace masks contact details. ``unread_messages``: in the reader's conversations.
    """

    request: Request
    customer_firstname: str
    customer_lastname: str
    customer_phone: str | None
    professional_firstname: str | None
    professional_phone: str | None
    professional_compname: str | None
    unread_messages: int


TABLE: Final = cast("Table", TaskRequest.__table__)
WIDTH: Final = len(Request._fields)
COLUMN_NAMES: Final = Request._fields[:-3]
COLUMNS: Final = [TABLE.c[name] for name in COLUMN_NAMES]
# The columns of a visit and its price lines, as they are for a request that nobody has accepted.
NO_VISIT: Final[dict[str, object]] = {
    **dict.fromkeys(("on_the_way_at", "arrived_at", "started_at", "eta_at", "step_at", "step_by")),
    **dict.fromkeys(("start_code_policy", "start_proof", "code_locked_until", "reminded_at", "on_time_at")),
    "code_tries": 0,
    "lines_amount": None,
    "undecided_lines": 0,
}


def with_contacts(row: TupleRow) -> RequestWithContacts:
    """Return the typed row of a ``queries.select_with_contacts``."""
    return RequestWithContacts(Request._make(row[:WIDTH]), *row[WIDTH:])
