"""Price lines of a visit, proposed and decided over HTTP."""

from decimal import Decimal
from typing import Any

from tests.factories.requests import do
from tests.factories.users import User
from tests.factories.visits import Visit

EXTRA = {"kind": "extra", "title": "New tap", "quantity": "1", "unit_amount": "250.00"}


def propose(visit: Visit, **changes: Any) -> dict[str, Any]:
    """Propose a line as the visit's professional, and return it."""
    return do(visit.ravi, f"{visit.path}/price_lines", {**EXTRA, **changes})


def decide(visit: Visit, who: User, line: dict[str, Any], verb: str, body: Any = None) -> Any:
    """Approve, decline or withdraw a line; return the response."""
    return who.post(f"{visit.path}/price_lines/{line['id']}/{verb}", body)


def lines(visit: Visit, who: User) -> dict[str, Any]:
    """Return the list of lines as this user sees it."""
    return dict(who.get(f"{visit.path}/price_lines").json)


def code_of(visit: Visit, line: dict[str, Any]) -> str:
    """Return the approval code that the customer sees."""
    return next(str(item["approval_code"]) for item in lines(visit, visit.asha)["items"] if item["id"] == line["id"])


def wrong(code: str, number: int = 1) -> str:
    """Return another code than this one."""
    return f"{(int(code) + number) % 10_000:04}"


def total_of(visit: Visit) -> Decimal:
    """Return the total that the customer sees."""
    return Decimal(visit.seen_by(visit.asha)["total"])
