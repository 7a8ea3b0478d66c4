"""A task, its professionals and requests in every state, created over HTTP."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from backend.core.clock import now
from backend.core.db.session import db
from backend.domain.notifications.models import Notification
from tests.factories.tasks import make_task
from tests.factories.users import User, Users

WHY = {"reason": "Something came up"}


class RequestMarket:
    """One task "Plumbing", customers, and professionals who do it."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self.task_id = self.task()

    def task(self, name: str = "Plumbing", **changes: Any) -> int:
        """Create an active task and return its id."""
        return make_task(name=name, **changes).id

    def professional(self, **changes: Any) -> User:
        """Create an active professional who offers the task."""
        return self.users.professional(**{"task_ids": [self.task_id], **changes})

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return the body of a new request, by default for tomorrow at this time."""
        return {"task_id": self.task_id, "date_of_request": at(days=1), **changes}

    def ask(self, customer: User, **changes: Any) -> dict[str, Any]:
        """Create a request."""
        answer = customer.post("/requests", self.body(**changes))
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def bring_to(self, status: str, customer: User, professional: User, **changes: Any) -> dict[str, Any]:
        """Create a request and bring it to this status; the professional accepts and completes it."""
        made = self.ask(customer, **changes)
        path = f"/requests/{made['id']}"
        if status in ("accepted", "completed", "closed"):
            do(professional, f"{path}/accept")
        if status in ("completed", "closed"):
            do(professional, f"{path}/complete")
        if status == "closed":
            do(customer, f"{path}/close")
        if status == "cancelled":
            do(customer, f"{path}/cancel", WHY)
        return dict(customer.get(path).json)


def do(who: User, path: str, body: Any = None) -> dict[str, Any]:
    """Call an action that must succeed, and return the response."""
    answer = who.post(path, body)
    assert answer.status_code in (200, 201), answer.json
    return dict(answer.json)


def at(**ahead: float) -> str:
    """Return the time after this interval as an ISO string."""
    return moment(**ahead).isoformat()


def moment(**ahead: float) -> datetime:
    return (now() + timedelta(**ahead)).replace(microsecond=0)


def notified_kinds(who: User) -> list[str]:
    """Return the kinds of a user's notifications, newest first."""
    statement = select(Notification.kind).where(Notification.account_id == who.id).order_by(Notification.id.desc())
    return list(db.session.execute(statement).scalars())
