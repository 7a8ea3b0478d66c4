"""A visit between a customer and a professional, made over HTTP."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from backend.core.db.session import db, transaction
from tests.factories.requests import RequestMarket
from tests.factories.users import User, Users

EARLIER = text("""
    UPDATE task_requests SET step_at = step_at - make_interval(secs => :seconds),
           code_locked_until = code_locked_until - make_interval(secs => :seconds)
""")
ACCEPTED_EARLIER = text("UPDATE task_requests SET accepted_at = accepted_at - make_interval(secs => :seconds)")

REMINDED = text("UPDATE task_requests SET reminded_at = now() WHERE id = :id")


class Visit:
    """An accepted request of Asha's, and the calls about its visit."""

    def __init__(self, users: Users, settings: Mapping[str, Any] | None = None, **changes: Any) -> None:
        if settings:
            assert users.admin().patch("/settings", settings).status_code == 200
        self.market = RequestMarket(users)
        self.asha, self.ravi = users.customer(firstname="Asha"), self.market.professional(firstname="Ravi")
        self.id = self.market.bring_to("accepted", self.asha, self.ravi, **changes)["id"]
        self.path = f"/requests/{self.id}"

    def call(self, who: User, step: str, body: Any = None, **kwargs: Any) -> Any:
        return who.post(f"{self.path}/{step}", body, **kwargs)

    def seen_by(self, who: User) -> dict[str, Any]:
        return dict(who.get(self.path).json)

    @property
    def code(self) -> str:
        """The start code that the customer sees."""
        return str(self.seen_by(self.asha)["start_code"])

    @property
    def wrong_code(self) -> str:
        return f"{(int(self.code) + 1) % 10_000:04}"


def note_reminder(request_id: int) -> None:
    """Note that the professional was reminded of the visit just now."""
    with transaction():
        db.session.execute(REMINDED, {"id": request_id})


def pass_minutes(minutes: float) -> None:
    """Move the steps and tries so far into the past."""
    with transaction():
        db.session.execute(EARLIER, {"seconds": minutes * 60})


def accept_hours_ago(hours: float) -> None:
    """Move the acceptance of all requests into the past."""
    with transaction():
        db.session.execute(ACCEPTED_EARLIER, {"seconds": hours * 3600})
