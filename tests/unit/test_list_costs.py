"""What a further row of a list costs: calls of Python functions, which do not depend on the machine's load."""

import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import FrameType
from typing import Final

from flask import Flask
from sqlalchemy import text

from backend.api.presenters import task_requests as present
from backend.api.resources.moderation import allowed
from backend.api.responses import to_json
from backend.core.clock import now
from backend.core.db.read_pool import Reads
from backend.core.security.authz import Actor, Role
from backend.domain.professionals.approval import Approval
from backend.domain.task_requests.rows import COLUMN_NAMES, with_contacts
from backend.settings import Settings

ROWS: Final = 50
ADMIN: Final = Actor(id=1, role=Role.ADMIN)
AT: Final = now()
PLAIN: Final[dict[str, object]] = {
    "id": 7,
    "customer_id": 2,
    "status": "requested",
    "date_of_request": AT + timedelta(days=1),
    "price": Decimal("499.00"),
    "created_at": AT,
    "updated_at": AT,
    "undecided_lines": 0,
}
FURTHER: Final = (False, False, False, "Asha", "Rao", None, None, None, None, 0)


def calls(work: Callable[[], object]) -> int:
    """Return how many Python functions the work calls in this thread."""
    number = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal number
        number += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return number


def test_page_of_requests_costs_few_calls_a_row() -> None:
    rows = [tuple(PLAIN.get(name) for name in COLUMN_NAMES) + FURTHER for _ in range(ROWS)]

    def page() -> bytes:
        return to_json(present.requests(ADMIN, [with_contacts(row) for row in rows]))

    page()  # what is kept for further pages is computed
    assert calls(page) / ROWS < 15
    assert b'"price":"499.00","total":"499.00"' in page()


def test_reads_of_json_cost_no_call_a_value(app: Flask, settings: Settings) -> None:
    reads = Reads(settings)
    statement = text('SELECT CAST(\'{"at": [1, "x", null]}\' AS jsonb) FROM generate_series(1, CAST(:rows AS integer))')
    assert reads.rows(statement, {"rows": 1}) == [({"at": [1, "x", None]},)]
    one = calls(lambda: reads.rows(statement, {"rows": 1}))
    assert calls(lambda: reads.rows(statement, {"rows": ROWS + 1})) - one < 2 * ROWS


def test_actions_of_an_admin_are_looked_up_once() -> None:
    assert allowed(Approval.PENDING, is_blocked=True) == ("approve", "reject", "unblock")
    assert calls(lambda: allowed(Approval.PENDING, is_blocked=True)) == 1
