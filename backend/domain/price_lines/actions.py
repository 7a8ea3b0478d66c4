"""Actions on price lines: propose, approve, decline, withdraw.

Each also changes the request, by the conditional update of `transitions.write`: of two decisions at the same time, or
of a decision and a completion, one is made.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from sqlalchemy import insert, update

from backend.core.clock import now
from backend.core.config import current_settings
from backend.core.db.session import db
from backend.core.errors import Invalid
from backend.core.security.authz import Actor, Role
from backend.domain.conversations.masking import mask
from backend.domain.market import settings as market
from backend.domain.price_lines import approval_codes, queries
from backend.domain.price_lines.amounts import MOST, Kind, amount_of, is_above_cap
from backend.domain.price_lines.errors import DiscountTooLarge, LineAboveCap, LineDecided, TooManyLines
from backend.domain.price_lines.notifications import notify_line
from backend.domain.price_lines.rows import COLUMNS, TABLE, Line
from backend.domain.task_requests import door_codes
from backend.domain.task_requests.lifecycle import Action
from backend.domain.task_requests.rows import Request
from backend.domain.task_requests.transitions import load, retry_when_changed, write

MOST_UNDECIDED: Final = 20
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class NewLine:
    """What a professional proposes. ``reason`` is one of those that the marketplace allows, if it names any."""

    kind: Kind
    title: str
    quantity: Decimal
    unit_amount: Decimal
    reason: str | None = None

    @property
    def amount(self) -> Decimal:
        """Return what the line adds to the total."""
        return amount_of(self.kind, quantity=self.quantity, unit_amount=self.unit_amount)


@retry_when_changed
def propose(actor: Actor, *, request_id: int, new: NewLine, expected_version: int | None = None) -> Line:
    """Propose a line to the customer of an accepted request. It costs nothing until it is approved.

    Where the marketplace hides contact details after acceptance too, they are hidden in the title and the reason.

    Raises:
        Invalid: The amount is too small or too large, or the reason is not allowed.
        LineAboveCap, DiscountTooLarge, TooManyLines: See there.
    """
    request = load(actor, Action.PROPOSE_LINE, request_id=request_id, expected_version=expected_version)
    _check_amount(new.amount)
    if request.undecided_lines >= MOST_UNDECIDED:
        raise TooManyLines(MOST_UNDECIDED)
    settings = market.get()
    _check_reason(new, settings.allowed_reasons)
    _check_total(request, new.amount, cap_percent=settings.extra_work_cap_percent)
    if settings.contact == "masked":
        new = _without_contact_details(new)
    values = {"undecided_lines": request.undecided_lines + 1}
    changes = _changes(new.kind, new.title, new.amount)
    changed = write(actor, request, Action.PROPOSE_LINE, values, changes=changes)
    statement = insert(TABLE).values(
        request_id=request_id,
        professional_id=actor.id,
        kind=new.kind.value,
        title=new.title,
        reason=new.reason,
        quantity=new.quantity,
        unit_amount=new.unit_amount,
        amount=new.amount,
        proposed_at=now(),
    )
    line = Line._make(db.session.execute(statement.returning(*COLUMNS)).one())
    notify_line(actor, changed, line, Action.PROPOSE_LINE)
    return line


@retry_when_changed
def approve(
    actor: Actor, *, request_id: int, line_id: int, code: str | None = None, expected_version: int | None = None
) -> Line:
    """Approve a line, which then counts in the total. The professional does so with the code that the customer sees.

    Raises:
        LineNotFound, LineDecided: There is no such line, or it is not undecided.
        LineAboveCap, DiscountTooLarge: Others were approved meanwhile.
        WrongCode: The code is wrong. The caller must commit.
        TooMany: Too many codes were wrong.
    """
    line, request = _undecided(actor, Action.APPROVE_LINE, request_id, line_id, expected_version)
    values: dict[str, object] = {}
    is_by_code = actor.role is Role.PROFESSIONAL
    if is_by_code:
        approval_codes.check(request, line, code=code)
        values |= door_codes.NOT_TRIED
    _check_total(request, line.amount, cap_percent=market.get().extra_work_cap_percent)
    values["lines_amount"] = (request.lines_amount or NOTHING) + line.amount
    return _decide(actor, request, line, Action.APPROVE_LINE, "approved", values=values, by_code=is_by_code)


@retry_when_changed
def decline(actor: Actor, *, request_id: int, line_id: int, expected_version: int | None = None) -> Line:
    """Decline a line. Raises LineNotFound, LineDecided."""
    line, request = _undecided(actor, Action.DECLINE_LINE, request_id, line_id, expected_version)
    return _decide(actor, request, line, Action.DECLINE_LINE, "declined")


@retry_when_changed
def withdraw(actor: Actor, *, request_id: int, line_id: int, expected_version: int | None = None) -> Line:
    """Withdraw a line that the professional proposed, while it is undecided. Raises LineNotFound, LineDecided."""
    line, request = _undecided(actor, Action.WITHDRAW_LINE, request_id, line_id, expected_version)
    return _decide(actor, request, line, Action.WITHDRAW_LINE, "withdrawn")


def _undecided(
    actor: Actor, action: Action, request_id: int, line_id: int, expected_version: int | None
) -> tuple[Line, Request]:
    """Return the line and the request. The line is read first: what is not there is said before what is not possible.

    A line that is decided in between is noticed by the conditional update of `_decide`.
    """
    line = queries.one(request_id, line_id)
    request = load(actor, action, request_id=request_id, expected_version=expected_version)
    if line.state != "proposed":
        raise LineDecided
    return line, request


def _decide(
    actor: Actor,
    request: Request,
    line: Line,
    action: Action,
    state: str,
    *,
    values: dict[str, object] | None = None,
    by_code: bool = False,
) -> Line:
    at = now()
    columns = {"undecided_lines": request.undecided_lines - 1, **(values or {})}
    changes = _changes(line.kind, line.title, line.amount) | ({"by_code": True} if by_code else {})
    changed = write(actor, request, action, columns, changes=changes)
    if action is Action.WITHDRAW_LINE:
        decision: dict[str, object] = {"withdrawn_at": at}
    else:
        decision = {"decided_at": at, "decided_by": actor.id, "by_code": by_code}
    statement = update(TABLE).where(TABLE.c.id == line.id, TABLE.c.state == "proposed").values(state=state, **decision)
    row = db.session.execute(statement.returning(*COLUMNS)).one_or_none()
    if row is None:
        raise LineDecided
    decided = Line._make(row)
    notify_line(actor, changed, decided, action)
    return decided


def _check_amount(amount: Decimal) -> None:
    if amount == NOTHING:
        raise Invalid.field("quantity", "The amount must be at least 0.01.")
    if abs(amount) > MOST:
        raise Invalid.field("quantity", f"The amount must be at most {MOST:,}.")


def _check_reason(new: NewLine, allowed: tuple[str, ...]) -> None:
    if new.kind is Kind.DISCOUNT or not allowed or new.reason in allowed:
        return
    raise Invalid.field("reason", "Choose one of the reasons that the marketplace allows.", code="reason_not_allowed")


def _without_contact_details(new: NewLine) -> NewLine:
    """Return the line with contact details hidden in its texts. A reason is free where the marketplace names none."""
    region = current_settings().market_country
    reason = new.reason and mask(new.reason, region=region).text
    return replace(new, title=mask(new.title, region=region).text, reason=reason)


def _check_total(request: Request, amount: Decimal, *, cap_percent: int) -> None:
    """Raise what keeps a line of this amount from being approved now."""
    lines = (request.lines_amount or NOTHING) + amount
    if amount > NOTHING and is_above_cap(request.price, lines, cap_percent=cap_percent):
        raise LineAboveCap(cap_percent)
    if request.price + lines < NOTHING:
        raise DiscountTooLarge(request.total)


def _changes(kind: str, title: str, amount: Decimal) -> dict[str, object]:
    """Return what the history keeps of a line."""
    return {"kind": str(kind), "title": title, "amount": f"{amount:.2f}"}
