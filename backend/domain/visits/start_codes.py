"""The code that the customer shows and the professional enters to start the visit.

It is a one-time password by RFC 4226 (HOTP) with four digits. Its secret is derived from SECRET_KEY, the request and
the time of its acceptance, so that nothing has to be stored, and each acceptance has a code of its own.
"""

import hmac
from datetime import timedelta
from math import ceil
from typing import Final

from sqlalchemy import case, or_, select, update

from backend.core.clock import now
from backend.core.db.session import db
from backend.core.errors import Invalid, TooMany
from backend.core.security import signing
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.rows import Request
from backend.domain.task_requests.transitions import ChangedMeanwhile

PURPOSE: Final = "start_code"
DIGITS: Final = 4
MOST_TRIES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
NEEDED: Final = ("offered", "required")


class WrongCode(Invalid):
    """A wrong code. It was counted, so the caller must commit although the call fails."""

    code = "wrong_code"


def is_needed(request: Request) -> bool:
    """Return whether the professional needs a code to start the visit."""
    return request.start_code_policy in NEEDED


def shown_to_customer(request: Request) -> str | None:
    """Return the code while the request is accepted and the visit has not started, if one is needed."""
    if request.status != Status.ACCEPTED or request.started_at is not None or not is_needed(request):
        return None
    return _code(signing.key(PURPOSE), request)


def check(request: Request, *, code: str | None) -> None:
    """Check the professional's code for a request that was loaded.

    Each try is counted before it is compared, in one statement, so that concurrent tries cannot bypass the limit.

    Raises:
        Invalid: No code is given.
        WrongCode: It is wrong. The caller must commit.
        TooMany: Five codes were wrong within the last 15 minutes.
        ChangedMeanwhile: The request is no longer as it was loaded.
    """
    if code is None:
        raise Invalid.field("code", "Enter the start code that the customer sees.", code="code_required")
    _count(request)
    # A code that was made with an earlier SECRET_KEY is still on the customer's screen.
    matches = [hmac.compare_digest(code.encode(), _code(key, request).encode()) for key in signing.keys(PURPOSE)]
    if not any(matches):
        message = "This code is incorrect. Ask the customer for the code and try again."
        raise WrongCode(f"code: {message}", errors={"code": [message]})


def _count(request: Request) -> None:
    """Count a try; the row stays locked until the transaction ends. The fifth one locks further tries out."""
    at, table = now(), TaskRequest
    tries = case((table.code_locked_until.is_not(None), 1), else_=table.code_tries + 1)
    is_open = or_(table.code_locked_until.is_(None), table.code_locked_until <= at)
    counted = (
        update(table)
        .where(table.id == request.id, table.version == request.version, is_open)
        .values(code_tries=tries, code_locked_until=case((tries >= MOST_TRIES, at + LOCKED_FOR)))
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(counted.returning(table.id)).one_or_none() is not None:
        return
    read = select(table.code_locked_until).where(table.id == request.id, table.version == request.version)
    locked_until = db.session.execute(read).scalar_one_or_none()
    if locked_until is None:
        raise ChangedMeanwhile
    raise TooMany(
        "Too many wrong codes. Wait for the time given in Retry-After, or ask the customer to confirm that you are "
        "there.",
        code="too_many_tries",
        retry_after=max(1, ceil((locked_until - at).total_seconds())),
    )


def _code(key: bytes, request: Request) -> str:
    accepted_at = request.accepted_at.timestamp() if request.accepted_at else 0
    secret = hmac.digest(key, f"{request.id}:{accepted_at:.6f}".encode(), "sha256")
    return hotp(secret, 0, digits=DIGITS)


def hotp(secret: bytes, counter: int, *, digits: int) -> str:
    """Return the one-time password of RFC 4226, 5.3."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")  # the algorithm of the RFC
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"
