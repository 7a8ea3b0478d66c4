"""How many requests one customer may have, and make: against floods, and generous to everyone else."""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import func, select

from backend.core.config import current
from backend.core.database import db
from backend.core.errors import TooMany
from backend.domain.task_requests.errors import TooManyOpenRequests
from backend.domain.task_requests.lifecycle import Status
from backend.domain.task_requests.models import TaskRequest

OPEN: Final = (Status.REQUESTED.value, Status.ACCEPTED.value)
HOUR: Final = timedelta(hours=1)
NEW_FOR: Final = timedelta(days=1)


def check(customer_id: int, *, signed_up: datetime, at: datetime) -> None:
    """Let a customer make one more request; their account's row is held, so that requests at once are counted.

    Raises TooManyOpenRequests (409), or TooMany (429) where new accounts have a limit.
    """
    settings = current()
    if (most := settings.open_requests_per_customer) and _open_requests(customer_id, up_to=most) >= most:
        raise TooManyOpenRequests(most)
    if (most := settings.new_account_requests_an_hour) and at - signed_up < NEW_FOR:
        nth_latest = (
            select(TaskRequest.created_at)
            .where(TaskRequest.customer_id == customer_id, TaskRequest.created_at > at - HOUR)
            .order_by(TaskRequest.created_at.desc())
            .offset(most - 1)
            .limit(1)
        )
        if (reached := db.session.execute(nth_latest).scalar_one_or_none()) is not None:
            wait = max(1, ceil((reached + HOUR - at).total_seconds()))
            raise TooMany(f"A new account can make {most} requests an hour. Wait, then try again.", retry_after=wait)


def _open_requests(customer_id: int, *, up_to: int) -> int:
    found = select(TaskRequest.id).where(TaskRequest.customer_id == customer_id, TaskRequest.status.in_(OPEN))
    statement = select(func.count()).select_from(found.limit(up_to).subquery())
    return int(db.session.execute(statement).scalar_one())
