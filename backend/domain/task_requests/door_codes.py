"""Codes that the customer reads out at the door and the professional enters: how they are made, checked and counted.

They are one-time passwords by RFC 4226 (HOTP) with four digits. Their secrets are derived from SECRET_KEY and what each
is about, so that nothing has to be stored. All codes of one request share one count of tries, so that further codes
give no further tries.
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
from backend.domain.task_requests.models import TaskRequest
from backend.domain.task_requests.rows import Request
from backend.domain.task_requests.transitions import ChangedMeanwhile

DIGITS: Final = 4
MOST_TRIES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
# The columns that count tries, after a code was right.
NOT_TRIED: Final[dict[str, object]] = {"code_tries": 0, "code_locked_until": None}


class WrongCode(Invalid):
    """A wrong code. It was counted, so the caller must commit although the call fails."""

    code = "wrong_code"


def make(purpose: str, about: str) -> str:
    """Return the code of this purpose about something, as its customer sees it."""
    return _code(signing.key(purpose), about)


def check(request: Request, *, purpose: str, about: str, code: str, locked: str) -> None:
    """Check a code that the professional of a loaded request entered. ``locked``: what to say after too many tries.

    Each try is counted before it is compared, in one statement, so that concurrent tries cannot bypass the limit.

    Raises:
        WrongCode: It is wrong. The caller must commit.
        TooMany: Five codes were wrong within the last 15 minutes.
        ChangedMeanwhile: The request is no longer as it was loaded.
    """
    _count(request, locked=locked)
    # A code that was made with an earlier SECRET_KEY is still on the customer's screen.
    matches = [hmac.compare_digest(code.encode(), _code(key, about).encode()) for key in signing.keys(purpose)]
    if not any(matches):
        message = "This code is incorrect. Ask the customer for the code and try again."
        raise WrongCode(f"code: {message}", errors={"code": [message]})


def _count(request: Request, *, locked: str) -> None:
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
    raise TooMany(locked, code="too_many_tries", retry_after=max(1, ceil((locked_until - at).total_seconds())))


def _code(key: bytes, about: str) -> str:
    return hotp(hmac.digest(key, about.encode(), "sha256"), 0, digits=DIGITS)


def hotp(secret: bytes, counter: int, *, digits: int) -> str:
    """Return the one-time password of RFC 4226, 5.3."""
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")  # the algorithm of the RFC
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"
