"""The job table: leases, retries, parking; every job run twice and at once with itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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
    """The registry, put back as it was afterwards."""
    before = dict(HANDLERS)
    yield HANDLERS
    HANDLERS.clear()
    HANDLERS.update(before)


def effect(lease: Lease) -> None:
    """Leaves one row for each time that it is done."""
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


def test_a_job_is_done_once_however_often_it_is_delivered(topics: dict[str, Registered]) -> None:
    topics["t"] = Registered(effect)
    (job_id,) = put("t")
    assert [runner.run(job_id), runner.run(job_id)] == ["done", "busy"]
    assert effects() == 1


def test_jobs_run_at_once_with_themselves_have_their_effect_once(topics: dict[str, Registered], app: Flask) -> None:
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


def test_the_same_key_is_one_job(app: Flask) -> None:
    for _ in range(2):
        with transaction():
            enqueue_empty("t", key="once")
    assert db.session.execute(select(func.count()).select_from(Job)).scalar_one() == 1


def test_a_failure_undoes_its_effect_and_is_tried_again_later(topics: dict[str, Registered]) -> None:
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


def test_after_too_many_tries_a_job_is_dead_with_its_error(topics: dict[str, Registered]) -> None:
    def never(_: Lease) -> None:
        raise RuntimeError("always so")

    topics["t"] = Registered(never)
    (job_id,) = put("t")
    work(now=True)
    dead = row(job_id)
    assert (dead.attempts, dead.dead_at is not None) == (8, True)
    assert "always so" in str(dead.error)
    assert admin.backlog().dead == 1


def test_a_job_that_can_never_be_done_is_dead_at_once(topics: dict[str, Registered]) -> None:
    def hopeless(_: Lease) -> None:
        raise PermanentFailure("no such thing")

    topics["t"] = Registered(hopeless)
    assert runner.run_many(put("t") + put("unknown topic")) == {1: "dead", 2: "dead"}


def test_waiting_counts_as_no_failed_try(topics: dict[str, Registered]) -> None:
    def patient(lease: Lease) -> Snooze | None:
        if effects() == 12:
            return None
        effect(lease)
        return Snooze("not yet", after_seconds=1)

    topics["t"] = Registered(patient)
    (job_id,) = put("t")
    work(now=True)
    done = row(job_id)
    assert (done.done_at is not None, done.attempts, effects()) == (True, 1, 12)


def test_a_snoozed_job_keeps_its_effect_unless_another_worker_took_it(topics: dict[str, Registered]) -> None:
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


def test_what_was_not_tried_uses_no_attempt_and_has_no_effect(topics: dict[str, Registered]) -> None:
    def held(lease: Lease) -> None:
        effect(lease)
        raise RetryLater("held by another", after_seconds=60, counts_as_attempt=False)

    topics["t"] = Registered(held)
    (job_id,) = put("t")
    assert runner.run(job_id) == "retry"
    waiting = row(job_id)
    assert (effects(), waiting.attempts, waiting.error) == (0, 0, "held by another")


def test_a_job_whose_worker_dies_each_time_is_dead(topics: dict[str, Registered]) -> None:
    topics["t"] = Registered(effect)
    (job_id,) = put("t")
    with transaction():
        db.session.execute(update(Job).values(attempts=8))
    assert runner.run(job_id) == "dead"


def test_a_lease_that_ran_out_lets_another_worker_in_and_the_first_loses(app: Flask) -> None:
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


def test_a_worker_that_lives_keeps_its_lease(topics: dict[str, Registered], app: Flask) -> None:
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


def test_the_sweep_finds_what_nobody_was_told_of(app: Flask) -> None:
    with Redis.from_url(app.extensions["settings"].broker_url) as broker:
        broker.delete(queue.QUEUES[Lane.URGENT])  # no worker takes what other tests rang for
    (job_id,) = put("t")
    rung: list[int] = []
    dispatcher = app.extensions["job_dispatcher"]
    app.extensions["job_dispatcher"] = lambda ids, **_: rung.extend(ids)
    try:
        assert dispatch.redeliver() == 0  # its own bell has only just rung
        with transaction():
            db.session.execute(text("UPDATE jobs SET dispatched_at = now() - interval '11 seconds'"))
        assert dispatch.redeliver() == 1
        assert dispatch.redeliver() == 0  # told a moment ago
        with transaction():
            db.session.execute(text("UPDATE jobs SET dispatched_at = NULL, run_at = now() + interval '1 hour'"))
        assert dispatch.redeliver() == 0
    finally:
        app.extensions["job_dispatcher"] = dispatcher
    assert rung == [job_id]


def test_what_a_slow_batch_does_not_get_to_is_given_back(
    topics: dict[str, Registered], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "BATCH_SECONDS", 0.0)
    topics["t"] = Registered(effect)
    ids = put("t", 3)
    assert list(runner.run_many(ids)) == ids[:1]
    assert {(one.attempts, one.lease_until) for one in map(row, ids[1:])} == {(0, None)}
    work()
    assert effects() == 3
