"""The job table: leases, retries and dead-lettering; every job run twice and concurrently."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select, text, update

from backend.core import queue
from backend.core.db.session import db, transaction
from backend.core.errors import PermanentFailure, RetryLater
from backend.core.queue import Job, Lane, Lease, LeaseLost, Snooze, admin
from backend.domain.audit.models import AuditEntry
from backend.jobs import dispatch, lease_heartbeat, runner
from backend.jobs.registry import HANDLERS, Registered
from tests.factories.jobs import enqueue_empty, work


@pytest.fixture
def topics(app: Flask) -> Iterator[dict[str, Registered]]:
    """Return the registry of handlers and restore it afterwards."""
    before = dict(HANDLERS)
    yield HANDLERS
    HANDLERS.clear()
    HANDLERS.update(before)


def effect(lease: Lease) -> None:
    """Insert one row for each execution."""
    row = AuditEntry(actor_role="market", action=lease.topic, subject_kind="job", subject_id=lease.job_id)
    db.session.add(row)
    db.session.flush()


def effects() -> int:
    return db.session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()


def put(topic: str, times: int = 1) -> list[int]:
    with transaction():
        enqueue_empty(topic, times)
    return list(db.session.execute(select(Job.id).where(Job.topic == topic).order_by(Job.id)).scalars())


def row(job_id: int) -> Job:
    db.session.rollback()
    return db.session.execute(
        select(Job).where(Job.id == job_id).execution_options(populate_existing=True)
    ).scalar_one()


def test_job_delivered_twice_runs_once(topics: dict[str, Registered]) -> None:
    topics["t"] = Registered(effect)
    (job_id,) = put("t")
    assert [runner.run(job_id), runner.run(job_id)] == ["done", "busy"]
    assert effects() == 1


def test_jobs_run_concurrently_have_their_effect_once(topics: dict[str, Registered], app: Flask) -> None:
    topics["t"] = Registered(effect)
    ids = put("t", 20)

    def worker(_: int) -> None:
        with app.app_context():
            runner.run_many(ids)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(worker, range(6)))
    work()
    assert effects() == 20
    assert admin.backlog().waiting == 0


def test_enqueue_with_same_key_creates_one_job(app: Flask) -> None:
    for _ in range(2):
        with transaction():
            enqueue_empty("t", key="once")
    assert db.session.execute(select(func.count()).select_from(Job)).scalar_one() == 1


def test_job_that_fails_is_rolled_back_and_retried(topics: dict[str, Registered]) -> None:
    def fails_at_first(lease: Lease) -> None:
        effect(lease)
        if lease.attempts == 1:
            raise RuntimeError("not yet")

    topics["t"] = Registered(fails_at_first)
    (job_id,) = put("t")
    assert runner.run(job_id) == "retry"
    assert effects() == 0
    assert runner.run(job_id) == "busy"
    work(now=True)
    assert (effects(), row(job_id).attempts) == (1, 2)


def test_job_after_maximum_attempts_is_dead_lettered(topics: dict[str, Registered]) -> None:
    def never(_: Lease) -> None:
        raise RuntimeError("always so")

    topics["t"] = Registered(never)
    (job_id,) = put("t")
    work(now=True)
    dead = row(job_id)
    assert (dead.attempts, dead.dead_at is not None) == (8, True)
    assert "always so" in str(dead.error)
    assert admin.backlog().dead == 1


def test_job_with_permanent_failure_is_dead_lettered_at_once(topics: dict[str, Registered]) -> None:
    def fails_permanently(_: Lease) -> None:
        raise PermanentFailure("no such thing")

    topics["t"] = Registered(fails_permanently)
    assert runner.run_many(put("t")) == {1: "dead"}


def test_job_of_unknown_topic_waits_a_day_for_another_version(app: Flask) -> None:
    """During an upgrade, workers of the earlier version claim jobs that only the new version knows."""
    (job_id,) = put("topic of the next version")
    assert runner.run(job_id) == "retry"
    waiting = row(job_id)
    assert (waiting.attempts, waiting.dead_at) == (0, None)
    assert waiting.run_at > waiting.created_at
    with transaction():
        db.session.execute(update(Job).values(created_at=func.now() - timedelta(days=2), run_at=func.now()))
    assert runner.run(job_id) == "dead"


def test_job_that_snoozes_uses_no_attempt(topics: dict[str, Registered]) -> None:
    def snoozes(lease: Lease) -> Snooze | None:
        if effects() == 12:
            return None
        effect(lease)
        return Snooze("not yet", after_seconds=1)

    topics["t"] = Registered(snoozes)
    (job_id,) = put("t")
    work(now=True)
    done = row(job_id)
    assert (done.done_at is not None, done.attempts, effects()) == (True, 1, 12)


def test_job_that_snoozes_keeps_its_effect_unless_lease_is_lost(topics: dict[str, Registered]) -> None:
    taken = True

    def snoozed(lease: Lease) -> Snooze:
        effect(lease)
        if taken:
            db.session.execute(update(Job).values(lease_token=func.gen_random_uuid()))
        return Snooze("not yet", after_seconds=60)

    topics["t"] = Registered(snoozed)
    (job_id,) = put("t")
    assert (runner.run(job_id), effects()) == ("lost", 0)
    with transaction():
        db.session.execute(update(Job).values(lease_until=None))
    taken = False
    assert (runner.run(job_id), effects(), runner.run(job_id)) == ("retry", 1, "busy")


def test_job_with_retry_later_not_counted_uses_no_attempt(topics: dict[str, Registered]) -> None:
    def held(lease: Lease) -> None:
        effect(lease)
        raise RetryLater("held by another", after_seconds=60, counts_as_attempt=False)

    topics["t"] = Registered(held)
    (job_id,) = put("t")
    assert runner.run(job_id) == "retry"
    waiting = row(job_id)
    assert (effects(), waiting.attempts, waiting.error) == (0, 0, "held by another")


def test_job_whose_worker_dies_each_time_is_dead_lettered(topics: dict[str, Registered]) -> None:
    topics["t"] = Registered(effect)
    (job_id,) = put("t")
    with transaction():
        db.session.execute(update(Job).values(attempts=8))
    assert runner.run(job_id) == "dead"


def test_lease_after_expiry_is_taken_over_and_lost_by_first_worker(app: Flask) -> None:
    (job_id,) = put("t")
    with transaction():
        first = queue.claim(job_id, lease_seconds=60)
    assert first is not None
    with transaction():
        assert queue.claim(job_id, lease_seconds=60) is None
        db.session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    with transaction():
        second = queue.claim(job_id, lease_seconds=60)
        assert second is not None
    with pytest.raises(LeaseLost):
        queue.finish(first)
    with pytest.raises(LeaseLost):
        queue.renew(first, lease_seconds=9)
    with transaction():
        queue.finish(second)


def test_lease_of_living_worker_is_renewed(topics: dict[str, Registered], app: Flask) -> None:
    (job_id,) = put("t")
    with transaction():
        lease = queue.claim(job_id, lease_seconds=1)
    assert lease is not None
    own = lease_heartbeat.LeaseHeartbeat()
    own._start(db.engine, 2)
    with own.renewing([lease]):
        left = 0.0
        for _ in range(60):
            left = db.session.execute(text("SELECT extract(epoch FROM lease_until - now()) FROM jobs")).scalar_one()
            db.session.rollback()
            if left > 1:
                break
            db.session.execute(text("SELECT pg_sleep(0.05)"))
    assert left > 1


def test_renewal_skips_a_lease_that_is_being_released(topics: dict[str, Registered]) -> None:
    """A release locks several jobs one after the other: a renewal that waited for one would deadlock with it."""
    job_ids = put("t", 2)
    with transaction():
        leases = queue.claim_many(job_ids, lease_seconds=1)
    held = {"ids": [lease.job_id for lease in leases], "tokens": [lease.token for lease in leases], "seconds": 60}
    with transaction():
        queue.release(leases[:1])
        with db.engine.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '1ms'"))
            assert other.execute(lease_heartbeat.RENEW, held).rowcount == 1
    released, kept = (row(job_id) for job_id in job_ids)
    assert (released.lease_until, kept.lease_until is not None) == (None, True)


def test_redeliver_notifies_of_jobs_not_dispatched_recently(app: Flask) -> None:
    with Redis.from_url(app.extensions["settings"].broker_url) as broker:
        broker.delete(queue.QUEUES[Lane.URGENT])  # so that no worker takes jobs of other tests
    (job_id,) = put("t")
    dispatched: list[int] = []
    dispatcher = app.extensions["job_dispatcher"]
    app.extensions["job_dispatcher"] = lambda ids, **_: dispatched.extend(ids)
    try:
        assert dispatch.redeliver() == 0  # it was dispatched when it was enqueued
        with transaction():
            db.session.execute(text("UPDATE jobs SET dispatched_at = now() - interval '11 seconds'"))
        assert dispatch.redeliver() == 1
        assert dispatch.redeliver() == 0  # it has just been dispatched
        with transaction():
            db.session.execute(text("UPDATE jobs SET dispatched_at = NULL, run_at = now() + interval '1 hour'"))
        assert dispatch.redeliver() == 0
    finally:
        app.extensions["job_dispatcher"] = dispatcher
    assert dispatched == [job_id]


def test_run_many_over_batch_time_releases_remaining_jobs(
    topics: dict[str, Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH_SECONDS", 0.0)
    topics["t"] = Registered(effect)
    ids = put("t", 3)
    assert list(runner.run_many(ids)) == ids[:1]
    assert {(one.attempts, one.lease_until) for one in map(row, ids[1:])} == {(0, None)}
    work()
    assert effects() == 3
