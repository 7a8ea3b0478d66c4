"""Requests in any state, inserted directly, for tests that read many of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy import text as text_clause
from sqlalchemy.dialects.postgresql import Range

from backend.core import text
from backend.core.db.session import db, transaction
from backend.core.queue import Job
from backend.core.security.authz import Role
from backend.domain.accounts.actions import NewAccount, sign_up
from backend.domain.professionals.models import Professional
from backend.domain.reviews.models import Review
from backend.domain.task_requests.models import TaskRequest
from backend.domain.tasks.models import Task
from backend.jobs import runner
from backend.jobs.tasks import HANDLER_MODULES

BENGALURU = "560001"
NOON = datetime(2026, 10, 15, 6, 30, tzinfo=UTC)  # noon in the marketplace's time zone
BATCH = 20_000
number = count(1)


@dataclass(frozen=True, slots=True)
class Market:
    """One customer, one approved professional and one task."""

    customer_id: int
    professional_id: int
    task_id: int


def market(*, task_name: str = "Plumbing") -> Market:
    """Create a customer, an approved professional and a task."""
    return Market(account(Role.CUSTOMER), professional(), task(task_name))


def account(role: Role, **changes: Any) -> int:
    """Create an account and return its id."""
    name = f"{role.value}{next(number)}x"
    fields = {
        "username": name,
        "email": f"{name}@example.org",
        "password": "correct horse battery 9",
        "firstname": "Asha",
        "lastname": "Rao",
        "address": "12 MG Road",
        "pincode": BENGALURU,
        **changes,
    }
    with transaction():
        return sign_up(NewAccount(**fields), role=role).id


def professional(**changes: Any) -> int:
    """Create an approved professional and return their id."""
    made = account(Role.PROFESSIONAL)
    with transaction():
        fields = {"exp": 5, "compname": "Rao & Sons", "approval": "approved", **changes}
        db.session.add(Professional(account_id=made, **fields))
    return made


def task(name: str = "Plumbing") -> int:
    """Create a task and return its id."""
    with transaction():
        made = Task(
            name=name,
            name_key=text.key(f"{name}{next(number)}"),
            description="Taps and pipes",
            category="Home",
            base_price=Decimal("499.00"),
            currency="INR",
            time_required=60,
        )
        db.session.add(made)
        db.session.flush()
        return made.id


def request(of: Market, *, status: str = "closed", at: datetime = NOON, **changes: Any) -> TaskRequest:
    """Create a request that spent an hour in each state before ``status``; ``at`` is when it was or would be closed."""
    steps = ["requested", "accepted", "completed", "closed"]
    reached = steps.index(status) if status in steps else 0
    times = {f"{step}_at": at - timedelta(hours=3 - i) for i, step in enumerate(steps) if 0 < i <= reached}
    if status in ("cancelled", "expired"):
        times[f"{status}_at"] = at
    fields: dict[str, Any] = {
        "task_id": of.task_id,
        "task_name": "Plumbing",
        "customer_id": of.customer_id,
        "professional_id": of.professional_id if reached else None,
        "status": status,
        "date_of_request": at - timedelta(hours=1),
        "price": Decimal("499.00"),
        "currency": "INR",
        "time_required": 60,
        "address": "12 MG Road",
        "pincode": BENGALURU,
        "remarks": "",
        "closing_remarks": "",
        "created_at": at - timedelta(hours=3),
        **times,
        **changes,
    }
    if status == "accepted":
        fields.setdefault("busy", Range(fields["date_of_request"], fields["date_of_request"] + timedelta(hours=1)))
    with transaction():
        made = TaskRequest(**fields)
        db.session.add(made)
        db.session.flush()
        db.session.refresh(made)
    db.session.expunge(made)  # so that its values stay after later changes
    return made


def many(of: Market, number_of_them: int) -> None:
    """Create this many closed requests, a minute apart, in statements that stay within their time limit."""
    for first in range(1, number_of_them + 1, BATCH):
        with transaction():
            db.session.execute(
                text_clause("""
                    INSERT INTO task_requests (task_id, task_name, customer_id, professional_id, status,
                        date_of_request, price, currency, time_required, address, pincode, remarks, closing_remarks,
                        created_at, accepted_at, completed_at, closed_at)
                    SELECT :task, 'Plumbing', :customer, :professional, 'closed', at, 499, 'INR', 60, '12 MG Road',
                           '560001', 'Please bring a ladder', '=1+1', at, at, at, at
                      FROM generate_series(CAST(:first AS integer), :last) n,
                           LATERAL (SELECT :noon + n * interval '1 minute' AS at) moment
                """),
                {
                    "task": of.task_id,
                    "customer": of.customer_id,
                    "professional": of.professional_id,
                    "first": first,
                    "last": min(first + BATCH - 1, number_of_them),
                    "noon": NOON,
                },
            )


def review(of: TaskRequest, rating: int = 5, **changes: Any) -> None:
    """Create a review of a request."""
    users = {"customer_id": of.customer_id, "professional_id": of.professional_id, "task_id": of.task_id}
    with transaction():
        db.session.add(Review(request_id=of.id, rating=rating, **{**users, **changes}))


def run_jobs(topic: str) -> list[str]:
    """Run all open jobs of a topic in this process and return their outcomes."""
    for name in HANDLER_MODULES:
        import_module(f"backend.jobs.{name}")
    query = select(Job.id).where(Job.topic == topic, Job.done_at.is_(None), Job.dead_at.is_(None)).order_by(Job.id)
    ids = list(db.session.execute(query).scalars())
    db.session.rollback()
    return [runner.run(job_id) for job_id in ids]
