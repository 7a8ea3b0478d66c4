"""The code by which a customer approves a price line at the door; see `door_codes`.

Each line has its own: a customer who reads it out approves the title and the amount beside it, and nothing else.
"""

from typing import Final

from backend.core.errors import Invalid
from backend.domain.price_lines.rows import Line
from backend.domain.task_requests import door_codes
from backend.domain.task_requests.rows import Request

PURPOSE: Final = "approval_code"
LOCKED: Final = (
    "Too many wrong codes. Wait for the time given in Retry-After, or ask the customer to approve the line in the app."
)


def shown_to_customer(line: Line) -> str | None:
    """Return the code of a line while it is undecided."""
    return door_codes.make(PURPOSE, _about(line)) if line.state == "proposed" else None


def check(request: Request, line: Line, *, code: str | None) -> None:
    """Check the professional's code for a line of a request that was loaded.

    Raises:
        Invalid: No code is given.
        WrongCode, TooMany, ChangedMeanwhile: See `door_codes.check`. After WrongCode the caller must commit.
    """
    if code is None:
        raise Invalid.field("code", "Enter the approval code that the customer sees.", code="code_required")
    door_codes.check(request, purpose=PURPOSE, about=_about(line), code=code, locked=LOCKED)


def _about(line: Line) -> str:
    return f"{line.id}:{line.amount}"
