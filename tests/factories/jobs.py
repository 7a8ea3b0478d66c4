"""Runs jobs in the test's process and returns their outcomes."""

from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import func, select, update

from backend.core.db.session import db, transaction
from backend.core.queue import Job, JobRun, Lane, Topic, admin, enqueue_many, runs
from backend.domain.notifications.models import Delivery
from backend.jobs import runner
from backend.jobs.tasks import HANDLER_MODULES

ROUNDS = 40
for handlers in HANDLER_MODULES:
    import_module(f"backend.jobs.{handlers}")


@dataclass(frozen=True)
class Empty:
    """A payload without fields."""


def enqueue_empty(topic: str, times: int = 1, *, key: str | None = None, lane: Lane = Lane.URGENT) -> None:
    """Add jobs of some topic to the current transaction."""
    enqueue_many(Topic(topic, Empty), [(key, Empty())] * times, lane=lane)


def age(topic: str) -> None:
    """Make the jobs of a topic so old that they fail permanently if no handler knows it."""
    db.session.flush()
    db.session.execute(update(Job).where(Job.topic == topic).values(created_at=func.now() - timedelta(days=2)))


def work(*, now: bool = False) -> int:
    """Run due jobs until none is left and return how many were started; ``now`` makes delayed jobs due as well."""
    started = 0
    for _ in range(ROUNDS):
        if now:
            with transaction():
                db.session.execute(update(Job).where(Job.done_at.is_(None)).values(run_at=func.now()))
        free = select(Job.id).where(Job.done_at.is_(None), Job.dead_at.is_(None), Job.run_at <= func.now())
        ids = list(db.session.execute(free.order_by(Job.id)).scalars())
        db.session.rollback()
        if not ids:
            break
        started += len(ids)
        runner.run_many(ids)
    return started


def work_on(topic: str) -> None:
    """Run the waiting jobs of one topic, but not the jobs that they enqueue."""
    db.session.rollback()
    ids = list(db.session.execute(select(Job.id).where(Job.topic == topic, Job.done_at.is_(None))).scalars())
    db.session.rollback()
    runner.run_many(ids)


def run_now(name: str, **params: object) -> JobRun:
    """Execute a scheduled job and return its finished run."""
    with transaction():
        run_id = runs.start(admin.scheduled(name), params=params, requested_by=None)
    work(now=True)
    return fresh_run(run_id)


def fresh_run(run_id: int) -> JobRun:
    """Return the run as it is in the database."""
    db.session.rollback()
    statement = select(JobRun).where(JobRun.id == run_id).execution_options(populate_existing=True)
    return db.session.execute(statement).scalar_one()


def deliveries(**wanted: object) -> list[Delivery]:
    """Return the deliveries in order of creation."""
    db.session.rollback()
    statement = select(Delivery).order_by(Delivery.id).execution_options(populate_existing=True)
    return list(db.session.execute(statement.filter_by(**wanted)).scalars())


def mails(kind: str) -> list[dict[str, Any]]:
    """Return the parameters of all mails of a kind, in order."""
    return [delivery.params for delivery in deliveries(kind=kind)]


def token_of(params: dict[str, Any]) -> str:
    """Return the token of the link in a mail."""
    return str(params["link"]).partition("#token=")[2]
