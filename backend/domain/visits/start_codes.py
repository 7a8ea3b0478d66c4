"""The code that the customer shows and the professional enters to start the visit; see `door_codes`.

It is about the request and the time of its acceptance, so that each acceptance has a code of its own.
"""

from typing import Final

from backend.core.errors import Invalid
from backend.domain.task_requests import door_codes
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.rows import Request

PURPOSE: Final = "start_code"
NEEDED: Final = ("offered", "required")
LOCKED: Final = (
    "Too many wrong codes. Wait for the time given in Retry-After, or ask the customer to confirm that you are there."
)


def is_needed(request: Request) -> bool:
    """Return whether the professional needs a code to start the visit."""
    return request.start_code_policy in NEEDED


def shown_to_customer(request: Request) -> str | None:
    """Return the code while the request is accepted and the visit has not started, if one is needed."""
    if request.status != Status.ACCEPTED or request.started_at is not None or not is_needed(request):
        return None
    return door_codes.make(PURPOSE, _about(request))


def check(request: Request, *, code: str | None) -> None:
    """Check the professional's code for a request that was loaded.

    Raises:
        Invalid: No code is given.
        WrongCode, TooMany, ChangedMeanwhile: See `door_codes.check`. After WrongCode the caller must commit.
    """
    if code is None:
        raise Invalid.field("code", "Enter the start code that the customer sees.", code="code_required")
    door_codes.check(request, purpose=PURPOSE, about=_about(request), code=code, locked=LOCKED)


def _about(request: Request) -> str:
    accepted_at = request.accepted_at.timestamp() if request.accepted_at else 0
    return f"{request.id}:{accepted_at:.6f}"
